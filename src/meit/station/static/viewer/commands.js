/* What keys and buttons do with a viewer, beyond changing one state. */

export function setScale(viewer, factor) {
  const zoom = viewer.view.zoom;
  viewer.view.setFactor(factor);
  if (!viewer.view.fits) viewer.view.zoomAt(viewer.sheet, zoom / viewer.view.zoom);
  viewer.moved();
}

/** How many sheets the recording fills; what remains at its end and is shorter than a twentieth of one does not count. */
export function pagesOf({ ecg }) {
  const length = ecg.about.sheet_seconds;
  return Math.max(1, Math.ceil((ecg.seconds - 0.05 * length) / length));
}

export function turnPage(viewer, step) {
  const length = viewer.ecg.about.sheet_seconds;
  const page = Math.min(pagesOf(viewer) - 1, Math.max(0, Math.round(viewer.state.start / length) + step));
  return viewer.show({ start: page * length });
}

export function nextLead(viewer, back) {
  const { leads } = viewer.ecg.about;
  const at = leads.indexOf(viewer.state.lead);
  const next = back ? (at < 0 ? leads.length : at) - 1 : at + 1;
  const lead = leads[(next + leads.length) % leads.length];
  viewer.say(`Lead ${lead} highlighted`);
  return viewer.show({ lead });
}

/** Takes the calipers up, by mouse or finger to be placed anew, by keys at their first corner; or puts them down. */
export function toggleCalipers(viewer) {
  viewer.tool = viewer.tool === "caliper" ? "pan" : "caliper";
  if (viewer.tool === "caliper") {
    if (!viewer.calipers.corners) viewer.calipers.placeByKey();
    viewer.paint();
    viewer.calipers.handles[0].focus({ preventScroll: true });
  }
  viewer.stage.classList.toggle("ecg-measuring", viewer.tool === "caliper");
  viewer.controls.update();
}

export function toggleTable(viewer) {
  viewer.table.hidden = !viewer.table.hidden;
  viewer.controls.update();
  if (!viewer.table.hidden) viewer.table.focus();
}

/** One step back: calipers down, else from the single lead to the sheet, else no lead highlighted. */
export function escape(viewer) {
  if (viewer.tool === "caliper") toggleCalipers(viewer);
  else viewer.show({ lead: null, ...(viewer.state.layout === "lead" && { layout: "3x4" }) });
  viewer.stage.focus({ preventScroll: true });
}
