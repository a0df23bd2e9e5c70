/* A question to the model about this ECG. The answer stands apart from the report: it is neither saved nor signed. */

import { ask, byId, make } from "../api.js";

const WAIT_MS = 700; // between two looks for the answer
const PATIENCE = 170; // looks, two minutes
const MARKS = { measured: "✓ measured", contradicted: "! contradicted", unchecked: "? unchecked" };

export class Asking {
  constructor(api) {
    this.url = `${api}/questions`;
    this.form = byId("asking").querySelector("form");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send(byId("question").value);
    });
  }

  async send(question) {
    const button = this.form.querySelector("button");
    button.disabled = true;
    this.show(make("p", { class: "quiet" }, "The model is asked…"));
    try {
      const { id } = await ask(this.url, { method: "POST", body: { question } });
      this.answered(await this.wait(`${this.url}/${id}`));
    } catch (error) {
      this.show(make("p", { class: "note capital" }, error.message));
    }
    button.disabled = false;
  }

  async wait(url) {
    for (let look = 0; look < PATIENCE; look += 1) {
      const found = await ask(url);
      if (found.error) throw new Error(found.error);
      if (found.answer) return found.answer;
      await new Promise((done) => setTimeout(done, WAIT_MS));
    }
    throw new Error("no answer yet: all workers are busy; ask again later");
  }

  answered({ question, answer, statements, warnings, model, note }) {
    const checks = statements.map((one) => make("li", {}, `${MARKS[one.support]}: ${one.evidence || one.text}`));
    this.show(
      make("p", { class: "quiet" }, `Asked: ${question}`),
      make("p", { class: "words" }, answer || "(no words)"),
      make("ul", {}, ...checks),
      ...warnings.map((words) => make("p", { class: "note capital" }, words)),
      make("p", { class: "quiet" }, `${note} Model ${model.name} ${model.version} (${model.sha256.slice(0, 12)}).`),
    );
  }

  show(...children) {
    byId("answer").replaceChildren(...children);
  }
}
