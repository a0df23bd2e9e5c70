/* Below the text: the sentences that were not read, by their own words, and what that means for them. They are hatched in the
   text, too, where a screen reader could not tell them. */

import { byId, make } from "../api.js";

const MEANING = "It stays text only: no FHIR code is exported for it, and no critical finding is taken from it.";

/** The sentences of a checked text that were not read, in quotes. */
export function notRead(checked) {
  return (checked?.not_read ?? []).map((one) => ({ ...one, text: checked.text.slice(one.start, one.end) }));
}

export class NotRead {
  constructor(area) {
    this.area = area;
    this.element = byId("not-read");
  }

  show(checked) {
    const sentences = notRead(checked);
    const words = sentences.map((one) => `${one.start} ${one.text}`).join("\n");
    if (words === this.words) return; // so that it is said once, and a button keeps the focus
    this.words = words;
    this.element.hidden = !sentences.length;
    this.element.replaceChildren(
      ...sentences.map((one) => make("p", {},
        make("strong", {}, "Not read: "),
        make("button", { type: "button", class: "quoted", title: "Select it in the text", onclick: () => this.select(one.text) }, `“${one.text}”`),
        one.words.length && one.words.join(" ") !== one.text ? ` (${one.words.join(", ")})` : "")),
      sentences.length ? make("p", { class: "quiet" }, MEANING) : "",
    );
  }

  /** Where it is by now. */
  select(sentence) {
    const at = this.area.value.indexOf(sentence);
    this.area.focus();
    if (at >= 0) this.area.setSelectionRange(at, at + sentence.length);
  }
}
