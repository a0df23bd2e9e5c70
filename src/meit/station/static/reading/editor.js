/* The text: checked and saved as it is typed, with statements to complete. */

import { ask, byId, make } from "../api.js";
import { NotRead } from "./notread.js";
import { Underline } from "./underline.js";

const SAVE_MS = 700; // after the last key
const CHECK_MS = 250;
const MOST_OFFERS = 7;

export class Editor {
  constructor(page) {
    this.page = page;
    this.area = byId("text");
    this.under = new Underline(this.area);
    this.notRead = new NotRead(this.area);
    this.offers = byId("offers");
    this.list = [];
    this.at = -1;
    this.area.addEventListener("input", () => this.typed());
    this.area.addEventListener("keydown", (event) => this.pressed(event));
    this.area.addEventListener("blur", () =>
      setTimeout(() => document.activeElement === this.area || this.offer([]), 150),
    );
    byId("restart").addEventListener("click", () => this.write(page.known.draft.report, 0, this.text.length));
    byId("again").addEventListener("click", () => this.again());
    addEventListener("beforeunload", (event) => this.dirty && event.preventDefault());
  }

  show() {
    const { known, data } = this.page;
    if (known.text && this.version === undefined) {
      this.version = known.text.version;
      this.draft = known.text.draft;
      this.area.value = this.savedText = known.text.text;
      this.fit();
    }
    this.area.disabled = !known.text || !data.may_sign;
    this.tell();
  }

  get text() {
    return this.area.value;
  }

  get dirty() {
    return this.savedText !== undefined && this.text !== this.savedText;
  }

  typed() {
    this.fit();
    if (this.page.known.checked) this.under.show(this.page.known.checked, null);
    this.suggest();
    this.tell();
    clearTimeout(this.checking);
    clearTimeout(this.saving);
    this.checking = setTimeout(() => this.check(), CHECK_MS);
    this.saving = setTimeout(() => this.save().catch(() => {}), SAVE_MS);
    this.page.signing.show();
  }

  async check() {
    if (!this.page.known.checked) return; // nothing is drafted, or nothing shall be seen of it
    this.asking?.abort();
    this.asking = new AbortController();
    const text = this.text;
    try {
      const found = await ask(`${this.page.data.api}/check`, { method: "POST", body: this.page.checking(text), signal: this.asking.signal });
      if (text !== this.text) return;
      this.page.known.checked = { ...found, text };
      this.page.changed();
    } catch (error) {
      if (error.name !== "AbortError") this.tell(error.message);
    }
  }

  /** Saves what is there, one request after the other; resolves when the text is what the station has. */
  save() {
    this.last = (this.last ?? Promise.resolve()).catch(() => {}).then(() => this.saveNow());
    return this.last;
  }

  async saveNow() {
    clearTimeout(this.saving);
    if (!this.dirty && this.version > 0) return;
    const text = this.text;
    try {
      const answer = await ask(`${this.page.data.api}/text`, { method: "PUT", body: this.page.saving(text) });
      this.version = answer.version;
      this.savedText = text;
      this.tell();
    } catch (error) {
      this.tell(error.status === 409 ? "Someone else has changed this text: copy what you need of yours, then reload the page" : error.message);
      throw error;
    }
    this.page.signing.show();
  }

  tell(fault = "") {
    const place = byId("saved");
    place.classList.toggle("bad", Boolean(fault));
    if (fault) place.textContent = fault;
    else if (this.dirty) place.textContent = "not saved yet";
    else place.textContent = this.version > 0 && this.text ? "saved" : this.page.known.draft ? "as drafted" : "";
    const draft = this.page.known.draft;
    byId("restart").hidden = !draft?.report || this.text === draft.report || this.area.disabled;
  }

  /** As if it were typed, so that undo takes it back: the one command that browsers have for it. */
  write(text, from, to) {
    this.area.focus();
    this.area.setSelectionRange(from, to);
    if (text === "" && from === to) return;
    document.execCommand(text ? "insertText" : "delete", false, text);
    this.offer([]);
  }

  /** A sentence at the end. */
  add(sentence) {
    if (this.area.disabled) return;
    const kept = this.text.trimEnd();
    const stop = kept && !/[.!?:]$/.test(kept) ? "." : "";
    this.write(kept ? `${stop} ${sentence}` : sentence, kept.length, this.text.length);
    this.page.say(`${sentence} added`);
  }

  async again() {
    await ask(`${this.page.data.api}/again`, { method: "POST" });
    this.page.load();
  }

  fit() {
    this.area.style.height = "auto";
    this.area.style.height = `${Math.min(420, Math.max(96, this.area.scrollHeight + 4))}px`;
  }

  /* Completion: of the sentence before the cursor. */

  fragment() {
    const upTo = this.area.selectionStart;
    if (upTo !== this.area.selectionEnd) return null;
    const before = this.text.slice(0, upTo);
    const start = Math.max(before.lastIndexOf(". ") + 1, before.lastIndexOf(".\n") + 1, before.lastIndexOf("\n") + 1);
    const from = start + before.slice(start).search(/\S|$/);
    return { from, upTo, words: before.slice(from).toLowerCase() };
  }

  suggest() {
    const given = this.fragment();
    if (!given || given.words.length < 2 || given.words.endsWith(".")) return this.offer([]);
    const parts = given.words.split(/\s+/);
    const begins = (phrase) => phrase.toLowerCase().startsWith(given.words);
    const holds = (phrase) => parts.every((part) => phrase.toLowerCase().split(/[\s,]+/).some((word) => word.startsWith(part)));
    const { phrases } = this.page.data;
    this.offer([...phrases.filter(begins), ...phrases.filter((one) => !begins(one) && holds(one))].slice(0, MOST_OFFERS));
  }

  offer(list) {
    this.list = list;
    this.at = -1;
    this.offers.replaceChildren(
      ...list.map((phrase, place) =>
        make("li", { role: "option", id: `offer-${place}`, onmousedown: (event) => {
          event.preventDefault();
          this.take(place);
        } }, phrase),
      ),
    );
    this.offers.hidden = !list.length;
    this.area.setAttribute("aria-expanded", String(list.length > 0));
    this.area.removeAttribute("aria-activedescendant");
  }

  choose(step) {
    this.at = (this.at + step + this.list.length) % this.list.length;
    [...this.offers.children].forEach((one, place) => one.setAttribute("aria-selected", String(place === this.at)));
    this.area.setAttribute("aria-activedescendant", `offer-${this.at}`);
  }

  take(place) {
    const { from, upTo } = this.fragment();
    const phrase = this.list[place];
    this.write(`${phrase} `, from, upTo);
    this.page.say(`${phrase} inserted`);
  }

  pressed(event) {
    if (!this.list.length) return;
    if (event.key === "ArrowDown") this.choose(1);
    else if (event.key === "ArrowUp") this.choose(-1);
    else if (event.key === "Escape") this.offer([]);
    else if (event.key === "Tab" && !event.shiftKey) this.take(Math.max(0, this.at));
    else if (event.key === "Enter" && this.at >= 0) this.take(this.at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
