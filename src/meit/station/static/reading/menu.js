/* A menu of the page is open until something else is done. */

export function menu(details) {
  const close = () => (details.open = false);
  document.addEventListener("pointerdown", (event) => details.contains(event.target) || close());
  details.addEventListener("focusout", (event) => event.relatedTarget && !details.contains(event.relatedTarget) && close());
  details.addEventListener("click", (event) => event.target.closest("a") && close());
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    close();
    details.querySelector("summary").focus();
  });
}
