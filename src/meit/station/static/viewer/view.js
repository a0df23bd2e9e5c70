/* Which part of the sheet is seen, and how large: mm of the sheet to CSS pixels of the stage. */

import { GRID_HEIGHT } from "./sheet.js";

const CSS_MM = 96 / 25.4; // pixels a millimetre, as CSS has it
const LEAST = 0.15,
  MOST = 16; // of true size
const STORED = "meit.viewer.screen"; // by how much a millimetre of CSS is off on this screen

export class View {
  constructor() {
    [this.x, this.y, this.scale] = [0, 0, CSS_MM]; // mm at the upper left corner; CSS pixels a mm
    [this.width, this.height] = [1, 1]; // of the stage, CSS pixels
    this.fits = true; // follows the stage's size until someone zooms
    this.factor = readFactor();
  }

  get truth() {
    return CSS_MM * this.factor;
  }

  /** 1 is true size. */
  get zoom() {
    return this.scale / this.truth;
  }

  setFactor(factor) {
    this.factor = Math.min(2, Math.max(0.5, factor));
    try {
      localStorage.setItem(STORED, String(this.factor));
    } catch {
      /* private windows keep nothing: it holds until the page is left */
    }
  }

  fit(sheet) {
    this.fits = true;
    const high = Math.min(sheet.height, GRID_HEIGHT); // of two recordings, one beneath the other, half is seen
    this.scale = Math.max(LEAST * this.truth, Math.min(this.width / sheet.width, this.height / high));
    [this.x, this.y] = [0, 0];
    this.keep(sheet);
  }

  /** Zooms by a factor around a place of the stage, which stays where it is. */
  zoomAt(sheet, factor, px = this.width / 2, py = this.height / 2) {
    const scale = Math.min(MOST * this.truth, Math.max(LEAST * this.truth, this.scale * factor));
    this.x += px / this.scale - px / scale;
    this.y += py / this.scale - py / scale;
    this.scale = scale;
    this.fits = false;
    this.keep(sheet);
  }

  trueSize(sheet) {
    this.zoomAt(sheet, this.truth / this.scale);
  }

  /** By CSS pixels; false where the sheet was at its edge already. */
  pan(sheet, dx, dy) {
    const [x, y] = [this.x, this.y];
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this.keep(sheet);
    return Math.abs(this.x - x) + Math.abs(this.y - y) > 1e-9;
  }

  /** Moves as little as shows this part of the sheet. */
  reveal(sheet, { x0, x1, y0, y1 }) {
    const [w, h] = [this.width / this.scale, this.height / this.scale];
    this.x = Math.max(Math.min(this.x, x0), Math.min(x0, x1 - w));
    this.y = Math.max(Math.min(this.y, y0), Math.min(y0, y1 - h));
    this.keep(sheet);
  }

  /** No further than the sheet's edges; what is smaller than the stage lies in its middle. */
  keep(sheet) {
    const inside = (at, whole, seen) => (whole <= seen ? (whole - seen) / 2 : Math.min(Math.max(at, 0), whole - seen));
    this.x = inside(this.x, sheet.width, this.width / this.scale);
    this.y = inside(this.y, sheet.height, this.height / this.scale);
  }

  toX(mm) {
    return (mm - this.x) * this.scale;
  }

  toY(mm) {
    return (mm - this.y) * this.scale;
  }
}

function readFactor() {
  try {
    const factor = Number(localStorage.getItem(STORED));
    return factor >= 0.5 && factor <= 2 ? factor : 1;
  } catch {
    return 1;
  }
}
