/* Draws a sheet's visible part on a canvas: grid, calibration pulses, traces; and hatches what was not recorded. */

import { FAINT } from "./inks.js";
import { paintMeasured } from "./measured.js";
import { panelX, panelY, pulsePoints } from "./sheet.js";
import { traceLine } from "./trace.js";

const FINE_FROM = 2.2; // CSS pixels a mm: below, small squares would be a blur
const THICK = 3; // pixels, from which the joints of a line show; round ones take longer to draw

/** ctx: of a canvas of the view's size times `ratio` pixels. highlight: a lead's name or null. */
export function paintSheet(ctx, sheet, view, inks, ratio, highlight) {
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.fillStyle = "#eef0f2";
  ctx.fillRect(0, 0, ctx.canvas.width, ctx.canvas.height);
  const x = (mm) => view.toX(mm) * ratio;
  const y = (mm) => view.toY(mm) * ratio;
  ctx.save();
  ctx.beginPath();
  const [left, top] = [Math.round(x(0)), Math.round(y(0))]; // whole pixels: a soft edge would slow all drawing
  ctx.rect(left, top, Math.round(x(sheet.width)) - left + 1, Math.round(y(sheet.height)) - top + 1);
  ctx.clip();
  ctx.fillStyle = inks.paper;
  ctx.fillRect(0, 0, ctx.canvas.width, ctx.canvas.height);
  paintGrid(ctx, sheet, view, inks, ratio, x, y);
  const pen = { ctx, sheet, x, y, inks, ratio, line: Math.min(2.4, Math.max(1.3, 0.28 * view.scale)) * ratio };
  for (const panel of sheet.panels) if (seen(panel, view)) paintUnrecorded(pen, panel);
  paintPulses(pen);
  const order = [...sheet.panels].sort(
    (a, b) => (a.lead === highlight) - (b.lead === highlight) || (b.ink === "previous") - (a.ink === "previous"),
  );
  for (const panel of order) {
    if (!seen(panel, view) || panel.empty) continue;
    ctx.globalAlpha = highlight && panel.lead !== highlight ? FAINT : 1;
    paintTrace(pen, panel);
  }
  ctx.globalAlpha = 1;
  if (sheet.kind === "beat") paintMeasured(pen);
  ctx.restore();
}

const seen = (panel, view) => view.toX(panel.x + panel.width) >= 0 && view.toX(panel.x) <= view.width;

function paintGrid(ctx, sheet, view, inks, ratio, x, y) {
  const width = Math.max(1, Math.round(ratio * 0.75));
  for (const [step, colour] of [
    [1, inks.fine],
    [5, inks.coarse],
  ]) {
    if (step === 1 && view.scale < FINE_FROM) continue;
    ctx.fillStyle = colour;
    const first = (from) => Math.max(0, Math.floor(from / step)) * step;
    for (let mm = first(view.x); mm <= Math.min(sheet.width, view.x + view.width / view.scale); mm += step) {
      ctx.fillRect(Math.round(x(mm) - width / 2), 0, width, ctx.canvas.height);
    }
    for (let mm = first(view.y); mm <= Math.min(sheet.height, view.y + view.height / view.scale); mm += step) {
      ctx.fillRect(0, Math.round(y(mm) - width / 2), ctx.canvas.width, width);
    }
  }
}

function paintPulses({ ctx, sheet, x, y, inks, line }) {
  ctx.strokeStyle = inks.ink;
  ctx.lineWidth = line;
  ctx.lineJoin = "miter";
  ctx.beginPath();
  for (const pulse of sheet.pulses)
    pulsePoints(pulse, sheet).forEach(([a, b], i) => (i ? ctx.lineTo(x(a), y(b)) : ctx.moveTo(x(a), y(b))));
  ctx.stroke();
}

function paintTrace({ ctx, sheet, x, y, inks, ratio, line }, panel) {
  ctx.strokeStyle = inks[panel.ink === "previous" ? "previous" : "ink"];
  ctx.lineWidth = panel.together ? 0.7 * line : line;
  ctx.lineJoin = line > THICK ? "round" : "bevel";
  ctx.lineCap = "round";
  const at = (i) => x(panelX(panel, panel.offset + i / panel.rate, sheet));
  const perPixel = 1 / (at(1) - at(0));
  const sampleAt = (pixel) => panel.first + Math.floor((pixel - at(panel.first)) * perPixel);
  const first = Math.max(panel.first, sampleAt(0) - 1);
  const last = Math.min(panel.last, sampleAt(ctx.canvas.width) + 2);
  const zero = y(panelY(panel, 0, sheet));
  const scale = y(panelY(panel, 1, sheet)) - zero;
  ctx.beginPath();
  const x0 = at(first),
    step = 1 / perPixel;
  traceLine(ctx, panel.values, { first, last, x0, step, zero, scale });
  ctx.stroke();
  if (panel.ink === "current" || !panel.over) tick({ ctx, x, y, inks, ratio }, panel);
}

/** The short upright line that parts two leads of a row. */
function tick({ ctx, x, y, inks, ratio }, panel) {
  if (!panel.column) return;
  ctx.fillStyle = inks.grey;
  ctx.fillRect(Math.round(x(panel.x)), y(panel.y - 3), Math.round(ratio), y(panel.y + 3) - y(panel.y - 3));
}

function paintUnrecorded({ ctx, sheet, x, y, inks, ratio }, panel) {
  const stretches = panel.empty && !panel.over ? [[panel.t0, panel.t0 + panel.seconds]] : panel.gaps;
  for (const [from, to] of stretches) {
    const [left, right] = [x(panelX(panel, from, sheet)), x(panelX(panel, to, sheet))];
    const [top, bottom] = [y(panel.top + 1), y(panel.bottom - 1)];
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, right - left, bottom - top);
    ctx.clip();
    ctx.strokeStyle = inks.grey;
    ctx.globalAlpha = 0.22;
    ctx.lineWidth = ratio;
    ctx.beginPath();
    for (let at = left - (bottom - top); at < right; at += 7 * ratio) {
      ctx.moveTo(at, bottom);
      ctx.lineTo(at + (bottom - top), top);
    }
    ctx.stroke();
    ctx.restore();
    const words = panel.empty || "not recorded";
    ctx.font = `${12 * ratio}px system-ui, sans-serif`;
    const width = ctx.measureText(words).width + 10 * ratio;
    if (width > right - left) continue;
    const [cx, cy] = [(left + right) / 2, y(panel.y)];
    ctx.fillStyle = inks.paper;
    ctx.fillRect(cx - width / 2, cy - 10 * ratio, width, 20 * ratio);
    ctx.fillStyle = inks.grey;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.fillText(words, cx, cy);
  }
}
