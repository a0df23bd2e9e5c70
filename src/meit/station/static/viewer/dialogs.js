/* The list of keys, and the true scale of this screen: a bar is matched with a bank card. */

import { setScale } from "./commands.js";
import { make } from "./dom.js";

const CARD_MM = 85.6; // ISO/IEC 7810, ID-1

export function dialogs(viewer) {
  return { keys: keysDialog(viewer), scale: scaleDialog(viewer) };
}

function dialog(viewer, title, ...children) {
  const close = make("button", { type: "button", class: "ecg-button", onclick: () => box.close() }, "Close");
  const box = make("dialog", { class: "ecg-dialog", "aria-label": title }, make("h2", {}, title), close, ...children);
  viewer.root.append(box);
  return box;
}

function keysDialog(viewer) {
  const body = make("tbody");
  const box = dialog(viewer, "Keys", make("table", {}, body));
  return {
    open() {
      const rows = viewer.controls
        .list()
        .map(([key, what]) =>
          make(
            "tr",
            {},
            make("th", { scope: "row" }, make("kbd", {}, key.length === 1 ? key.toUpperCase() : key)),
            make("td", {}, what),
          ),
        );
      body.replaceChildren(...rows);
      box.showModal();
    },
  };
}

function scaleDialog(viewer) {
  const bar = make("div", { class: "ecg-card", "aria-hidden": "true" });
  const said = make("output", {});
  const slider = make("input", { type: "range", min: 0.6, max: 1.6, step: 0.002, "aria-label": "Width of the bar" });
  const update = () => {
    bar.style.width = `${CARD_MM * Number(slider.value)}mm`;
    said.textContent = `${Math.round(Number(slider.value) * 1000) / 10} % of what the browser takes for a millimetre`;
  };
  slider.addEventListener("input", () => {
    setScale(viewer, Number(slider.value));
    update();
  });
  const reset = make(
    "button",
    {
      type: "button",
      class: "ecg-button",
      onclick: () => {
        slider.value = 1;
        setScale(viewer, 1);
        update();
      },
    },
    "As the browser has it",
  );
  const words = `Hold a bank card (${CARD_MM} mm wide) to the screen and make the bar as wide as it. This screen keeps it.`;
  const box = dialog(viewer, "True scale on this screen", make("p", {}, words), bar, slider, said, reset);
  return {
    open() {
      slider.value = viewer.view.factor;
      update();
      box.showModal();
    },
  };
}
