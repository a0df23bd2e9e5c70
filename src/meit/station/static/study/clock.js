/* Active time: gaps between signs of activity while the page is in view, each cut at the longest pause that counts.
   The rule stands on the study's results page (meit.station.app.study_pages.RULE). */

const SIGNS = ["keydown", "pointermove", "pointerdown", "wheel", "touchmove", "scroll"];

export class Clock {
  constructor({ idle_ms }) {
    this.active = 0;
    this.keystrokes = 0;
    this.idle = idle_ms;
    this.last = performance.now(); // the first sight
    for (const name of SIGNS) addEventListener(name, () => this.sign(), { passive: true, capture: true });
    addEventListener("keydown", (event) => {
      if (event.target.id === "text" && !["Shift", "Control", "Alt", "Meta"].includes(event.key)) this.keystrokes += 1;
    });
    document.addEventListener("visibilitychange", () => (document.hidden ? this.sign() : (this.last = performance.now())));
  }

  /** What was counted before the page was loaded, which its last moment may still have added to. */
  add({ active_ms, keystrokes }) {
    this.active += active_ms;
    this.keystrokes += keystrokes;
  }

  sign() {
    const now = performance.now();
    this.active += Math.min(now - this.last, this.idle);
    this.last = now;
  }

  get progress() {
    return { active_ms: Math.round(this.active), keystrokes: this.keystrokes };
  }
}
