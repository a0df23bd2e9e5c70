/* Wheel, drag and pinch on the stage. A drag pans, or with the calipers in hand places them. */

const WHEEL_ZOOM = 0.0022; // a notch of 100 pixels is a quarter
const LINE = 16; // pixels of a wheel that counts lines

/** viewer: EcgViewer. Touch needs `touch-action: none` on the stage. */
export function listen(viewer) {
  const { stage, view } = viewer;
  const pointers = new Map();
  let drag = null;
  const where = (event) => {
    const box = stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const pinch = () => {
    const [a, b] = [...pointers.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.max(10, Math.hypot(a.x - b.x, a.y - b.y)) };
  };

  stage.addEventListener(
    "wheel",
    (event) => {
      if (!viewer.sheet) return;
      const unit = event.deltaMode ? LINE : 1;
      if (event.ctrlKey || event.metaKey) {
        const { x, y } = where(event);
        view.zoomAt(viewer.sheet, Math.exp(-event.deltaY * unit * WHEEL_ZOOM), x, y);
      } else {
        const [dx, dy] = event.shiftKey && !event.deltaX ? [event.deltaY, 0] : [event.deltaX, event.deltaY];
        if (!view.pan(viewer.sheet, -dx * unit, -dy * unit)) return; // at the edge the page scrolls
      }
      event.preventDefault();
      viewer.moved();
    },
    { passive: false },
  );

  stage.addEventListener("pointerdown", (event) => {
    if (event.button || event.target.closest("button") || !viewer.sheet) return;
    stage.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, where(event));
    if (pointers.size > 1) drag = null;
    else drag = viewer.tool === "caliper" ? viewer.calipers.begin(where(event)) : "pan";
    stage.classList.toggle("ecg-panning", drag === "pan");
  });

  stage.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = where(event);
    if (pointers.size === 2) {
      const old = pinch();
      pointers.set(event.pointerId, now);
      const next = pinch();
      view.pan(viewer.sheet, next.x - old.x, next.y - old.y);
      view.zoomAt(viewer.sheet, next.apart / old.apart, next.x, next.y);
      viewer.moved();
      return;
    }
    pointers.set(event.pointerId, now);
    if (drag === "pan") {
      view.pan(viewer.sheet, now.x - before.x, now.y - before.y);
      viewer.moved();
    } else if (drag) drag(now);
  });

  const end = (event) => {
    pointers.delete(event.pointerId);
    drag = null;
    stage.classList.remove("ecg-panning");
  };
  stage.addEventListener("pointerup", end);
  stage.addEventListener("pointercancel", end);
}
