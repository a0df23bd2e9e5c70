/* Keys of the page; those of the viewer work while it has the focus, and stand in its own list. */

import { byId, make } from "../api.js";

export function keys(page) {
  const list = [
    ["F", "next finding, and its place on the tracing (Shift+F: back)", (event) => page.findings.step(event.shiftKey)],
    ["E", "to the ECG, whose own keys are behind ? there; Escape comes back", () => byId("viewer").querySelector(".ecg-stage")?.focus()],
    ["T", "to the text", () => byId("text").focus()],
    ["S", "sign", () => byId("sign").disabled || byId("sign").click()],
    ["X", "export", () => {
      byId("exports").open = true;
      byId("exports").querySelector("a")?.focus();
    }],
    ["N", "next recording", () => page.steps.go(1)],
    ["P", "previous recording", () => page.steps.go(-1)],
    ["W", "back to the worklist", () => page.steps.leave("/")],
    ["?", "these keys", () => open(list)],
  ];
  let resting = false; // the viewer had nothing that Escape would end
  const seen = (event) => {
    const { viewer } = page;
    const within = event.target.closest(".ecg-viewer") && !event.target.closest("dialog");
    resting = Boolean(within) && viewer.tool === "pan" && viewer.state.lead === null;
  };
  document.addEventListener("keydown", seen, { capture: true });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.id === "text" && !event.defaultPrevented) event.target.blur();
    if (event.altKey && ["ArrowLeft", "ArrowRight"].includes(event.key)) {
      event.preventDefault();
      return page.steps.go(event.key === "ArrowRight" ? 1 : -1);
    }
    if (event.key === "Escape" && resting) byId("panel").querySelector("[data-chip], textarea")?.focus();
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.matches("input, textarea, select") || event.target.closest(".ecg-viewer, dialog")) return;
    const found = list.find(([key]) => key === event.key.toUpperCase());
    if (!found) return;
    event.preventDefault();
    found[2](event);
  });
}

function open(list) {
  const box = byId("keys");
  const rows = list.map(([key, what]) => make("tr", {}, make("th", { scope: "row" }, make("kbd", {}, key)), make("td", {}, what)));
  box.replaceChildren(
    make("h2", { id: "keys-title" }, "Keys"),
    make("table", {}, make("tbody", {}, ...rows)),
    make("form", { method: "dialog" }, make("button", { class: "main" }, "Close")),
  );
  box.showModal();
}
