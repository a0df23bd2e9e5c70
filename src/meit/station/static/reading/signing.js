/* The signature: the text once more, who signs, and each contradiction to be acknowledged by itself. */

import { ask, byId, make } from "../api.js";
import { notRead } from "./notread.js";

export class Signing {
  constructor(page) {
    this.page = page;
    this.button = byId("sign");
    this.box = byId("signing");
    this.button.addEventListener("click", () => this.open());
  }

  show() {
    const { known, data, signed, editor } = this.page;
    const text = editor.text.trim();
    const same = signed && editor.text === signed.text;
    this.button.textContent = signed ? "Amend…" : "Sign…";
    this.button.disabled = !data.may_sign || !known.text || !text || Boolean(same);
    const open = known.checked?.contradicted.length ?? 0;
    this.button.classList.toggle("doubtful", open > 0);
    this.button.title = open ? `${open} contradicted: to be acknowledged one by one` : "";
  }

  async open() {
    const { page } = this;
    try {
      await page.editor.save();
      await page.editor.check();
    } catch {
      return; // the editor says why
    }
    const { known, editor } = page;
    const { contradicted, unmentioned } = known.checked;
    const unchanged = editor.text.trim() === known.draft.report.trim();
    const doubts = unchanged ? known.draft.warnings.filter((words) => !/^(contradicted|not mentioned|removed):/.test(words)) : [];
    const amends = Boolean(page.signed);
    const ticks = contradicted.map((words) => make("input", { type: "checkbox", value: words }));
    const reason = make("input", { maxlength: "200", required: true, autocomplete: "off" });
    const go = make("button", { type: "submit", class: "main" }, amends ? "Sign the amendment" : "Sign the report");
    const fault = make("p", { class: "said", role: "alert", hidden: true });
    const ready = () => {
      go.disabled = !ticks.every((tick) => tick.checked) || (amends && !reason.value.trim());
    };
    const form = make(
      "form",
      { method: "dialog" },
      make("h2", { id: "signing-title" }, amends ? "Amend the report" : "Sign the report"),
      make("div", { class: "to-sign" }, ...page.editor.text.trim().split("\n").map((line) => make("p", {}, line))),
      contradicted.length
        ? make(
            "fieldset",
            { class: "contradictions" },
            make("legend", {}, "The measurements contradict this. I have looked at the tracing:"),
            ...contradicted.map((words, place) => make("label", { class: "tick" }, ticks[place], ` ${words}`)),
          )
        : null,
      unchanged ? make("p", { class: "note" }, "These are the model's words, unchanged.") : null,
      ...doubts.map((words) => make("p", { class: "note capital" }, words)),
      unmentioned.length ? make("p", { class: "note" }, `Not mentioned: ${unmentioned.map((one) => one.words).join("; ")}`) : null,
      ...notRead(known.checked).map((one) => make("p", { class: "note" }, `Not read, and stays text only: “${one.text}”`)),
      amends ? make("label", {}, "Reason of the amendment ", reason) : null,
      make("p", {}, "You sign as ", make("strong", {}, page.data.signer), `, ${page.data.profession}`),
      fault,
      make("div", { class: "actions" }, make("button", { type: "button", onclick: () => this.box.close() }, "Cancel"), go),
    );
    form.addEventListener("input", ready);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      go.disabled = true;
      try {
        await this.sign(ticks.map((tick) => tick.value), amends ? reason.value : "");
        this.box.close();
      } catch (error) {
        fault.hidden = false;
        fault.textContent = error.message;
        ready();
      }
    });
    ready();
    this.box.replaceChildren(form);
    this.box.showModal();
    (ticks[0] ?? (amends ? reason : go)).focus();
  }

  async sign(acknowledged, reason) {
    const { page } = this;
    const body = { version: page.editor.version, acknowledged, reason };
    await ask(`${page.data.api}/signature`, { method: "POST", body });
    page.say("Signed.");
    await page.load();
    byId("exports").querySelector("summary").focus();
  }
}
