/* Every control of the viewer: its words, its key, what it does. Buttons, keys and the list of keys are made from here. */

import { escape, nextLead, pagesOf, toggleCalipers, toggleTable, turnPage } from "./commands.js";
import { make } from "./dom.js";
import { GAINS, SPEEDS } from "./sheet.js";

const PAN = 60; // CSS pixels an arrow key moves the sheet

/** One of several is pressed; the key goes to the next, with Shift to the one before. */
export const CHOICES = [
  {
    state: "layout",
    label: "Layout",
    key: "y",
    options: ({ ecg }) => [
      ...ecg.about.layouts.map(({ name, title }) => ({ value: name, text: title })),
      { value: "lead", text: "One lead" },
      { value: "beat", text: "Median beat" },
    ],
    digits: true, // 1, 2, 3 choose at once
  },
  { state: "speed", label: "mm/s", key: "s", options: () => SPEEDS.map((value) => ({ value, text: String(value) })) },
  { state: "gain", label: "mm/mV", key: "a", options: () => GAINS.map((value) => ({ value, text: String(value) })) },
  { state: "band", label: "Filter", key: "f", options: ({ ecg }) => ecg.about.filters.bands.map(shortened) },
  { state: "mains", label: "Mains", key: "n", options: ({ ecg }) => ecg.about.filters.mains.map(shortened) },
  {
    state: "compare",
    label: "Previous",
    key: "v",
    only: ({ previous }) => Boolean(previous),
    options: () =>
      [
        ["off", "off"],
        ["over", "over"],
        ["beneath", "beneath"],
      ].map(([value, text]) => ({ value, text })),
  },
];

function shortened({ name, title }) {
  return { value: name, text: title.replace("no filter", "none").replace(" Hz", "") };
}

/** key, text on the button, name in full, what it does; only: when there is such a control, pressed: whether it is on. */
export const ACTIONS = [
  {
    group: "tools",
    key: "c",
    text: "Calipers",
    label: "Calipers: drag to measure, or move their corners with the arrow keys",
    run: (v) => toggleCalipers(v),
    pressed: (v) => v.tool === "caliper",
  },
  {
    group: "tools",
    key: "x",
    text: "Remove",
    label: "Remove the calipers",
    run: (v) => v.calipers.remove(),
    only: (v) => Boolean(v.calipers.corners),
  },
  { group: "zoom", key: "-", text: "−", label: "Zoom out", run: (v) => v.zoom(1 / 1.25) },
  { group: "zoom", key: "+", text: "+", label: "Zoom in", run: (v) => v.zoom(1.25) },
  { group: "zoom", key: "0", text: "Fit", label: "Fit the sheet to the window", run: (v) => v.fit() },
  { group: "zoom", key: "t", text: "1:1", label: "1:1, true size", run: (v) => v.trueSize() },
  {
    group: "time",
    key: "PageUp",
    text: "◂ Earlier",
    label: "Earlier part of the recording",
    run: (v) => turnPage(v, -1),
    only: (v) => pagesOf(v) > 1,
  },
  {
    group: "time",
    key: "PageDown",
    text: "Later ▸",
    label: "Later part of the recording",
    run: (v) => turnPage(v, 1),
    only: (v) => pagesOf(v) > 1,
  },
  {
    group: "more",
    key: "g",
    text: "Grid",
    label: "Grid: paper pink or grey",
    run: (v) => v.show({ grid: v.state.grid === "pink" ? "grey" : "pink" }),
  },
  {
    group: "more",
    key: "m",
    text: "Table",
    label: "Table of measurements",
    run: (v) => toggleTable(v),
    pressed: (v) => !v.table.hidden,
  },
  { group: "more", key: "k", text: "Scale", label: "Set this screen's true scale", run: (v) => v.dialogs.scale.open() },
  { group: "more", key: "p", text: "Print", label: "Print to true scale", run: (v) => v.print() },
  { group: "more", key: "?", text: "Keys", label: "List of keys", run: (v) => v.dialogs.keys.open() },
];

/** Keys without a button of their own. */
const MOVES = [
  { keys: ["ArrowLeft"], label: "Move the sheet", run: (v) => v.pan(PAN, 0) },
  { keys: ["ArrowRight"], run: (v) => v.pan(-PAN, 0) },
  { keys: ["ArrowUp"], run: (v) => v.pan(0, PAN) },
  { keys: ["ArrowDown"], run: (v) => v.pan(0, -PAN) },
  { keys: ["l"], label: "Highlight the next lead (Shift: the one before)", run: (v, back) => nextLead(v, back) },
  { keys: ["="], run: (v) => v.zoom(1.25) }, // the key of + without Shift
  { keys: ["Escape"], label: "Put the calipers down, end the highlight", run: (v) => escape(v) },
];

