/* Puts the sheet's printed pages into the document while it is printed, however printing was asked for. */

import { INKS } from "./inks.js";
import { printedPages } from "./print.js";
import { aboutPatient, notes, previousWords, scaleWords, stretch } from "./words.js";

const PRINTING = "ecg-printing"; // a class of the root element, by which the rest of the page is left out

export class Pages {
  constructor(viewer) {
    this.viewer = viewer;
    this.listeners = { beforeprint: () => this.put(), afterprint: () => this.take() };
    for (const [name, run] of Object.entries(this.listeners)) addEventListener(name, run);
  }

  put() {
    const { viewer } = this;
    if (!viewer.sheet || !viewer.root.isConnected) return;
    this.take();
    const { about } = viewer.ecg;
    const words = {
      name: about.name,
      patient: aboutPatient(about),
      start: about.start ?? "",
      length: stretch(viewer),
      scale: scaleWords(viewer),
      notes: notes(viewer),
      other: previousWords(viewer),
      ofPanel: (panel) => viewer.names.printed(panel),
    };
    this.element = printedPages(viewer.sheet, INKS[viewer.state.grid], words);
    document.body.append(this.element);
    document.documentElement.classList.add(PRINTING);
  }

  take() {
    this.element?.remove();
    document.documentElement.classList.remove(PRINTING);
  }

  destroy() {
    for (const [name, run] of Object.entries(this.listeners)) removeEventListener(name, run);
    this.take();
  }
}
