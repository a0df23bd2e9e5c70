/* Elements made by hand: texts go in as text, so that nothing a recording says is ever read as markup. */

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return element;
}

export function place(element, x, y) {
  element.style.transform = `translate(${x.toFixed(2)}px, ${y.toFixed(2)}px)`;
}
