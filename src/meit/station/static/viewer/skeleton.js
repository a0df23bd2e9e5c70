/* The viewer's elements: head, sheet, foot, table, and what is said to those who do not see them. */

import { make } from "./dom.js";

const STAGE = "ECG sheet. Arrow keys move it, plus and minus zoom, question mark lists all keys";

export function skeleton() {
  const canvas = make("canvas", { class: "ecg-canvas", role: "img", "aria-label": "ECG, not loaded yet" });
  const overlay = make("canvas", { class: "ecg-canvas", "aria-hidden": "true" });
  const stage = make("div", { class: "ecg-stage", tabindex: "0", role: "group", "aria-label": STAGE }, canvas, overlay);
  const title = make("strong");
  const patient = make("span");
  const length = make("span", { class: "ecg-right" });
  const notes = make("div", { class: "ecg-notes" });
  const scale = make("span", { class: "ecg-scale" });
  const zoomed = make("span", { class: "ecg-right" });
  const table = make("div", {
    class: "ecg-table",
    tabindex: "0",
    role: "region",
    "aria-label": "Measurements",
    hidden: true,
  });
  const live = make("div", { class: "ecg-live", role: "status", "aria-live": "polite" });
  const head = make("div", { class: "ecg-head" }, title, patient, length);
  const foot = make("div", { class: "ecg-foot" }, scale, zoomed);
  const root = make("div", { class: "ecg-viewer" }, head, notes, stage, foot, table, live);
  return { root, canvas, overlay, stage, title, patient, length, notes, scale, zoomed, table, live };
}
