/* The statements of the text as chips: pointing at one shows its evidence and marks its place on the tracing. */

import { byId, make } from "../api.js";

const MARKS = { measured: "✓", contradicted: "!", unchecked: "?" };
const SAID = {
  measured: "measured",
  contradicted: "contradicted by the measurements",
  unchecked: "nothing measured can check it",
};

export class Findings {
  constructor(page) {
    this.page = page;
    this.element = byId("findings");
    this.pinned = null;
  }

  show() {
    const { known } = this.page;
    const checked = known.checked;
    if (!checked) {
      this.element.replaceChildren();
      return;
    }
    const focused = document.activeElement?.dataset?.chip;
    const chips = checked.statements.map((one, place) => this.chip(one, place));
    const missing = checked.unmentioned.map((one, place) => this.missing(one, place));
    const warnings = (known.draft?.warnings ?? []).filter((words) => !/^(contradicted|not mentioned|removed):/.test(words));
    this.hint = chips.length + missing.length ? "Point at a finding to see why, and where." : "No statement is read from this text.";
    this.evidence = make("p", { class: "evidence", id: "evidence", role: "status" }, this.hint);
    const unread = checked.unread.length ? `Not read as a statement: ${checked.unread.join(", ")}` : "";
    this.element.replaceChildren(...[
      make("div", { class: "heading" }, make("h2", {}, "Findings"), make("span", { class: "quiet" }, legend(checked))),
      make("div", { class: "chips", role: "list" }, ...chips),
      ...(missing.length ? [make("h3", {}, "Measured, not mentioned"), make("div", { class: "chips", role: "list" }, ...missing)] : []),
      this.evidence,
      unread && make("p", { class: "quiet" }, unread),
      ...warnings.map((words) => make("p", { class: "note" }, words)),
    ].filter(Boolean));
    this.element.querySelector(`[data-chip="${CSS.escape(focused ?? "")}"]`)?.focus();
  }

  chip(one, place) {
    const sure = one.confidence === null ? "" : `${Math.round(100 * one.confidence)} %`;
    return this.button(`said ${place}`, `chip ${one.support}`, one, one.evidence || SAID[one.support], [
      make("span", { class: "mark", "aria-hidden": "true" }, MARKS[one.support]),
      one.words,
      sure && make("span", { class: "sure" }, sure),
      make("span", { class: "unseen" }, `, ${SAID[one.support]}`),
    ]);
  }

  missing(one, place) {
    return this.button(`missing ${place}`, "chip missing", one, `Not mentioned: ${one.words}`, [
      make("span", { class: "mark", "aria-hidden": "true" }, "+"),
      one.words,
    ]);
  }

  button(key, kind, one, words, children) {
    const show = () => this.point(one, words, kind);
    const hide = () => this.pinned !== key && this.rest();
    const element = make(
      "button",
      {
        type: "button", class: kind, "data-chip": key, "aria-describedby": "evidence",
        onmouseenter: show, onmouseleave: hide, onfocus: show, onblur: hide,
        onclick: () => {
          this.pinned = this.pinned === key ? null : key;
          show();
          if (one.start !== undefined) this.page.editor.select(one.start, one.end);
        },
      },
      ...children,
    );
    return make("div", { role: "listitem" }, element);
  }

  point(one, words, kind) {
    this.evidence.textContent = words;
    this.evidence.className = `evidence ${kind.split(" ")[1]}`;
    const { viewer } = this.page;
    if (!viewer?.ecg) return;
    viewer.clear();
    one.places.forEach((place, at) => viewer.mark(place.leads, place.from, place.to, at ? "" : (one.words ?? words)));
  }

  rest() {
    this.evidence.textContent = this.hint;
    this.evidence.className = "evidence";
    this.page.viewer?.clear();
  }

  /** To the next chip by key. */
  step(back) {
    const chips = [...this.element.querySelectorAll("[data-chip]")];
    const at = chips.indexOf(document.activeElement);
    chips.at(back ? (at <= 0 ? -1 : at - 1) : (at + 1) % chips.length)?.focus();
  }
}

function legend({ statements, contradicted, unmentioned }) {
  const count = (support) => statements.filter((one) => one.support === support).length;
  return [
    count("measured") && `${count("measured")} measured`,
    count("unchecked") && `${count("unchecked")} unchecked`,
    contradicted.length && `${contradicted.length} contradicted`,
    unmentioned.length && `${unmentioned.length} not mentioned`,
  ].filter(Boolean).join(", ");
}
