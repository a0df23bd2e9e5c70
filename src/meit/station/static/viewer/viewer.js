/**
 * The ECG viewer: 12 leads on true paper, drawn on a canvas; no dependency, no inline script or style.
 *
 *     <link rel="stylesheet" href=".../viewer/viewer.css">     (in the page's head)
 *     import { EcgViewer } from ".../viewer/viewer.js";
 *     const viewer = new EcgViewer(element, { url, previousUrl });
 *     await viewer.ready;
 *
 * element       gets the viewer as its only child, which fills it: give it a height.
 * url           of meit.station.viewer_document.document, as JSON; the samples' address in it is relative to this one.
 * previousUrl   the same of the patient's previous ECG; may be left out.
 *
 * viewer.ready                          resolves when the first sheet is drawn; rejects with the reason shown
 * viewer.mark(leads, from, to, label)   shades a stretch (s) of these leads, and moves there; without from and to, all of
 *                                       them. Several add up.
 * viewer.clear()                        takes all marks away
 * viewer.show({...})                    changes the state; resolves when it is drawn. State, with its defaults:
 *                                       layout "3x4" | "6x2" | "12x1" | "lead" | "beat", speed 25 | 50 (mm/s),
 *                                       gain 5 | 10 | 20 (mm/mV), band "none" | "0.05-150" | "0.5-40",
 *                                       mains "off" | "50" | "60", compare "off" | "over" | "beneath",
 *                                       lead null or the highlighted one, start 0 (s), grid "pink" | "grey"
 * viewer.state                          a copy of the state
 * viewer.caliper                        the reading {ms, bpm, mv, text}, or null
 * viewer.geometry()                     where things are drawn, in CSS pixels of the stage (for tests and overlays)
 * viewer.print()                        the sheet in force, on A4 landscape, true to scale
 * viewer.destroy()
 *
 * Events of `element`: ecg-change (detail: the state), ecg-caliper (the reading and its lead), ecg-error (message).
 * Keys work while the focus is within the viewer; the list is behind "?".
 */

import { beatSheet } from "./beat.js";
import { Calipers } from "./calipers.js";
import { Controls } from "./controls.js";
import { dialogs } from "./dialogs.js";
import { make } from "./dom.js";
import { Ecg } from "./ecg.js";
import { geometry } from "./geometry.js";
import { listen } from "./gestures.js";
import { INKS } from "./inks.js";
import { markedParts, paintMarks } from "./marks.js";
import { Names } from "./names.js";
import { Pages } from "./pages.js";
import { paintSheet } from "./paint.js";
import { timeSheet } from "./sheet.js";
import { skeleton } from "./skeleton.js";
import { View } from "./view.js";
import {
  aboutPatient,
  description,
  leadsTable,
  measurementsTable,
  notes,
  previousWords,
  scaleWords,
  stretch,
} from "./words.js";

const DEFAULTS = {
  layout: "3x4",
  speed: 25,
  gain: 10,
  band: "none",
  mains: "off",
  compare: "off",
  lead: null,
  start: 0,
  grid: "pink",
};
const SINGLE = "II"; // shown alone where no lead is highlighted

export class EcgViewer {
  #state = { ...DEFAULTS };
  #asked = 0; // filters that were asked for; only the last one's answer is drawn
  #stale = false; // the sheet, and not only what lies over it
  #marks = [];

  constructor(element, { url, previousUrl = null }) {
    this.element = element;
    this.view = new View();
    this.tool = "pan";
    Object.assign(this, skeleton());
    element.replaceChildren(this.root);
    this.calipers = new Calipers(this);
    this.names = new Names(this);
    this.controls = new Controls(this);
    this.dialogs = dialogs(this);
    this.root.prepend(this.controls.element);
    listen(this);
    this.watch = new ResizeObserver(() => this.resized());
    this.watch.observe(this.stage);
    this.pages = new Pages(this);
    this.ready = this.load(url, previousUrl);
    this.ready.catch((error) => this.failed(error));
  }

  async load(url, previousUrl) {
    [this.ecg, this.previous] = await Promise.all([Ecg.load(url), previousUrl ? Ecg.load(previousUrl) : null]);
    this.controls.build();
    await this.show({});
  }

  failed(error) {
    this.notes.replaceChildren(make("p", { role: "alert" }, `The ECG can't be shown: ${error.message}.`));
    this.emit("ecg-error", error.message);
  }

