/* In study mode the report is finished instead of signed, and the next recording follows. */

import { ask, byId } from "../api.js";

export class Finishing {
  constructor(page) {
    this.page = page;
    this.button = byId("sign");
    this.button.textContent = "Finish";
    this.button.addEventListener("click", () => this.open());
    byId("exports").hidden = true;
    document.addEventListener("visibilitychange", () => document.hidden && this.keep());
  }

  /** The time so far, also when nothing was typed: a reload begins where the reader left. */
  keep() {
    const { page } = this;
    if (this.finished || !this.begun) return;
    const body = page.saving(page.editor.text);
    ask(`${page.data.api}/text`, { method: "PUT", body, keepalive: true }).catch(() => {}); // the next save says it
  }

  show() {
    if (!this.begun) this.page.clock.add(this.page.known);
    this.begun = true;
    this.button.disabled = !this.page.editor.text.trim();
  }

  async open() {
    const { page } = this;
    this.button.disabled = true;
    page.clock.sign();
    try {
      const body = { text: page.editor.text, ...page.clock.progress };
      await ask(`${page.data.api}/finish`, { method: "POST", body });
      page.editor.savedText = page.editor.text;
      this.finished = true;
      location.assign(page.data.next);
    } catch (error) {
      page.editor.tell(error.message);
      this.show();
    }
  }
}
