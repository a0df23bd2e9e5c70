/* What the viewer says in words: above and below the sheet, in the table, and for those who do not see the canvas. */

import { make } from "./dom.js";

const SHOWN = ["heart_rate_bpm", "pr_ms", "qrs_ms", "qt_ms", "qtc_ms", "axis_deg"];

/** "10 days", "18 months", "63 years", as drafts have it. */
function ageWords(years) {
  const days = Math.round(years * 365.25);
  if (years * 365.25 < 61) return `${days} ${days === 1 ? "day" : "days"}`;
  return years < 3 ? `${Math.round(years * 12)} months` : `${Math.floor(years)} years`;
}

export function aboutPatient({ patient }) {
  const known = [
    patient.id && `Patient ${patient.id}`,
    { F: "female", M: "male" }[patient.sex],
    patient.age !== null && ageWords(patient.age),
  ].filter(Boolean);
  return known.join(", ") || "patient not stated";
}

export function stretch({ ecg, state, sheet }) {
  const { about } = ecg;
  const whole = `${Number(about.seconds.toPrecision(4))} s`;
  if (sheet.kind === "beat") return `${whole}, ${about.rate_hz} Hz`;
  const to = Math.min(state.start + about.sheet_seconds, about.seconds);
  return `${Number(state.start.toPrecision(6))}–${Number(to.toPrecision(4))} s of ${whole}, ${about.rate_hz} Hz`;
}

/** Scale and the filter in force, which stand on every sheet. */
export function scaleWords({ ecg, state, sheet }) {
  const filter = sheet.kind === "beat" ? (ecg.about.median_beat.note ?? sheet.why) : ecg.filter;
  return `${state.speed} mm/s · ${state.gain} mm/mV · ${filter}`;
}

/** Leads that are taller than the sheet. */
const cutLeads = (sheet) => [...new Set(sheet.panels.filter((panel) => panel.cut).map((panel) => panel.lead))];

export function notes({ ecg, previous, state, sheet }) {
  const found = [...ecg.about.warnings];
  const cut = cutLeads(sheet);
  if (cut.length) found.push(`taller than the sheet and cut: ${cut.join(", ")}`);
  const shown = ecg.about.samples / ecg.about.rate_hz;
  if (shown < ecg.about.seconds - 0.01) found.push(`only the first ${Math.round(shown)} s can be shown here`);
  return found;
}

/** Which ink the previous recording has; "" where it is not shown. */
export function previousWords({ ecg, previous, state, sheet }) {
  if (!previous || state.compare === "off") return "";
  const when = previous.about.start ? previous.about.start.slice(0, 16) : previous.about.name;
  const filter = sheet.kind === "time" && previous.filter !== ecg.filter ? `; ${previous.filter}` : "";
  const how = { beat: "QRS onset over QRS onset", over: "moved so that a beat lies over the first one of each panel" };
  const moved = sheet.kind === "beat" ? how.beat : how[state.compare];
  return `Blue: previous ECG, ${when}${moved ? `; ${moved}` : ""}${filter}`;
}

/** For the canvas: what a sighted reader takes in at once. */
export function description({ ecg, state, sheet }) {
  const title =
    ecg.about.layouts.find((one) => one.name === state.layout)?.title ??
    (state.layout === "beat" ? "median beat" : `lead ${state.lead}`);
  const measured = SHOWN.map((name) => ecg.about.measurements.find((row) => row.name === name))
    .filter((row) => row?.text)
    .map((row) => `${row.title} ${row.text}`);
  const missing = ecg.about.missing.length ? ` Not recorded: ${ecg.about.missing.join(", ")}.` : "";
  const scale = scaleWords({ ecg, state, sheet }).replaceAll(" ·", ",");
  const values = measured.join(", ") || "Nothing measured";
  return `12-lead ECG, ${title}, ${scale}. ${values}.${missing} The table of measurements follows.`;
}

/** Measurements of both recordings, side by side. */
export function measurementsTable(ecg, previous) {
  const head = ["Measurement", "Value", previous && "Previous", "Reliability"].filter(Boolean);
  const rows = ecg.about.measurements.map((row) => {
    const cells = [make("td", { class: row.text ? "" : "ecg-absent" }, row.text || row.why)];
    if (previous) cells.push(make("td", {}, previous.measured(row.name) || "–"));
    cells.push(make("td", {}, row.text ? row.reliability.toFixed(2) : "–"));
    return make("tr", {}, make("th", { scope: "row", title: row.words }, row.title), ...cells);
  });
  return make(
    "table",
    {},
    make("caption", {}, "Measurements"),
    make("thead", {}, make("tr", {}, ...head.map((title) => make("th", { scope: "col" }, title)))),
    make("tbody", {}, ...rows),
  );
}

/** Amplitudes of the median beat, lead by lead. */
export function leadsTable(ecg) {
  const { columns, rows } = ecg.about.by_lead;
  const head = columns.map(({ title, words }) => make("th", { scope: "col", title: words }, title));
  const body = Object.entries(rows).map(([lead, texts]) =>
    make("tr", {}, make("th", { scope: "row" }, lead), ...texts.map((text) => make("td", {}, text || "–"))),
  );
  return make(
    "table",
    {},
    make("caption", {}, "Median beat, by lead"),
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Lead"), ...head)),
    make("tbody", {}, ...body),
  );
}
