/* What is above the findings: whether it is signed, what is critical, the measurements, or why there is no draft; and below
   them what was signed. */

import { byId, make } from "../api.js";

const NO_DRAFT = {
  queued: "Waiting to be drafted.",
  drafting: "Being drafted …",
  failed: "No draft could be made.",
};
const NAMES = { rate: "Rate", axis: "Axis" };

export function showState(page) {
  const { known, data } = page;
  const { draft, status, critical, error, previous } = known;
  byId("state").replaceChildren(...[
    data.mode === "study" && make("p", { class: "note" }, data.task),
    page.signed && signedLine(page),
    critical?.length && make("p", { class: "alarm" }, make("strong", {}, "Critical: "), critical.join(", ")),
    !draft && NO_DRAFT[status] && make("p", { class: "note" }, NO_DRAFT[status]),
    !draft && error && make("p", { class: "alarm" }, error),
    draft && !draft.report && make("p", { class: "note" }, draft.note),
    draft && measured(draft),
    previous && earlier(previous),
  ].filter(Boolean));
  byId("again").hidden = !(status === "failed" && data.may_sign);
  byId("about").textContent = draft ? [draft.by, ...draft.limits].join(" ") : "";
  const kind = byId("export-kind");
  if (kind) kind.textContent = page.signed ? `Signed, version ${page.signed.number}` : "A draft, and marked as one";
  const versions = byId("versions");
  versions.hidden = !known.versions.length;
  versions.querySelector("ol").replaceChildren(...known.versions.map((one) => version(one, data)));
}

function moment(text) {
  return new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

function signedLine(page) {
  const { signed } = page;
  const words = signed.reason ? "Amended and signed" : "Signed";
  return make(
    "div",
    { class: "signed-line" },
    make("p", {}, make("strong", {}, `✓ ${words} by ${signed.signer}`), make("br"), moment(signed.signed_at)),
    page.steps.can(1) && make("button", { type: "button", id: "onward", onclick: () => page.steps.go(1) }, "Next recording →"),
  );
}

/** "QRS 146 ms", "axis -29 degrees (unsure)" (meit.drafting.draft.SHOWN) as cells; and the quality of the signal. */
function measured({ measured, verdict }) {
  const cells = measured.map((words) => {
    const [, name, sign, number, unit, unsure] = /^(\S+) (-?)(\d+) ?(\S+)( \(unsure\))?$/.exec(words);
    const value = `${sign && "−"}${number}${unit === "degrees" ? "°" : ""}${unsure ? "?" : ""}`;
    return cell(NAMES[name] ?? name, value, unit === "degrees" ? "" : unit, unsure ? "measured with doubt" : "");
  });
  if (verdict) cells.push(cell("Quality", verdict, "", "of the signal", verdict === "good" ? "" : "doubt"));
  return make("dl", { class: "measures", "aria-label": "Measured" }, ...cells);
}

function cell(name, value, unit, title, kind = "") {
  const said = make("dd", {}, value, unit && make("span", {}, unit));
  return make("div", { class: kind, title: title || null }, make("dt", {}, name), said);
}

function earlier({ id, acquired_at, report }) {
  return make(
    "p",
    { class: "earlier" },
    make("a", { href: `/recordings/${id}` }, "Previous ECG"),
    acquired_at ? `, ${acquired_at.slice(0, 10)}` : "",
    report ? `: ${report}` : ", not signed",
  );
}

function version(one, data) {
  return make(
    "li",
    { value: one.number },
    make("p", {}, make("strong", {}, one.signer), `, ${one.profession}, ${moment(one.signed_at)}`),
    one.reason ? make("p", { class: "quiet" }, `Amended: ${one.reason}`) : null,
    make("p", { class: "signed-text" }, one.text),
    make("p", {}, make("a", { href: `${data.api}/report.pdf?version=${one.number}` }, "PDF of this version")),
    make("p", { class: "quiet anchor" }, one.anchor),
  );
}
