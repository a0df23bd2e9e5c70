/* Checks the audit trail and says what was found. */

import { ask, byId } from "./api.js";

byId("verify").addEventListener("submit", async (event) => {
  event.preventDefault();
  const verdict = byId("verdict");
  verdict.hidden = false;
  verdict.textContent = "Checking …";
  const anchor = event.target.elements.anchor.value.trim();
  try {
    const found = await ask(`/api/audit?anchor=${encodeURIComponent(anchor)}`);
    verdict.classList.toggle("bad", !found.holds);
    verdict.textContent = found.holds
      ? `The trail holds: ${found.rows} events. Anchor: ${found.head}`
      : `The trail does not hold: ${found.faults.join("; ")}`;
  } catch (error) {
    verdict.classList.add("bad");
    verdict.textContent = error.message;
  }
});
