/* What stands behind the text: a copy of it, unseen but for the underlines of contradicted statements and the words of the
   one that is pointed at. A textarea cannot mark its words itself. */

import { make } from "../api.js";

export class Underline {
  constructor(area) {
    this.area = area;
    this.copy = make("div", { class: "under", "aria-hidden": "true" });
    area.before(this.copy);
    area.addEventListener("scroll", () => this.follow());
    new ResizeObserver(() => this.follow()).observe(area);
  }

  /** checked: statements with start, end and support, and the text that they were read from: what has been typed since may
      have moved all behind it. pointed: one of them, or null. */
  show(checked, pointed) {
    const { value } = this.area;
    const same = prefix(checked.text, value);
    const parts = [];
    let at = 0;
    for (const one of [...checked.statements].sort((a, b) => a.start - b.start)) {
      if (one.start < at || one.end > same) continue;
      const words = value.slice(one.start, one.end);
      const kind = [one.support === "contradicted" && "contradicted", one === pointed && "pointed"].filter(Boolean).join(" ");
      parts.push(value.slice(at, one.start), kind ? make("mark", { class: kind }, words) : words);
      at = one.end;
    }
    this.copy.replaceChildren(...parts, `${value.slice(at)}\n`);
    this.follow();
  }

  follow() {
    this.copy.style.height = `${this.area.offsetHeight}px`;
    this.copy.style.width = `${this.area.clientWidth + 2}px`; // without a scroll bar
    this.copy.scrollTop = this.area.scrollTop;
  }
}

function prefix(one, other) {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return length;
}