  get state() {
    return { ...this.#state };
  }

  get caliper() {
    return this.calipers.reading();
  }

  async show(changes) {
    const next = { ...this.#state, ...changes };
    if (next.layout === "lead") next.lead ??= SINGLE;
    this.#state = next;
    if (!this.ecg) return this.ready; // which draws it
    this.controls.update();
    const asked = ++this.#asked;
    try {
      const both = [this.ecg, this.previous].filter(Boolean);
      const found = await Promise.all(both.map((one) => one.through(next.band, next.mains)));
      if (asked !== this.#asked) return; // a later change draws all
      both.forEach((one, place) => Object.assign(one, found[place]));
    } catch (error) {
      this.failed(error);
      throw error;
    }
    this.layOut();
    this.emit("ecg-change", this.state);
  }

  layOut() {
    const before = this.sheet;
    const laid = this.#state.layout === "beat" ? beatSheet : timeSheet;
    this.sheet = laid(this.ecg, this.previous, this.#state);
    const resized = !before || before.width !== this.sheet.width || before.height !== this.sheet.height;
    if (resized && (this.view.fits || before?.kind !== this.sheet.kind || this.#state.layout === "lead"))
      this.view.fit(this.sheet);
    else this.view.keep(this.sheet);
    this.calipers.settle(this.sheet);
    this.names.build();
    this.parts = markedParts(this.#marks, this.sheet);
    const about = this.ecg.about;
    this.title.textContent = about.name;
    this.patient.textContent = [aboutPatient(about), about.start].filter(Boolean).join(", ");
    this.length.textContent = stretch(this);
    this.scale.textContent = scaleWords(this);
    const other = previousWords(this);
    this.notes.replaceChildren(
      ...notes(this).map((note) => make("p", {}, note)),
      other && make("p", { class: "ecg-other" }, other),
    );
    this.canvas.setAttribute("aria-label", description(this));
    this.table.replaceChildren(measurementsTable(this.ecg, this.previous), leadsTable(this.ecg));
    this.controls.update();
    this.moved();
  }

  mark(leads, from = null, to = null, label = "") {
    this.#marks.push({ leads: [...leads], from, to, label: String(label) });
    if (!this.sheet) return;
    const length = this.ecg.about.sheet_seconds;
    if (from !== null && (from < this.#state.start || from >= this.#state.start + length)) {
      this.#state.start = Math.floor(from / length) * length;
      this.layOut();
    }
    this.parts = markedParts(this.#marks, this.sheet);
    const shown = this.parts.filter((part) => part.inside);
    if (shown.length) {
      const edge = (pick, side) => pick(...shown.map((part) => part[side]));
      this.view.reveal(this.sheet, {
        x0: edge(Math.min, "x0"),
        x1: edge(Math.max, "x1"),
        y0: edge(Math.min, "y0"),
        y1: edge(Math.max, "y1"),
      });
    }
    const when = from === null ? "" : `, ${from.toFixed(2)} to ${to.toFixed(2)} s`;
    this.say(`Marked: ${label} in ${leads.join(", ")}${when}`);
    this.moved();
  }

  clear() {
    this.#marks = this.parts = [];
    this.overlayChanged();
  }

  zoom(factor) {
    this.view.zoomAt(this.sheet, factor);
    this.moved();
  }

  fit() {
    this.view.fit(this.sheet);
    this.moved();
  }

  trueSize() {
    this.view.trueSize(this.sheet);
    this.moved();
  }

  pan(dx, dy) {
    this.view.pan(this.sheet, dx, dy);
    this.moved();
  }

  /** The view or the sheet has changed: all is drawn anew in the next frame. */
  moved() {
    this.#stale = true;
    this.overlayChanged();
  }

  overlayChanged() {
    this.frame ??= requestAnimationFrame(() => this.paint());
  }

  paint() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    if (!this.sheet || !this.ratio) return; // not loaded yet, or in a part of the page that is not shown
    const ratio = this.ratio;
    const inks = INKS[this.#state.grid];
    if (this.#stale) {
      paintSheet(this.canvas.getContext("2d", { alpha: false }), this.sheet, this.view, inks, ratio, this.#state.lead);
      this.names.place();
      const percent = `${Math.round(this.view.zoom * 100)} % of true size`;
      if (this.zoomed.textContent !== percent) this.zoomed.textContent = percent;
    }
    const ctx = this.overlay.getContext("2d");
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, this.overlay.width, this.overlay.height);
    paintMarks(ctx, this.parts, this.view, inks, ratio);
    this.calipers.paint(ctx, ratio, inks.caliper);
    this.#stale = false;
  }

  resized() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (!width || !height) return;
    this.ratio = devicePixelRatio;
    [this.view.width, this.view.height] = [width, height];
    for (const canvas of [this.canvas, this.overlay]) {
      [canvas.width, canvas.height] = [Math.round(width * this.ratio), Math.round(height * this.ratio)];
    }
    if (!this.sheet) return;
    if (this.view.fits) this.view.fit(this.sheet);
    else this.view.keep(this.sheet);
    this.#stale = true;
    this.paint();
  }

  print() {
    print();
  }

  geometry() {
    return geometry(this.sheet, this.view);
  }

  say(words) {
    this.live.textContent = words;
  }

  emit(name, detail) {
    this.element.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }

  destroy() {
    this.watch.disconnect();
    cancelAnimationFrame(this.frame);
    this.pages.destroy();
    this.root.remove();
  }
}
