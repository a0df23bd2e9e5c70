/* The sheet as pages of A4, landscape, true to scale: SVG in millimetres, put at the end of the page for printing.

A sheet that is wider or higher than a page's grid goes on to further pages; no row and no square is cut. */

import { make } from "./dom.js";
import { panelX, panelY, pulsePoints } from "./sheet.js";

const SVG = "http://www.w3.org/2000/svg";
const PAGE = { width: 297, height: 210, left: 11, top: 32, wide: 275, high: 160 }; // mm, as meit.ecg.paper's
const BEHIND = 10; // mm of a sheet without anything, which need no page
const TRACE = 0.28; // mm, 0.8 pt
const FONT = "DejaVu Sans, Helvetica, Arial, sans-serif";
const MOST_NOTES = 2,
  MOST_LETTERS = 150;

/** words: {name, patient, start, length, scale, notes}. Returns the pages' element. */
export function printedPages(sheet, inks, words) {
  const corners = [];
  for (let y = 0; y < sheet.height; y += PAGE.high) {
    for (let x = 0; x < sheet.width - BEHIND; x += PAGE.wide) corners.push([x, y]);
  }
  const pages = corners.map(([x, y], number) =>
    page(sheet, inks, { ...words, page: number + 1, pages: corners.length }, x, y),
  );
  return make("div", { class: "ecg-print" }, ...pages);
}

function svg(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function page(sheet, inks, words, x, y) {
  const { width, height, left, top, wide, high } = PAGE;
  const sheetOf = svg("svg", {
    viewBox: `0 0 ${width} ${height}`,
    width: `${width}mm`,
    height: `${height}mm`,
    class: "ecg-page",
  });
  const right = left + wide,
    foot = top + high;
  const text = (at, from, size, what, more = {}) =>
    what &&
    sheetOf.append(
      svg("text", { x: at, y: from, "font-size": size, fill: inks.ink, "font-family": FONT, ...more }, what),
    );
  text(left, 15, 4.6, words.name, { "font-weight": "bold" });
  text(right, 15, 3.2, words.start, { "text-anchor": "end" });
  text(left, 21.5, 3.2, words.patient);
  text(right, 21.5, 3.2, words.length, { "text-anchor": "end" });
  fitted(words.notes).forEach((note, line) => text(left, 26 + 3.7 * line, 2.6, note, { fill: inks.note }));
  text(left, foot + 6, 2.8, words.scale, { fill: inks.grey });
  if (words.pages > 1) text(right, 26, 3.2, `page ${words.page} of ${words.pages}`, { "text-anchor": "end" });
  text(right, foot + 6, 2.8, words.other, { fill: inks.previous, "text-anchor": "end" });
  const grid = svg("svg", { x: left, y: top, width: wide, height: high, viewBox: `${x} ${y} ${wide} ${high}` });
  grid.append(svg("rect", { x, y, width: wide, height: high, fill: inks.paper }));
  for (const [step, colour, line] of [
    [1, inks.fine, 0.12],
    [5, inks.coarse, 0.18],
  ]) {
    let path = "";
    for (let at = 0; at <= wide; at += step) path += `M${x + at},${y}v${high}`;
    for (let at = 0; at <= high; at += step) path += `M${x},${y + at}h${wide}`;
    grid.append(svg("path", { d: path, stroke: colour, "stroke-width": line }));
  }
  const ink = (d, more = {}) =>
    svg("path", {
      d,
      fill: "none",
      stroke: inks.ink,
      "stroke-width": TRACE,
      "stroke-linejoin": "round",
      "stroke-linecap": "round",
      ...more,
    });
  for (const pulse of sheet.pulses) {
    grid.append(
      ink(
        `M${pulsePoints(pulse, sheet)
          .map((point) => point.join(","))
          .join("L")}`,
        { class: "ecg-pulse" },
      ),
    );
  }
  for (const panel of sheet.panels) {
    if (panel.x + panel.width <= x || panel.x >= x + wide || panel.bottom <= y || panel.top >= y + high) continue;
    if (!panel.empty) {
      const more = panel.ink === "previous" ? { stroke: inks.previous } : {};
      if (panel.together) more["stroke-width"] = 0.7 * TRACE;
      grid.append(ink(tracePath(panel, sheet), { class: "ecg-trace", "data-lead": panel.lead, ...more }));
    }
    words.ofPanel(panel).forEach(({ at, from, what, centre }) =>
      grid.append(
        svg(
          "text",
          {
            x: Math.max(at, x + 1.5),
            y: from,
            "font-size": 3.2,
            fill: centre ? inks.grey : inks.ink,
            "text-anchor": centre ? "middle" : "start",
            "font-weight": centre ? "normal" : "bold",
            "font-family": FONT,
          },
          what,
        ),
      ),
    );
    if (panel.column && panel.x > x)
      grid.append(ink(`M${panel.x},${panel.y - 3}v6`, { stroke: inks.grey, "stroke-width": 0.25 }));
  }
  for (const panel of sheet.panels) {
    const dashes = panel.empty
      ? ""
      : (sheet.marks ?? []).map((at) => `M${panelX(panel, at, sheet)},${panel.top + 2}V${panel.bottom - 2}`).join("");
    if (dashes) grid.append(ink(dashes, { stroke: inks.mark, "stroke-width": 0.15, "stroke-dasharray": "0.6 0.8" }));
  }
  for (const { title, ms, x0, x1, y: at } of sheet.brackets ?? []) {
    grid.append(ink(`M${x0},${at - 1.2}v2.4M${x0},${at}H${x1}M${x1},${at - 1.2}v2.4`, { stroke: inks.mark }));
    grid.append(
      svg(
        "text",
        { x: x1 + 2, y: at + 1.1, "font-size": 3.2, fill: inks.mark, "font-family": FONT },
        `${title} ${ms} ms`,
      ),
    );
  }
  for (const { at, from, what, bold, ink: colour } of sheet.list ?? []) {
    grid.append(
      svg(
        "text",
        {
          x: at,
          y: from + 1.1,
          "font-size": 3.2,
          fill: inks[colour],
          "font-weight": bold ? "bold" : "normal",
          "font-family": FONT,
        },
        what,
      ),
    );
  }
  sheetOf.append(grid);
  return sheetOf;
}

function tracePath(panel, sheet) {
  const points = [];
  let pen = "M";
  for (let i = panel.first; i <= panel.last; i++) {
    const value = panel.values[i];
    if (!Number.isFinite(value)) {
      pen = "M";
      continue;
    }
    const at = `${panelX(panel, panel.offset + i / panel.rate, sheet).toFixed(3)},${panelY(panel, value, sheet).toFixed(3)}`;
    points.push(pen === "M" ? `M${at}h0` : `L${at}`);
    pen = "L";
  }
  return points.join("");
}

function fitted(notes) {
  const lines = notes
    .slice(0, MOST_NOTES)
    .map((note) => (note.length <= MOST_LETTERS ? note : `${note.slice(0, MOST_LETTERS - 1)}…`));
  if (notes.length > MOST_NOTES)
    lines[MOST_NOTES - 1] = `${lines[MOST_NOTES - 1].slice(0, 110)}  (and ${notes.length - MOST_NOTES} more)`;
  return lines;
}
