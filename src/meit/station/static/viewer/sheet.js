/* Where everything lies on the sheet, in mm from the upper left corner of its grid; nothing here draws.

A sheet is a list of panels, each a stretch of one lead. The measures are those of meit.ecg.paper, so that screen, print
and the printed report agree: 160 mm of rows, time zero behind the calibration pulse, each lead around its own median. */

export const SPEEDS = [25, 50]; // mm/s
export const GAINS = [5, 10, 20]; // mm/mV
export const GRID_HEIGHT = 160;
const PULSE_S = 0.2;
const FOOT = 2; // of the pulse, either side
const RIGHT = 10; // beyond the last sample
const MARGIN = 2; // that a trace keeps from the edge of its row, where it fits
const SINGLE_ROWS = 2; // of a lead that is shown alone
const SINGLE_ROW_HEIGHT = 40;

/** Where time zero is. */
export const zeroOf = (speed) => 10 + PULSE_S * speed;

/**
 * ecg: Ecg; previous: Ecg or null. state: {layout, speed, gain, start, compare, lead}, as EcgViewer's.
 * A panel: {lead, ink: "current"|"previous", x, width, top, bottom, y: the baseline, t0: time at x, seconds, values, rate,
 * level: the mV at y, lift: mm by which it is moved up, first, last: samples, offset: time of sample 0, gaps: [[from, to]]
 * in s, over: whether it lies over another, empty: why or ""}.
 */
export function timeSheet(ecg, previous, state) {
  const { speed, gain, start } = state;
  const zero = zeroOf(speed);
  const total = ecg.about.sheet_seconds;
  const alone = state.layout === "lead";
  const rows = alone
    ? Array(SINGLE_ROWS).fill([state.lead])
    : ecg.about.layouts.find((one) => one.name === state.layout).rows;
  const rowHeight = alone ? SINGLE_ROW_HEIGHT : GRID_HEIGHT / rows.length;
  const seconds = alone ? total / rows.length : total;
  const beneath = previous && state.compare === "beneath";
  const step = beneath ? 2 * rowHeight : rowHeight;
  const sheet = {
    kind: "time",
    speed,
    gain,
    width: zero + seconds * speed + RIGHT,
    height: rows.length * step,
    panels: [],
    pulses: [],
  };
  rows.forEach((leads, row) => {
    const each = seconds / leads.length;
    leads.forEach((lead, column) => {
      const place = {
        lead,
        ink: "current",
        row,
        column,
        x: zero + column * each * speed,
        width: each * speed,
        seconds: each,
        top: row * step,
        bottom: row * step + rowHeight,
        t0: start + column * each + (alone ? row * seconds : 0),
      };
      const panels = [timePanel(ecg, place)];
      if (previous && state.compare !== "off") {
        const moved = beneath ? { top: place.bottom, bottom: place.bottom + rowHeight } : { over: true };
        const t0 = place.t0 - (beneath ? 0 : shift(ecg, previous, place.t0, each));
        panels.push(timePanel(previous, { ...place, ...moved, t0, ink: "previous" }));
      }
      for (const group of beneath ? panels.map((panel) => [panel]) : [panels])
        sheet.panels.push(...settled(group, sheet));
    });
    for (const top of beneath ? [row * step, row * step + rowHeight] : [row * step])
      sheet.pulses.push(pulse(top + rowHeight / 2, sheet));
  });
  return sheet;
}

/** Before time zero on a row's baseline, lower only where the sheet's edge would cut it. */
export function pulse(y, { speed, gain }) {
  return { x: zeroOf(speed) - 5 - PULSE_S * speed, y: Math.max(y, gain + 1) };
}

/** The corners of a calibration pulse: one millivolt for 0.2 s. */
export function pulsePoints({ x, y }, { speed, gain }) {
  const width = PULSE_S * speed;
  return [
    [x, y],
    [x + FOOT, y],
    [x + FOOT, y - gain],
    [x + FOOT + width, y - gain],
    [x + FOOT + width, y],
    [x + 2 * FOOT + width, y],
  ];
}

export const panelX = (panel, t, sheet) => panel.x + (t - panel.t0) * sheet.speed;
export const panelY = (panel, mv, sheet) => panel.y - panel.lift - (mv - panel.level) * sheet.gain;

/** By how much the previous recording's time is ahead, so that a beat lies over the panel's first one. */
function shift(ecg, previous, t0, seconds) {
  const usual = (one) => one.about.beats.filter((beat) => beat.usual).map((beat) => beat.at_s);
  const first = usual(ecg).find((at) => at >= t0 && at < t0 + seconds);
  const theirs = usual(previous);
  if (first === undefined || !theirs.length) return 0;
  return first - theirs.reduce((best, at) => (Math.abs(at - first) < Math.abs(best - first) ? at : best));
}

function timePanel(ecg, place) {
  const { values, level } = ecg.leads.get(place.lead);
  const first = Math.max(0, Math.ceil(place.t0 * ecg.rate - 1e-6));
  const last = Math.min(values.length - 1, Math.round((place.t0 + place.seconds) * ecg.rate)); // reaches the next panel
  const panel = { ...place, values, level, rate: ecg.rate, first, last, offset: 0 };
  const missing = ecg.about.missing.includes(place.lead);
  const notes = [
    place.ink === "previous" && "previous",
    ecg.about.derived.includes(place.lead) && "derived",
    ecg.about.flat.includes(place.lead) && "flat",
    missing && "not recorded",
  ];
  const empty = missing || first < values.length ? "not recorded" : "recording ended";
  return { ...panel, empty, notes: notes.filter(Boolean), gaps: place.over ? [] : gapsOf(panel) };
}

/**
 * Panels of one place: within the row if they fit there, else across the rows. They are moved as a whole and together,
 * which leaves shapes, sizes and the distance between them alone. `empty` stays where a panel has no sample.
 */
export function settled(panels, sheet) {
  const ranges = panels.map((panel) => heights(panel, sheet.gain));
  const low = Math.min(...ranges.map((range) => range[0]));
  const high = Math.max(...ranges.map((range) => range[1]));
  const { top, bottom } = panels[0];
  const y = (top + bottom) / 2;
  let [ceiling, floor] = [top + MARGIN, bottom - MARGIN];
  if (high - low > floor - ceiling) [ceiling, floor] = [0, sheet.height];
  const lift = high === -Infinity ? 0 : Math.max(0, y - low - floor) - Math.max(0, ceiling - (y - high));
  return panels.map((panel, i) => ({
    ...panel,
    y,
    lift,
    empty: ranges[i][1] === -Infinity ? panel.empty : "",
    cut: high - low > floor - ceiling,
  }));
}

/** The lowest and the highest sample, mm from the level; an empty range without samples. */
function heights(panel, gain) {
  let [low, high] = [Infinity, -Infinity];
  for (let i = panel.first; i <= panel.last; i++) {
    const height = (panel.values[i] - panel.level) * gain;
    if (height < low) low = height;
    if (height > high) high = height;
  }
  return [low, high];
}

/** Stretches of the panel that were not recorded, before, between and after the samples; [[from, to]] in s. */
function gapsOf({ values, rate, first, last, t0, seconds }) {
  const gaps = [];
  let from = t0;
  for (let i = first; i <= last; i++) {
    if (!Number.isFinite(values[i])) continue;
    if (i / rate - from > 1.5 / rate) gaps.push([from, i / rate]);
    from = i / rate;
  }
  if (t0 + seconds - from > 1.5 / rate) gaps.push([from, t0 + seconds]);
  return gaps;
}
