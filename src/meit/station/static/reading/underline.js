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

  /** statements: with start, end and support; pointed: one of them, or null. They may be those of an older text. */
  show(statements, pointed) {
    const text = this.area.value;
    const parts = [];
    let at = 0;
    for (const one of [...statements].sort((a, b) => a.start - b.start)) {
      if (one.start < at || one.end > text.length) continue;
      parts.push(text.slice(at, one.start));
      const kind = [one.support === "contradicted" && "contradicted", one === pointed && "pointed"].filter(Boolean).join(" ");
      parts.push(kind ? make("mark", { class: kind }, text.slice(one.start, one.end)) : text.slice(one.start, one.end));
      at = one.end;
    }
    this.copy.replaceChildren(...parts, `${text.slice(at)}\n`);
    this.follow();
  }

  follow() {
    this.copy.style.height = `${this.area.offsetHeight}px`;
    this.copy.style.width = `${this.area.clientWidth + 2}px`; // without a scroll bar
    this.copy.scrollTop = this.area.scrollTop;
  }
}
