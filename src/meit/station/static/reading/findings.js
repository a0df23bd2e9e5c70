/* The statements of the text as chips: pointing at one shows its evidence and marks its place on the tracing and its words. */

import { byId, make } from "../api.js";

const MARKS = { measured: "✓", contradicted: "!", unchecked: "?" };
const SAID = {
  measured: "measured",
  contradicted: "contradicted by the measurements",
  unchecked: "nothing measured can check it",
};
const DOUBTED = 0.5; // of the calibrated confidence: below it a statement is wrong more often than right

export class Findings {
  constructor(page) {
    this.page = page;
    this.element = byId("findings");
    this.pinned = null; // the key of a chip that was clicked
  }

  show() {
    const { known } = this.page;
    const checked = known.checked;
    if (!checked) {
      this.element.replaceChildren();
      return;
    }
    const focused = document.activeElement?.dataset?.chip;
    this.shown = new Map();
    const chips = checked.statements.map((one) => this.chip(one));
    const missing = checked.unmentioned.map((one) => this.missing(one));
    const warnings = (known.draft?.warnings ?? []).filter((words) => !/^(contradicted|not mentioned|removed):/.test(words));
    this.hint = chips.length + missing.length ? "Point at a finding to see why, and where." : "No statement is read from this text.";
    this.evidence = make("p", { class: "evidence", id: "evidence", role: "status" });
    this.element.replaceChildren(...[
      make("div", { class: "heading" }, make("h2", {}, "Findings"), make("span", { class: "quiet" }, legend(checked))),
      chips.length && make("div", { class: "chips", role: "list", "aria-label": "Of the text" }, ...chips),
      missing.length && make("h3", {}, "Measured, not mentioned"),
      missing.length && make("div", { class: "chips", role: "list", "aria-label": "Not mentioned" }, ...missing),
      this.evidence,
      ...warnings.map((words) => make("p", { class: "note capital" }, words)),
    ].filter(Boolean));
    if (!this.shown.has(this.pinned)) this.pinned = null;
    this.rest();
    this.element.querySelector(`[data-chip="${CSS.escape(focused ?? "")}"]`)?.focus();
  }

  chip(one) {
    const key = this.key(one.words);
    const sure = one.confidence === null ? "" : `${Math.round(100 * one.confidence)} %`;
    const doubted = one.confidence !== null && one.confidence < DOUBTED;
    const said = sure ? `, confidence ${sure}${doubted ? ": more likely wrong than right" : ""}` : "";
    const children = [
      make("span", { class: "mark", "aria-hidden": "true" }, MARKS[one.support]),
      make("span", {}, one.words),
      sure && make("span", { class: doubted ? "sure doubted" : "sure", "aria-hidden": "true" }, sure),
      make("span", { class: "unseen" }, `, ${SAID[one.support]}${said}`),
    ];
    return this.button(key, `chip ${one.support}`, one, [one.evidence || SAID[one.support], one.worth].filter(Boolean).join("; "), children, () => {
      this.pinned = this.pinned === key ? null : key;
      this.mark(key, this.pinned !== null);
    });
  }

  missing(one) {
    const key = this.key(one.says);
    const children = [make("span", { class: "mark", "aria-hidden": "true" }, "+"), make("span", {}, one.words)];
    const words = `Not mentioned. Press to write: ${one.says}`;
    return this.button(key, "chip missing", one, words, children, () => this.page.editor.add(one.says));
  }

  /** Of its words, so that it stays the same while the text around it changes. */
  key(words) {
    let key = words;
    for (let more = 2; this.shown.has(key); more += 1) key = `${words} ${more}`;
    this.shown.set(key, null);
    return key;
  }

  button(key, kind, one, words, children, act) {
    const show = () => this.point(key);
    const hide = () => this.rest();
    const element = make(
      "button",
      {
        type: "button", class: kind, "data-chip": key, "aria-describedby": "evidence",
        onmouseenter: show, onmouseleave: hide, onfocus: show, onblur: hide, onclick: act,
      },
      ...children,
    );
    this.shown.set(key, { one, words, kind: kind.split(" ")[1], element });
    this.mark(key, this.pinned === key);
    return make("div", { role: "listitem" }, element);
  }

  mark(key, pinned) {
    for (const [name, found] of this.shown) {
      if (found && found.kind !== "missing") found.element.setAttribute("aria-pressed", String(pinned && name === key));
    }
  }

  point(key) {
    const { one, words, kind } = this.shown.get(key);
    this.evidence.textContent = words;
    this.evidence.className = `evidence ${kind}`;
    const { viewer, editor } = this.page;
    editor.under.show(this.page.known.checked, one);
    if (!viewer?.ecg) return;
    viewer.clear();
    one.places.forEach((place, at) => viewer.mark(place.leads, place.from, place.to, at ? "" : one.words));
  }

  /** What is pinned, else nothing. */
  rest() {
    if (this.pinned !== null) return this.point(this.pinned);
    this.evidence.textContent = this.hint;
    this.evidence.className = "evidence";
    this.page.editor.under.show(this.page.known.checked, null);
    this.page.viewer?.clear();
  }

  /** To the next chip by key. */
  step(back) {
    const chips = [...this.element.querySelectorAll("[data-chip]")];
    const at = chips.indexOf(document.activeElement);
    chips.at(back ? (at <= 0 ? -1 : at - 1) : (at + 1) % chips.length)?.focus();
  }
}

function legend({ statements, contradicted }) {
  // those not mentioned have a heading of their own
  const count = (support) => statements.filter((one) => one.support === support).length;
  return [
    count("measured") && `${count("measured")} measured`,
    count("unchecked") && `${count("unchecked")} unchecked`,
    contradicted.length && `${contradicted.length} contradicted`,
  ].filter(Boolean).join(", ");
}
