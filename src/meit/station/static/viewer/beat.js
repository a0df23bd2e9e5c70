/* The sheet of the median beat: a panel for each lead, all leads over each other, and the brackets of PR, QRS and QT.

Time zero is the global QRS onset. The previous recording's median beat lies over it there. */

import { GRID_HEIGHT, pulse, settled, zeroOf } from "./sheet.js";

const ROW_HEIGHT = 35; // three rows, and one of all leads
const GAP = 5; // between panels
const BRACKETS = [
  ["pr_ms", "PR"],
  ["qrs_ms", "QRS"],
  ["qt_ms", "QT"],
];
const FIRST_BRACKET = 3,
  BRACKET_STEP = 6; // below the last row
const LISTED = ["heart_rate_bpm", "p_ms", "pr_ms", "qrs_ms", "qt_ms", "qtc_ms", "axis_deg"];
const LIST_LEFT = 12,
  LIST_TOP = 6,
  LIST_STEP = 6,
  LIST_VALUE = 38,
  LIST_PREVIOUS = 62; // mm

export function beatSheet(ecg, previous, { speed, gain, compare }) {
  const rows = ecg.about.layouts[0].rows.filter((leads) => leads.length > 1);
  const columns = Math.max(...rows.map((leads) => leads.length));
  const beat = ecg.about.median_beat;
  const zero = zeroOf(speed);
  const seconds = lengthOf(beat);
  const step = Math.ceil((seconds * speed + GAP) / 5) * 5;
  const sheet = {
    kind: "beat",
    speed,
    gain,
    width: zero + columns * step + GAP,
    height: GRID_HEIGHT,
    panels: [],
    pulses: [],
    why: beat.why_absent,
    brackets: [],
    list: [],
    marks: Object.values(beat.marks ?? {}),
  };
  const panel = (lead, place, ink, source) => {
    const one = source.about.median_beat;
    const [rate, offset, values] = [one.rate_hz ?? 500, one.start_s ?? 0, one.leads[lead] ?? []];
    const t0 = beat.start_s ?? 0;
    return {
      ...place,
      lead,
      ink,
      seconds,
      t0,
      values,
      rate,
      offset,
      level: 0,
      gaps: [],
      over: ink === "previous",
      first: Math.max(0, Math.round((t0 - offset) * rate)),
      last: Math.min(values.length - 1, Math.round((t0 + seconds - offset) * rate)),
      empty: beat.why_absent ? "no median beat" : "not measured",
      notes: [source.about.derived.includes(lead) && "derived"].filter(Boolean),
    };
  };
  const compared = previous && compare !== "off" && !previous.about.median_beat.why_absent;
  rows.forEach((leads, row) => {
    const [top, bottom] = [row * ROW_HEIGHT, (row + 1) * ROW_HEIGHT];
    sheet.pulses.push(pulse((top + bottom) / 2, sheet));
    leads.forEach((lead, column) => {
      const place = { row, column, x: zero + column * step, width: seconds * speed, top, bottom };
      const both = [panel(lead, place, "current", ecg)];
      if (compared) both.push(panel(lead, place, "previous", previous));
      sheet.panels.push(...settled(both, sheet));
    });
  });
  if (beat.why_absent) return sheet;
  const top = rows.length * ROW_HEIGHT;
  const place = {
    row: rows.length,
    column: 0,
    x: zero,
    width: seconds * speed,
    top,
    bottom: top + ROW_HEIGHT,
    together: true,
  };
  sheet.panels.push(
    ...settled(
      Object.keys(beat.leads).map((lead) => panel(lead, place, "current", ecg)),
      sheet,
    ),
  );
  const at = (mark) => zero + (beat.marks[mark] - beat.start_s) * speed;
  sheet.brackets = BRACKETS.filter(([name]) => beat.intervals[name]).map(([name, title], line) => {
    const { from, to, ms } = beat.intervals[name];
    return { title, ms, x0: at(from), x1: at(to), y: place.bottom + FIRST_BRACKET + line * BRACKET_STEP };
  });
  sheet.list = list(ecg, compared ? previous : null, zero + step + LIST_LEFT, top + LIST_TOP);
  return sheet;
}

/** The values beside the brackets; the previous recording's behind them, in its ink. */
function list(ecg, previous, x, y) {
  const rows = ecg.about.measurements.filter(({ name, text }) => LISTED.includes(name) && text);
  return rows.flatMap(({ name, title, text }, line) => {
    const from = y + line * LIST_STEP;
    const words = [
      { at: x, from, what: title, ink: "grey" },
      { at: x + LIST_VALUE, from, what: text, bold: true, ink: "ink" },
    ];
    const before = previous?.measured(name);
    return before ? [...words, { at: x + LIST_PREVIOUS, from, what: before, bold: true, ink: "previous" }] : words;
  });
}

const lengthOf = (beat) => (Object.values(beat.leads)[0]?.length ?? 660) / (beat.rate_hz ?? 500);
