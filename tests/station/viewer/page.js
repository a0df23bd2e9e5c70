import { EcgViewer } from "./viewer/viewer.js";

const asked = new URLSearchParams(location.search);
const address = (name) => asked.get(name) && `${asked.get(name)}/view.json`;
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
window.viewer = new EcgViewer(document.getElementById("ecg"), { url: address("ecg"), previousUrl: address("previous") });
window.viewer.ready.then(() => "drawn", (error) => error.message).then((outcome) => { window.outcome = outcome; });
