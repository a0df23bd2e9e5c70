/* The line through the samples of one lead. Nothing is left out that a pixel could show.

Where samples outnumber pixels, only the lowest and the highest of each pixel are kept; and points that lie on a straight
line to a fifth of a pixel are one stroke, which makes the flat stretches between the waves cheap. */

const DENSE = 2; // samples a pixel, from which the lowest and the highest stand for all of a pixel
const TOLERATED = 0.2; // pixels

/** ctx: with a path begun. Sample i, from `first` to `last`, lies at x0 + (i - first) * step; v mV at zero + v * scale. */
export function traceLine(ctx, values, { first, last, x0, step, zero, scale }) {
  const line = new Line(ctx);
  if (step * DENSE >= 1) {
    for (let i = first; i <= last; i++) {
      const value = values[i];
      if (value === value) line.to(x0 + (i - first) * step, zero + value * scale);
      else line.lift();
    }
  } else extremes(line, values, { first, last, x0, step, zero, scale });
  line.lift();
}

function extremes(line, values, { first, last, x0, step, zero, scale }) {
  let i = first;
  while (i <= last) {
    const next = Math.min(last + 1, first + Math.ceil((Math.floor(x0 + (i - first) * step) + 1 - x0) / step));
    let low = -1,
      high = -1,
      gap = false;
    for (const end = Math.max(next, i + 1); i < end; i++) {
      const value = values[i];
      if (value !== value) gap = true;
      else {
        if (low < 0 || value < values[low]) low = i;
        if (high < 0 || value > values[high]) high = i;
      }
    }
    if (low >= 0) {
      const [one, other] = low < high ? [low, high] : [high, low];
      line.to(x0 + (one - first) * step, zero + values[one] * scale);
      if (one !== other) line.to(x0 + (other - first) * step, zero + values[other] * scale);
    }
    if (gap) line.lift();
  }
}

/** Draws from point to point, but holds back those within a straight sleeve; `lift` ends the line, as a gap does. */
class Line {
  constructor(ctx) {
    this.ctx = ctx;
    this.down = this.held = false;
  }

  to(x, y) {
    if (!this.down) {
      this.ctx.moveTo(x, y);
      this.down = this.dot = true;
      this.held = false;
      this.from(x, y);
      return;
    }
    this.dot = false;
    const dx = x - this.x;
    const slope = (y - this.y) / dx;
    if (this.held && (slope < this.least || slope > this.most)) {
      this.ctx.lineTo(this.lastX, this.lastY);
      this.from(this.lastX, this.lastY);
      this.held = false;
      this.to(x, y);
      return;
    }
    this.least = Math.max(this.least, (y - TOLERATED - this.y) / dx);
    this.most = Math.min(this.most, (y + TOLERATED - this.y) / dx);
    [this.lastX, this.lastY, this.held] = [x, y, true];
  }

  from(x, y) {
    [this.x, this.y, this.least, this.most] = [x, y, -Infinity, Infinity];
  }

  /** A sample between two gaps is a dot. */
  lift() {
    if (this.held) this.ctx.lineTo(this.lastX, this.lastY);
    else if (this.down && this.dot) this.ctx.lineTo(this.x, this.y);
    this.down = this.held = false;
  }
}
