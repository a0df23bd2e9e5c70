/* The page of one recording: viewer, findings, text, signature. What each part does stands in its own module. */

import { EcgViewer } from "../viewer/viewer.js";
import { ask, byId } from "../api.js";
import { Clock } from "../study/clock.js";
import { Finishing } from "../study/finishing.js";
import { Asking } from "./asking.js";
import { Editor } from "./editor.js";
import { Findings } from "./findings.js";
import { keys } from "./keys.js";
import { menu } from "./menu.js";
import { Signing } from "./signing.js";
import { showState } from "./state.js";
import { Steps } from "./steps.js";

const WAIT_MS = 2000; // while a draft is being written

class Page {
  constructor(data) {
    this.data = data;
    this.findings = new Findings(this);
    this.editor = new Editor(this);
    this.clock = data.mode === "study" ? new Clock(data) : null;
    this.signing = this.clock ? new Finishing(this) : new Signing(this);
    this.steps = new Steps(this);
    if (byId("asking")) this.asking = new Asking(data.api);
    menu(byId("exports"));
    keys(this);
  }

  async load() {
    this.known = await ask(this.data.api);
    const { checked, previous, status, text } = this.known;
    if (checked) checked.text = text.text;
    if (!this.viewer) this.look(previous);
    this.showAll();
    if (status === "queued" || status === "drafting") setTimeout(() => this.load(), WAIT_MS);
  }

  look(previous) {
    this.viewer = new EcgViewer(byId("viewer"), {
      url: `${this.data.api}/view`,
      previousUrl: previous && `/api/recordings/${previous.id}/view`,
    });
    this.viewer.ready.catch(() => {}); // the viewer says it itself
  }

  showAll() {
    showState(this);
    this.editor.show();
    this.findings.show();
    this.editor.notRead.show(this.known.checked);
    this.signing.show();
  }

  /** The text was checked anew, or saved. */
  changed() {
    this.findings.show();
    this.editor.notRead.show(this.known.checked);
    this.signing.show();
  }

  /** What is sent when a text is checked: held against the draft that it began with, whatever was drafted since. */
  checking(text) {
    return this.clock ? { text } : { text, draft: this.editor.draft };
  }

  /** What is sent when a text is saved. */
  saving(text) {
    return this.clock ? { text, ...this.clock.progress } : { text, version: this.editor.version, draft: this.editor.draft };
  }

  get signed() {
    return this.known.versions[0] ?? null;
  }

  say(words) {
    byId("live").textContent = words;
  }
}

const page = new Page(JSON.parse(byId("data").textContent));
page.load().catch((error) => {
  byId("state").textContent = error.message;
});
window.page = page; // for the console, and for tests
