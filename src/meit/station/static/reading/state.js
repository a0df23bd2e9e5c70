/* What is above the findings: critical ones, the recording's quality, or why there is no draft. */

import { byId, make } from "../api.js";

const NO_DRAFT = {
  queued: "Waiting to be drafted.",
  drafting: "Being drafted …",
  failed: "No draft could be made.",
};

export function showState({ known, data }) {
  const { draft, status, critical, error } = known;
  const lines = [];
  if (data.mode === "study") lines.push(make("p", { class: "note" }, data.task));
  if (critical?.length) lines.push(make("p", { class: "alarm" }, make("strong", {}, "Critical: "), critical.join(", ")));
  if (!draft && NO_DRAFT[status]) lines.push(make("p", { class: "note" }, NO_DRAFT[status]));
  if (!draft && error) lines.push(make("p", { class: "alarm" }, error));
  if (draft && !draft.report) lines.push(make("p", { class: "note" }, draft.note));
  if (draft?.verdict && draft.verdict !== "good") {
    lines.push(make("p", { class: "note" }, `Signal quality: ${draft.verdict}`));
  }
  byId("state").replaceChildren(...lines);
  byId("again").hidden = !(status === "failed" && data.may_sign);
  const about = draft ? [draft.by, ...draft.limits] : [];
  if (draft?.measured.length) about.unshift(`Measured: ${draft.measured.join(", ")}.`);
  byId("about").textContent = about.join(" ");
  const versions = byId("versions");
  versions.hidden = !known.versions.length;
  versions.querySelector("ol").replaceChildren(...known.versions.map((one) => version(one, data)));
}

function version(one, data) {
  const when = new Date(one.signed_at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  return make(
    "li",
    { value: one.number },
    make("p", {}, make("strong", {}, one.signer), `, ${one.profession}, ${when}`),
    one.reason ? make("p", { class: "quiet" }, `Amended: ${one.reason}`) : null,
    make("p", { class: "signed-text" }, one.text),
    make("p", {}, make("a", { href: `${data.api}/report.pdf?version=${one.number}` }, "PDF of this version")),
    make("p", { class: "quiet anchor" }, one.anchor),
  );
}
