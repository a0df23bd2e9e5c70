/* What stands behind the text: a copy of it, unseen but for the underlines of contradicted statements, the hatching of
   sentences that were not read, and the words of the statement that is pointed at. A textarea cannot mark its words itself. */

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
    const statements = (start, end) => marked(value, start, end, checked.statements, same, (one, words) => {
      const kind = [one.support === "contradicted" && "contradicted", one === pointed && "pointed"].filter(Boolean).join(" ");
      return [kind ? make("mark", { class: kind }, words) : words];
    }, (from, to) => [value.slice(from, to)]);
    const parts = marked(value, 0, value.length, checked.not_read, same, (sentence) =>
      [make("mark", { class: "not-read" }, ...statements(sentence.start, sentence.end))], statements);
    this.copy.replaceChildren(...parts, "\n");
    this.follow();
  }

  follow() {
    this.copy.style.height = `${this.area.offsetHeight}px`;
    this.copy.style.width = `${this.area.clientWidth + 2}px`; // without a scroll bar
    this.copy.scrollTop = this.area.scrollTop;
  }
}

/** The text from start to end: what each of the ranges in it is made into, and what is made of the text between them. */
function marked(value, start, end, ranges, same, mark, plain) {
  const parts = [];
  let at = start;
  for (const one of [...ranges].sort((a, b) => a.start - b.start)) {
    if (one.start < at || one.end > Math.min(same, end)) continue;
    parts.push(...plain(at, one.start), ...mark(one, value.slice(one.start, one.end)));
    at = one.end;
  }
  return [...parts, ...plain(at, end)];
}

function prefix(one, other) {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return length;
}
