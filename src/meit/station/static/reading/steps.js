/* To the recordings beside this one in the worklist, as it was last shown in this tab. */

import { byId } from "../api.js";

export class Steps {
  constructor(page) {
    this.page = page;
    this.order = JSON.parse(sessionStorage.getItem("worklist") ?? "[]");
    this.at = this.order.indexOf(page.data.api.split("/").pop());
    for (const [id, by] of [["before", -1], ["after", 1]]) {
      byId(id).disabled = !this.can(by);
      byId(id).addEventListener("click", () => this.go(by));
    }
    byId("place").textContent = `${this.at + 1} of ${this.order.length}`;
    byId("before").parentElement.hidden = this.at < 0; // opened by its address, or in a study
  }

  can(by) {
    return this.at >= 0 && this.order[this.at + by] !== undefined;
  }

  go(by) {
    if (this.can(by)) this.leave(`/recordings/${this.order[this.at + by]}`);
  }

  /** Once all is saved; where that fails, the editor says why, and one stays. */
  leave(address) {
    const { editor } = this.page;
    const saved = editor.dirty ? editor.save() : Promise.resolve();
    return saved.then(() => location.assign(address), () => {});
  }
}
