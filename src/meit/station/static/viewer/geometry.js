/* Where things are drawn, in CSS pixels of the stage: for tests, and for what an application lays over the sheet. */

import { panelX, panelY, pulsePoints } from "./sheet.js";

export function geometry(sheet, view) {
  const panels = sheet.panels.map((panel) => ({
    lead: panel.lead,
    ink: panel.ink,
    empty: panel.empty,
    together: Boolean(panel.together),
    gaps: panel.gaps,
    left: view.toX(panel.x),
    right: view.toX(panel.x + panel.width),
    top: view.toY(panel.top),
    bottom: view.toY(panel.bottom),
    baseline: view.toY(panelY(panel, panel.level, sheet)),
    zero_s: view.toX(panelX(panel, 0, sheet)),
    from_s: panel.t0,
    to_s: panel.t0 + panel.seconds,
    px_per_s: sheet.speed * view.scale,
    px_per_mv: sheet.gain * view.scale,
  }));
  const pulses = sheet.pulses.map((pulse) => pulsePoints(pulse, sheet).map(([x, y]) => [view.toX(x), view.toY(y)]));
  return {
    px_per_mm: view.scale,
    zoom: view.zoom,
    width_mm: sheet.width,
    height_mm: sheet.height,
    panels,
    pulses,
    brackets: sheet.brackets ?? [],
  };
}
