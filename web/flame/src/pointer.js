// Mouse, pen and wheel over the flame.

/** @typedef {import("./page.js").Page} Page */

const WHEEL = 0.0016;
/** Pixels that a pointer may move and still click. */
const STEADY = 4;

/** @param {Page} page */
export function listen(page) {
  const { stage } = page;
  const { scroller, canvas } = stage;
  /** @type {{x: number, pane: import("./pane.js").Pane, from: number, to: number, moved: boolean} | null} */
  let drag = null;

  canvas.addEventListener("pointermove", (event) => {
    if (drag && event.buttons === 1) {
      const moved = event.clientX - drag.x;
      drag.moved ||= Math.abs(moved) > STEADY;
      if (drag.moved) {
        const shift = (moved / stage.width) * (drag.to - drag.from);
        stage.span(drag.pane, drag.from - shift, drag.to - shift);
        page.changed();
        return;
      }
    }
    page.hoverAt(event.clientX, event.clientY);
  });
  canvas.addEventListener("pointerleave", () => page.hoverAt(-1, -1));
  canvas.addEventListener("pointerdown", (event) => {
    const spot = stage.at(event.clientX, event.clientY);
    if (event.button !== 0 || !spot) return;
    const { pane } = spot;
    drag = { x: event.clientX, pane, from: pane.from, to: pane.to, moved: false };
  });
  canvas.addEventListener("click", (event) => {
    const dragged = drag?.moved;
    drag = null;
    const spot = stage.at(event.clientX, event.clientY);
    if (dragged || !spot) return;
    if (event.altKey || event.detail === 2) page.sandwich(spot.pane.icicle.frame(spot.box));
    else page.zoomTo(spot);
  });
  scroller.addEventListener(
    "wheel",
    (event) => {
      const spot = stage.at(event.clientX, event.clientY);
      const pane = spot?.pane ?? stage.panes[stage.panes.length - 1];
      const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
      const span = pane.to - pane.from;
      if (event.ctrlKey || event.metaKey) {
        const part = (event.clientX - canvas.getBoundingClientRect().left) / stage.width;
        const factor = Math.exp(event.deltaY * WHEEL);
        const middle = pane.from + span * part;
        stage.span(pane, middle - span * factor * part, middle + span * factor * (1 - part));
      } else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
        const shift = (sideways / stage.width) * span;
        stage.span(pane, pane.from + shift, pane.to + shift);
      } else {
        return; // up and down is the scroller's own
      }
      event.preventDefault();
      page.changed();
      page.hoverAt(event.clientX, event.clientY);
    },
    { passive: false },
  );
}
