/* In study mode the report is finished instead of signed, and the next recording follows. */

import { ask, byId } from "../api.js";

export class Finishing {
  constructor(page) {
    this.page = page;
    this.button = byId("sign");
    this.button.textContent = "Finish";
    this.button.addEventListener("click", () => this.open());
    byId("exports").hidden = true;
  }

  show() {
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
      location.assign(page.data.next);
    } catch (error) {
      page.editor.tell(error.message);
      this.show();
    }
  }
}