export class Controls {
  constructor(viewer) {
    this.viewer = viewer;
    this.element = make("div", { class: "ecg-controls", role: "toolbar", "aria-label": "ECG viewer" });
    this.keys = new Map();
    for (const { keys, run } of MOVES) for (const key of keys) this.keys.set(key, run);
    for (const action of ACTIONS) this.keys.set(action.key, (v) => (action.only?.(v) ?? true) && action.run(v));
    for (const choice of CHOICES) this.keys.set(choice.key, (v, back) => this.next(choice, back));
    viewer.root.addEventListener("keydown", (event) => this.pressed(event));
  }

  /** Once the recording is there. */
  build() {
    const { viewer } = this;
    this.buttons = [];
    this.choices = CHOICES.filter((choice) => choice.only?.(viewer) ?? true);
    const groups = this.choices.map((choice) => {
      const options = choice.options(viewer);
      const buttons = options.map(({ value, text }, place) => {
        const key = choice.digits ? String(place + 1) : choice.key;
        if (choice.digits) this.keys.set(key, (v) => v.show({ [choice.state]: value }));
        const name = `${choice.label}: ${text}`;
        const button = make(
          "button",
          {
            type: "button",
            class: "ecg-button",
            title: `${name} (${key.toUpperCase()})`,
            "aria-label": name,
            "aria-keyshortcuts": key.toUpperCase(),
            "data-state": choice.state,
            "data-value": value,
            onclick: () => viewer.show({ [choice.state]: value }),
          },
          text,
        );
        this.buttons.push([button, () => viewer.state[choice.state] === value, null]);
        return button;
      });
      return group(choice.label, make("span", { class: "ecg-label", "aria-hidden": "true" }, choice.label), ...buttons);
    });
    const names = { tools: "Calipers", zoom: "Zoom", time: "Time", more: "More" };
    for (const [name, title] of Object.entries(names)) {
      const buttons = ACTIONS.filter((action) => action.group === name).map((action) => {
        const button = make(
          "button",
          {
            type: "button",
            class: "ecg-button",
            title: `${action.label} (${action.key.toUpperCase()})`,
            "aria-label": action.label,
            "aria-keyshortcuts": action.key.toUpperCase(),
            "data-action": action.text,
            onclick: () => action.run(viewer),
          },
          action.text,
        );
        this.buttons.push([
          button,
          action.pressed && (() => action.pressed(viewer)),
          action.only && (() => action.only(viewer)),
        ]);
        return button;
      });
      groups.push(group(title, ...buttons));
    }
    this.element.replaceChildren(...groups);
    this.update();
  }

  update() {
    for (const [button, pressed, only] of this.buttons ?? []) {
      if (pressed) button.setAttribute("aria-pressed", String(Boolean(pressed())));
      if (only) button.hidden = !only();
    }
    for (const one of this.element.children)
      one.hidden = ![...one.children].some((child) => child.matches("button:not([hidden])"));
  }

  next(choice, back) {
    if (!this.choices?.includes(choice)) return;
    const values = choice.options(this.viewer).map((option) => option.value);
    const place = values.indexOf(this.viewer.state[choice.state]) + (back ? -1 : 1);
    const value = values[(place + values.length) % values.length];
    this.viewer.show({ [choice.state]: value });
    const button = this.element.querySelector(`[data-state="${choice.state}"][data-value="${value}"]`);
    this.viewer.say(button.getAttribute("aria-label"));
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !this.viewer.sheet) return;
    if (event.target.closest("input, textarea, select, dialog")) return;
    const run = this.keys.get(event.key) ?? this.keys.get(event.key.toLowerCase());
    if (!run) return;
    event.preventDefault();
    run(this.viewer, event.shiftKey);
  }

  /** [[keys, what they do]], for the list of keys. */
  list() {
    const digits = CHOICES[0].options(this.viewer).map(({ text }, place) => [String(place + 1), `Layout: ${text}`]);
    const choices = this.choices.map(({ key, label, options }) => [
      key,
      `${label}: ${options(this.viewer)
        .map(({ text }) => text)
        .join(", ")} – next (Shift: the one before)`,
    ]);
    const actions = ACTIONS.map(({ key, label }) => [key, label]);
    const moves = MOVES.filter(({ label }) => label).map(({ keys, label }) => [
      keys[0] === "ArrowLeft" ? "Arrows" : keys[0],
      label,
    ]);
    return [...digits, ...choices, ...actions, ...moves];
  }
}

function group(label, ...children) {
  return make("div", { class: "ecg-group", role: "group", "aria-label": label }, ...children);
}
