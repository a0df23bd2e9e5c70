/* What was measured on the median beat, drawn on its sheet: onsets and offsets, brackets, and a list of values. */

import { panelX } from "./sheet.js";

export function paintMeasured(pen) {
  const { ctx, sheet, x, y, inks, ratio } = pen;
  ctx.strokeStyle = inks.mark;
  ctx.lineWidth = ratio;
  ctx.setLineDash([2 * ratio, 3 * ratio]);
  ctx.beginPath();
  for (const panel of sheet.panels) {
    if (panel.ink === "previous" || panel.empty) continue;
    for (const at of sheet.marks) {
      const place = Math.round(x(panelX(panel, at, sheet))) + 0.5;
      ctx.moveTo(place, y(panel.top + 2));
      ctx.lineTo(place, y(panel.bottom - 2));
    }
  }
  ctx.stroke();
  ctx.setLineDash([]);
  paintBrackets(pen);
  paintList(pen);
}

function paintBrackets({ ctx, sheet, x, y, inks, ratio, line }) {
  ctx.fillStyle = ctx.strokeStyle = inks.mark;
  ctx.lineWidth = line;
  ctx.font = font(3.4, "600", y, ratio);
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  for (const { title, ms, x0, x1, y: at } of sheet.brackets) {
    ctx.beginPath();
    for (const [a, b, c, d] of [
      [x0, at - 1.2, x0, at + 1.2],
      [x0, at, x1, at],
      [x1, at - 1.2, x1, at + 1.2],
    ]) {
      ctx.moveTo(x(a), y(b));
      ctx.lineTo(x(c), y(d));
    }
    ctx.stroke();
    ctx.fillText(`${title} ${ms} ms`, x(x1) + 6 * ratio, y(at));
  }
}

function paintList({ ctx, sheet, x, y, inks, ratio }) {
  for (const { at, from, what, bold, ink } of sheet.list) {
    ctx.font = font(3.4, bold ? "600" : "400", y, ratio);
    ctx.fillStyle = inks[ink];
    ctx.fillText(what, x(at), y(from));
  }
}

/** Of a size in mm, but readable on any scale. */
const font = (mm, weight, y, ratio) =>
  `${weight} ${Math.max(10.5 * ratio, Math.min(18 * ratio, y(mm) - y(0)))}px system-ui, sans-serif`;
