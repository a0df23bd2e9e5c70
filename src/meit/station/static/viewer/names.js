/* The leads' names, as buttons over the canvas: one click highlights a lead, a second shows it alone. */

import { escape } from "./commands.js";
import { make, place } from "./dom.js";

const LEFT = 1.2,
  TOP = 0.6; // mm from the panel's corner

export class Names {
  constructor(viewer) {
    this.viewer = viewer;
    this.element = make("div", { class: "ecg-names" });
    viewer.stage.append(this.element);
  }

  /** After the sheet was laid out anew; a name that has the focus keeps it. */
  build() {
    const { sheet, state } = this.viewer;
    const focused = document.activeElement?.closest?.(".ecg-name")?.dataset.at;
    this.panels = sheet.panels.filter(
      (panel) => !panel.over && (!panel.together || panel === sheet.panels.find((one) => one.together)),
    );
    this.labels = this.panels.map((panel) =>
      panel.together ? make("span", { class: "ecg-name" }, "all leads") : this.button(panel, state),
    );
    this.element.replaceChildren(...this.labels);
    this.labels.find((label) => focused && label.dataset.at === focused)?.focus({ preventScroll: true });
  }

  button(panel, state) {
    const { viewer } = this;
    const extra = panel.notes.filter((note) => note !== "not recorded").join(", ");
    const button = make(
      "button",
      {
        type: "button",
        class: "ecg-name",
        "data-at": `${panel.lead} ${panel.row} ${panel.ink}`,
        "aria-pressed": String(state.lead === panel.lead),
        "aria-label": ["Lead", panel.lead, ...panel.notes].join(" "),
        title: "Highlight; again: show it alone",
        onclick: () => {
          const again = viewer.state.lead === panel.lead;
          if (again && viewer.state.layout === "lead") escape(viewer);
          else viewer.show(again ? { layout: "lead" } : { lead: panel.lead });
        },
      },
      panel.lead,
      extra && make("small", {}, ` ${extra}`),
    );
    button.addEventListener("focus", () => {
      if (!button.matches(":focus-visible")) return;
      viewer.view.reveal(viewer.sheet, { x0: panel.x, x1: panel.x + 20, y0: panel.top, y1: panel.bottom });
      viewer.moved();
    });
    return button;
  }

  place() {
    const { view } = this.viewer;
    this.panels.forEach((panel, i) => {
      const right = view.toX(panel.x + panel.width) - 24;
      const x = Math.min(Math.max(view.toX(panel.x + LEFT), 4), right); // stays while part of its lead is seen
      place(this.labels[i], x, view.toY(panel.top + TOP));
    });
  }

  /** The same for paper: [{at, from, what, centre}] in mm. */
  printed(panel) {
    if (!this.panels.includes(panel)) return [];
    const notes = panel.notes.filter((note) => note !== "not recorded");
    const name = panel.together
      ? "all leads"
      : [panel.lead, notes.length && `(${notes.join(", ")})`].filter(Boolean).join(" ");
    const words = [{ at: panel.x + 1.5, from: panel.top + 4.5, what: name }];
    for (const [from, to] of panel.empty ? [] : panel.gaps) {
      const speed = this.viewer.sheet.speed;
      if ((to - from) * speed > 20)
        words.push({
          at: panel.x + ((from + to) / 2 - panel.t0) * speed,
          from: panel.y,
          what: "not recorded",
          centre: true,
        });
    }
    if (panel.empty) words.push({ at: panel.x + panel.width / 2, from: panel.y, what: panel.empty, centre: true });
    return words;
  }
}
