/**
 * The ECG viewer: 12 leads on true paper, drawn on a canvas; no dependency, no inline script or style.
 *
 *     <link rel="stylesheet" href=".../viewer/viewer.css">     (in the page's head)
 *     import { EcgViewer } from ".../viewer/viewer.js";
 *     const viewer = new EcgViewer(element, { url, previousUrl });
 *     await viewer.ready;
 *
 * element       gets the viewer as its only child, which fills it: give it a height.
 * url           of meit.station.viewing.document, as JSON; the samples' address in it is relative to this one.
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
import { listen } from "./gestures.js";
import { INKS } from "./inks.js";
import { markedParts, paintMarks } from "./marks.js";
import { Names } from "./names.js";
import { paintSheet } from "./paint.js";
import { printedPages } from "./print.js";
import { panelX, panelY, pulsePoints, timeSheet } from "./sheet.js";
import { View } from "./view.js";
import { aboutPatient, description, leadsTable, measurementsTable, notes, previousWords, scaleWords, stretch } from "./words.js";

const DEFAULTS = {
  layout: "3x4", speed: 25, gain: 10, band: "none", mains: "off", compare: "off", lead: null, start: 0, grid: "pink",
};
const SINGLE = "II"; // shown alone where no lead is highlighted

export class EcgViewer {
  #state = { ...DEFAULTS };
  #asked = 0; // filters that were asked for; only the last one's answer is drawn
  #dirty = { sheet: false, overlay: false };
  #marks = [];

  constructor(element, { url, previousUrl = null }) {
    this.element = element;
    this.view = new View();
    this.tool = "pan";
    this.build();
    this.calipers = new Calipers(this);
    this.names = new Names(this);
    this.controls = new Controls(this);
    this.dialogs = dialogs(this);
    this.root.prepend(this.controls.element);
    listen(this);
    this.watch = new ResizeObserver(() => this.resized());
    this.watch.observe(this.stage);
    this.printing = { beforeprint: () => this.putPages(), afterprint: () => this.takePages() };
    for (const [name, run] of Object.entries(this.printing)) addEventListener(name, run);
    this.ready = this.load(url, previousUrl);
    this.ready.catch((error) => this.failed(error));
  }

  build() {
    this.canvas = make("canvas", { class: "ecg-canvas", role: "img", "aria-label": "ECG, not loaded yet" });
    this.overlay = make("canvas", { class: "ecg-canvas", "aria-hidden": "true" });
    this.stage = make("div", { class: "ecg-stage", tabindex: "0", role: "group", "aria-label": "ECG sheet. Arrow keys move it, plus and minus zoom, question mark lists all keys" }, this.canvas, this.overlay);
    this.title = make("strong");
    this.patient = make("span");
    this.length = make("span", { class: "ecg-right" });
    this.notes = make("div", { class: "ecg-notes" });
    this.scale = make("span", { class: "ecg-scale" });
    this.zoomed = make("span", { class: "ecg-right" });
    this.table = make("div", { class: "ecg-table", tabindex: "0", role: "region", "aria-label": "Measurements", hidden: true });
    this.live = make("div", { class: "ecg-live", role: "status", "aria-live": "polite" });
    this.root = make("div", { class: "ecg-viewer" },
      make("div", { class: "ecg-head" }, this.title, this.patient, this.length), this.notes, this.stage,
      make("div", { class: "ecg-foot" }, this.scale, this.zoomed), this.table, this.live);
    this.element.replaceChildren(this.root);
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

  get pages() {
    return Math.max(1, Math.ceil((this.ecg.seconds - 0.05 * this.ecg.about.sheet_seconds) / this.ecg.about.sheet_seconds));
  }

  async show(changes) {
    const next = { ...this.#state, ...changes };
    if (next.layout === "lead") next.lead ??= SINGLE;
    this.#state = next;
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
    if (resized && (this.view.fits || before?.kind !== this.sheet.kind || this.#state.layout === "lead")) this.view.fit(this.sheet);
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
    this.notes.replaceChildren(...notes(this).map((note) => make("p", {}, note)), other && make("p", { class: "ecg-other" }, other));
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
      this.view.reveal(this.sheet, { x0: edge(Math.min, "x0"), x1: edge(Math.max, "x1"), y0: edge(Math.min, "y0"), y1: edge(Math.max, "y1") });
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

  setScale(factor) {
    const zoom = this.view.zoom;
    this.view.setFactor(factor);
    if (!this.view.fits) this.view.zoomAt(this.sheet, zoom / this.view.zoom);
    this.moved();
  }

  pan(dx, dy) {
    this.view.pan(this.sheet, dx, dy);
    this.moved();
  }

  page(step) {
    const length = this.ecg.about.sheet_seconds;
    const start = Math.min(this.pages - 1, Math.max(0, Math.round(this.#state.start / length) + step)) * length;
    return this.show({ start });
  }

  nextLead(back) {
    const { leads } = this.ecg.about;
    const at = leads.indexOf(this.#state.lead);
    const lead = leads[(at + (back ? -1 : 1) + leads.length + (at < 0 && back ? 1 : 0)) % leads.length];
    this.show({ lead });
    this.say(`Lead ${lead} highlighted`);
  }

  toggleCalipers() {
    this.tool = this.tool === "caliper" ? "pan" : "caliper";
    if (this.tool === "caliper") {
      if (!this.calipers.corners) this.calipers.placeByKey();
      this.paint();
      this.calipers.handles[0].focus({ preventScroll: true });
    }
    this.stage.classList.toggle("ecg-measuring", this.tool === "caliper");
    this.controls.update();
  }

  toggleTable() {
    this.table.hidden = !this.table.hidden;
    this.controls.update();
    if (!this.table.hidden) this.table.focus();
  }

  escape() {
    if (this.tool === "caliper") this.toggleCalipers();
    else if (this.#state.layout === "lead") this.show({ layout: DEFAULTS.layout, lead: null });
    else this.show({ lead: null });
    this.stage.focus({ preventScroll: true });
  }

  /** The view or the sheet has changed: all is drawn anew in the next frame. */
  moved() {
    this.#dirty.sheet = true;
    this.overlayChanged();
  }

  overlayChanged() {
    this.#dirty.overlay = true;
    this.frame ??= requestAnimationFrame(() => this.paint());
  }

  paint() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    if (!this.sheet) return;
    const ratio = this.ratio;
    const inks = INKS[this.#state.grid];
    if (this.#dirty.sheet) {
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
    this.#dirty = { sheet: false, overlay: false };
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
    this.#dirty.sheet = true;
    this.paint();
  }

  print() {
    print();
  }

  putPages() {
    if (!this.sheet || !this.root.isConnected) return;
    this.takePages();
    const words = {
      name: this.ecg.about.name, patient: aboutPatient(this.ecg.about), start: this.ecg.about.start ?? "",
      length: stretch(this), scale: scaleWords(this), notes: notes(this), other: previousWords(this), ofPanel: (panel) => this.names.printed(panel),
    };
    this.printed = printedPages(this.sheet, INKS[this.#state.grid], words);
    document.body.append(this.printed);
    document.documentElement.classList.add("ecg-printing");
  }

  takePages() {
    this.printed?.remove();
    document.documentElement.classList.remove("ecg-printing");
  }

  geometry() {
    const { sheet, view } = this;
    const panels = sheet.panels.map((panel) => ({
      lead: panel.lead, ink: panel.ink, empty: panel.empty, together: Boolean(panel.together), left: view.toX(panel.x), right: view.toX(panel.x + panel.width),
      top: view.toY(panel.top), bottom: view.toY(panel.bottom), baseline: view.toY(panelY(panel, panel.level, sheet)),
      from_s: panel.t0, to_s: panel.t0 + panel.seconds, zero_s: view.toX(panelX(panel, 0, sheet)), gaps: panel.gaps,
      px_per_s: sheet.speed * view.scale, px_per_mv: sheet.gain * view.scale, level_mv: panel.level,
    }));
    const pulses = sheet.pulses.map((pulse) => pulsePoints(pulse, sheet).map(([x, y]) => [view.toX(x), view.toY(y)]));
    return { px_per_mm: view.scale, zoom: view.zoom, width_mm: sheet.width, height_mm: sheet.height, panels, pulses, brackets: sheet.brackets ?? [] };
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
    for (const [name, run] of Object.entries(this.printing)) removeEventListener(name, run);
    this.takePages();
    this.root.remove();
  }
}
