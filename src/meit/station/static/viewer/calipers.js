/* Calipers: two corners in one panel, whose distance is read in ms, as a rate, and in mV.

Both corners are buttons: dragged by mouse or finger, moved by arrow keys (2 ms and 0.01 mV, with Shift ten times that). */

import { make, place } from "./dom.js";
import { panelX, panelY } from "./sheet.js";

const STEP_S = 0.002,
  STEP_MV = 0.01,
  LARGE = 10;
const FIRST_S = 0.2,
  FIRST_MV = 0.5; // between the corners, where the keyboard places them
const SAID_AFTER = 350; // ms without a further change: a reading is not said at every step

export class Calipers {
  constructor(viewer) {
    this.viewer = viewer;
    this.corners = null; // [{t, mv}, {t, mv}], in the panel's time and mV from its level
    this.panel = null;
    this.handles = ["first", "second"].map((name, which) => this.handle(name, which));
    this.label = make("output", { class: "ecg-reading", hidden: true });
    viewer.stage.append(...this.handles, this.label);
  }

  handle(name, which) {
    const button = make("button", { type: "button", class: "ecg-handle", "data-corner": name, hidden: true });
    button.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      const by = event.shiftKey ? LARGE : 1;
      const corner = this.corners[which];
      this.move(which, { t: corner.t + step[0] * by * STEP_S, mv: corner.mv + step[1] * by * STEP_MV });
      this.reveal(which);
    });
    button.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.stopPropagation();
      button.setPointerCapture(event.pointerId);
      const start = this.at(this.corners[which]);
      const [dx, dy] = [event.clientX - start.x, event.clientY - start.y];
      const follow = (moved) => this.move(which, this.corner({ x: moved.clientX - dx, y: moved.clientY - dy }));
      button.addEventListener("pointermove", follow);
      button.addEventListener("lostpointercapture", () => button.removeEventListener("pointermove", follow), {
        once: true,
      });
    });
    return button;
  }

  /** A drag that begins at a place of the stage; returns what to call as it goes on. */
  begin(at) {
    const { sheet, view } = this.viewer;
    const [x, y] = [view.x + at.x / view.scale, view.y + at.y / view.scale];
    const inside = (panel) => x >= panel.x && x <= panel.x + panel.width && y >= panel.top && y <= panel.bottom;
    const panel = sheet.panels.find((one) => inside(one) && !one.empty);
    if (!panel) return () => {};
    this.panel = panel;
    this.corners = [this.corner(at), this.corner(at)];
    this.changed();
    return (now) => this.move(1, this.corner(now));
  }

  /** Where the keyboard begins: in the highlighted lead, else in the first panel that is seen. */
  placeByKey() {
    const { sheet, view, state } = this.viewer;
    const seen = sheet.panels.filter((panel) => !panel.empty && !panel.over && !panel.together);
    const inView = (panel) =>
      view.toX(panel.x + panel.width) > 0 && view.toX(panel.x) < view.width && view.toY(panel.bottom) > 0;
    const panel = seen.find((one) => one.lead === state.lead && inView(one)) ?? seen.find(inView) ?? seen[0];
    if (!panel) return;
    this.panel = panel;
    const t = panel.t0 + panel.seconds / 2;
    this.corners = [
      { t: t - FIRST_S / 2, mv: 0 },
      { t: t + FIRST_S / 2, mv: FIRST_MV },
    ];
    this.changed();
    this.reveal(0);
  }

  remove() {
    this.corners = this.panel = null;
    this.changed();
  }

  /** After the sheet was laid out anew: in the same lead and time, or gone where it is not drawn any more. */
  settle(sheet) {
    if (!this.panel) return;
    const [{ t }] = this.corners;
    const same = (one) =>
      one.lead === this.panel.lead && one.ink === this.panel.ink && !one.together === !this.panel.together;
    const there = (one) => t >= one.t0 - 1e-9 && t <= one.t0 + one.seconds + 1e-9;
    const old = this.kind;
    this.kind = sheet.kind;
    this.panel =
      sheet.kind === old ? (sheet.panels.find((one) => same(one) && there(one) && !one.empty) ?? null) : null;
    if (!this.panel) this.remove();
  }

  move(which, corner) {
    this.corners[which] = corner;
    this.changed();
  }

  changed() {
    if (this.label.hidden === Boolean(this.corners)) this.viewer.controls.update(); // they come or go
    this.kind = this.viewer.sheet?.kind;
    this.viewer.overlayChanged();
    clearTimeout(this.saying);
    const reading = this.reading();
    if (reading) {
      this.saying = setTimeout(() => this.viewer.say(`${this.panel.lead}: ${reading.text}`), SAID_AFTER);
      this.viewer.emit("ecg-caliper", { lead: this.panel.lead, ...reading });
    }
  }

  /** {ms, bpm, mv, text}, or null without calipers. bpm is null for no distance. */
  reading() {
    if (!this.corners) return null;
    const [a, b] = this.corners;
    const ms = Math.round(Math.abs(b.t - a.t) * 1000);
    const mv = Math.round((b.mv - a.mv) * 100) / 100 || 0;
    const bpm = ms ? Math.round(60_000 / ms) : null;
    const rate = bpm === null ? "" : ` / ${bpm} per min`;
    return { ms, bpm, mv, text: `${ms} ms${rate}, ${mv.toFixed(2).replace("-", "−")} mV` };
  }

  corner({ x, y }) {
    const { sheet, view } = this.viewer;
    const t = (view.x + x / view.scale - this.panel.x) / sheet.speed + this.panel.t0;
    const mv = (this.panel.y - this.panel.lift - (view.y + y / view.scale)) / sheet.gain;
    return { t, mv };
  }

  at({ t, mv }) {
    const { sheet, view } = this.viewer;
    return { x: view.toX(panelX(this.panel, t, sheet)), y: view.toY(panelY(this.panel, mv + this.panel.level, sheet)) };
  }

  reveal(which) {
    const { view, sheet } = this.viewer;
    const { x, y } = this.at(this.corners[which]);
    const [mx, my, edge] = [view.x + x / view.scale, view.y + y / view.scale, 20 / view.scale];
    view.reveal(sheet, { x0: mx - edge, x1: mx + edge, y0: my - edge, y1: my + edge });
    this.viewer.moved();
  }

  paint(ctx, ratio, colour) {
    const shown = Boolean(this.corners);
    for (const one of [...this.handles, this.label]) one.hidden = !shown;
    if (!shown) return;
    const { view } = this.viewer;
    const [a, b] = this.corners.map((corner) => this.at(corner));
    const [top, bottom] = [view.toY(this.panel.top), view.toY(this.panel.bottom)];
    ctx.save();
    ctx.scale(ratio, ratio);
    ctx.fillStyle = ctx.strokeStyle = colour;
    ctx.globalAlpha = 0.1;
    ctx.fillRect(Math.min(a.x, b.x), top, Math.abs(b.x - a.x), bottom - top);
    ctx.globalAlpha = 1;
    ctx.lineWidth = 1.25;
    ctx.beginPath();
    for (const { x, y } of [a, b]) {
      ctx.moveTo(x, Math.min(top, a.y, b.y));
      ctx.lineTo(x, Math.max(bottom, a.y, b.y));
      ctx.moveTo(Math.min(a.x, b.x) - 12, y);
      ctx.lineTo(Math.max(a.x, b.x) + 12, y);
    }
    ctx.stroke();
    ctx.restore();
    const reading = this.reading();
    this.handles.forEach((handle, which) => {
      const { x, y } = which ? b : a;
      place(handle, x, y);
      const { t, mv } = this.corners[which];
      const at = `lead ${this.panel.lead}: ${t.toFixed(3)} s, ${mv.toFixed(2)} mV`;
      const name = `Calipers, ${handle.dataset.corner} corner, ${at}. Arrow keys move it`;
      if (handle.getAttribute("aria-label") !== name) handle.setAttribute("aria-label", name);
    });
    if (this.label.textContent !== reading.text) this.label.textContent = reading.text;
    const wide = this.label.offsetWidth,
      high = this.label.offsetHeight;
    const above = Math.min(top, a.y, b.y) - high - 6;
    place(
      this.label,
      Math.min(Math.max(4, Math.min(a.x, b.x)), view.width - wide - 4),
      above > 2 ? above : Math.min(Math.max(bottom, a.y, b.y) + 6, view.height - high - 4),
    );
  }
}
