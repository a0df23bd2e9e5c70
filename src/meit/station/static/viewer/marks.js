/* Places in the signal that the application points at: shaded in the leads it names, with its words above. */

import { panelX } from "./sheet.js";

/** marks: [{leads, from, to, label}], from and to in s of the recording or null for the whole panel. */
export function markedParts(marks, sheet) {
  return marks.flatMap(({ leads, from, to, label }) => {
    const panels = sheet.panels.filter(
      (panel) => leads.includes(panel.lead) && panel.ink === "current" && !panel.together,
    );
    const parts = panels.map((panel) => {
      const whole = from === null || sheet.kind === "beat";
      const start = whole ? panel.t0 : Math.max(from, panel.t0);
      const end = whole ? panel.t0 + panel.seconds : Math.min(to, panel.t0 + panel.seconds);
      const inside = end >= start && !whole;
      const [x0, x1] = inside
        ? [panelX(panel, start, sheet), panelX(panel, end, sheet)]
        : [panel.x, panel.x + panel.width];
      return {
        lead: panel.lead,
        x0,
        x1: Math.max(x1, x0 + 0.6),
        y0: panel.top,
        y1: panel.bottom,
        inside: inside || whole,
        whole,
        label: "",
      };
    });
    const first = parts.find((part) => part.inside) ?? parts[0];
    if (first) first.label = label;
    return parts;
  });
}

export function paintMarks(ctx, parts, view, inks, ratio) {
  ctx.save();
  ctx.scale(ratio, ratio);
  ctx.font = "600 13px system-ui, sans-serif";
  ctx.textBaseline = "middle";
  for (const { x0, x1, y0, y1, inside, whole, label } of parts) {
    const [left, top, right, bottom] = [view.toX(x0), view.toY(y0) + 1, view.toX(x1), view.toY(y1) - 1];
    ctx.fillStyle = ctx.strokeStyle = inks.mark;
    if (inside) {
      ctx.globalAlpha = whole ? 0.08 : 0.17;
      ctx.fillRect(left, top, right - left, bottom - top);
    }
    ctx.globalAlpha = 0.8;
    ctx.setLineDash(inside ? [] : [5, 4]); // the place lies outside of what this panel shows
    ctx.strokeRect(left + 0.5, top + 0.5, right - left - 1, bottom - top - 1);
    ctx.globalAlpha = 1;
    if (!label) continue;
    const words = label.length > 60 ? `${label.slice(0, 59)}…` : label;
    const width = ctx.measureText(words).width + 14;
    const [x, y] = [
      Math.max(2, Math.min(left, view.width - width - 2)),
      Math.max(2, Math.min(bottom - 22, view.height - 24)),
    ];
    ctx.setLineDash([]);
    ctx.fillRect(x, y, width, 20);
    ctx.fillStyle = "#ffffff";
    ctx.fillText(words, x + 7, y + 10.5);
  }
  ctx.restore();
}
