// The canvas: panes above each other, what the pointer and the focus are on, zoom and scrolling.

import { NONE } from "./icicle.js";
import { FONT, Labels } from "./labels.js";
import { ROW } from "./pane.js";

/** @typedef {import("./pane.js").Pane} Pane */
/** @typedef {import("./colours.js").Colours} Colours */
/** @typedef {import("./document.js").Frames} Frames */
/** @typedef {{pane: Pane, box: number}} Spot */

const ZOOM_MS = 160;
const STILL = window.matchMedia("(prefers-reduced-motion: reduce)");

export class Stage {
  /**
   * @param {HTMLElement} scroller what scrolls
   * @param {HTMLElement} sheet as high as all rows
   * @param {HTMLCanvasElement} canvas as large as what can be seen of it
   * @param {Frames} frames
   * @param {Colours} colours
   */
  constructor(scroller, sheet, canvas, frames, colours) {
    this.scroller = scroller;
    this.sheet = sheet;
    this.canvas = canvas;
    this.colours = colours;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
    this.labels = new Labels(frames, this.context);
    /** @type {Pane[]} */
    this.panes = [];
    /** @type {Spot | null} */
    this.hover = null;
    /** @type {Spot | null} */
    this.focus = null;
    /** @type {Uint8Array | null} */
    this.matches = null;
    this.isDiff = false;
    this.width = 1;
    this.height = 1;
    this.asked = 0;
    /** What the last drawing cost, and how many boxes it had. */
    this.drawn = { ms: 0, boxes: 0 };
    scroller.addEventListener("scroll", () => this.ask());
    new ResizeObserver(() => this.#resize()).observe(scroller);
  }

  /** Show other panes, from their upper ends. @param {Pane[]} panes */
  show(panes) {
    this.panes = panes;
    this.hover = this.focus = null;
    this.layout();
    this.scroller.scrollTop = panes.length > 1 ? this.#middle() : 0;
    this.ask();
  }

  /** Give each pane its rows and the sheet its height. */
  layout() {
    let rows = 0;
    for (const pane of this.panes) {
      pane.base = pane.upwards ? pane.rows - 1 : rows;
      rows += pane.upwards ? pane.rows - 1 : pane.rows;
    }
    this.sheet.style.height = `${rows * ROW + 4}px`;
  }

  /** Draw before the next picture, however often it is asked for. */
  ask() {
    this.asked ||= requestAnimationFrame(() => {
      this.asked = 0;
      this.draw();
    });
  }

  draw() {
    const start = performance.now();
    const { context, colours, width, height } = this;
    const ratio = window.devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = colours.theme.back;
    context.fillRect(0, 0, width, height);
    context.font = FONT;
    context.textBaseline = "middle";
    const top = this.scroller.scrollTop;
    const { labels, matches, isDiff } = this;
    const brush = { context, width, top, bottom: top + height, labels, colours, matches, isDiff };
    let boxes = 0;
    for (const pane of this.panes) boxes += pane.draw(brush);
    this.#outline(this.hover, 1);
    this.#outline(this.focus, 2);
    this.drawn = { ms: performance.now() - start, boxes };
  }

  /** The box at a point of the window. @param {number} clientX @param {number} clientY @returns {Spot | null} */
  at(clientX, clientY) {
    const bounds = this.canvas.getBoundingClientRect();
    const [x, y] = [clientX - bounds.left, clientY - bounds.top + this.scroller.scrollTop];
    if (x < 0 || x >= this.width || y < 0) return null;
    for (const pane of this.panes) {
      const box = pane.hit(x, y, this.width);
      if (box !== NONE) return { pane, box };
    }
    return null;
  }

  /** Where a box is in the window. @param {Spot} spot */
  bounds({ pane, box }) {
    const bounds = this.canvas.getBoundingClientRect();
    const { x, y, width } = pane.place(box, this.width);
    return { x: bounds.left + x, y: bounds.top + y - this.scroller.scrollTop, width, height: ROW };
  }

  /** Let a box fill the width. @param {Spot} spot @param {boolean} [atOnce] */
  zoom({ pane, box }, atOnce = false) {
    pane.zoomed = box;
    const from = pane.icicle.x(box);
    this.#glide(pane, from, from + (pane.icicle.width(box) || 1), atOnce);
    this.layout();
    if (!pane.upwards) this.reveal({ pane, box });
  }

  /** Show a part of the width. @param {Pane} pane @param {number} from @param {number} to */
  span(pane, from, to) {
    const { icicle } = pane;
    const low = icicle.x(0);
    const high = low + icicle.width(0);
    const width = Math.max(Math.min(to - from, high - low), (high - low) * 1e-9);
    const start = Math.min(Math.max(from, low), high - width);
    let box = pane.zoomed;
    const holds = () => icicle.x(box) <= start && icicle.x(box) + icicle.width(box) >= start + width;
    while (box && !holds()) box = icicle.parent(box);
    pane.zoomed = box;
    this.#glide(pane, start, start + width, true);
    this.layout();
  }

  get isZoomed() {
    return this.panes.some((pane) => pane.zoomed || pane.to - pane.from < pane.icicle.width(0) * 0.9999);
  }

  reset() {
    for (const pane of this.panes) this.zoom({ pane, box: 0 });
    if (this.panes.length > 1) this.scroller.scrollTop = this.#middle();
    else this.scroller.scrollTop = 0;
  }

  /** Scroll until the row of a box is in sight. @param {Spot} spot */
  reveal({ pane, box }) {
    const y = pane.y(pane.icicle.depth(box));
    const { scroller, height } = this;
    if (y < scroller.scrollTop) scroller.scrollTop = y;
    else if (y + ROW > scroller.scrollTop + height) scroller.scrollTop = y + ROW - height;
    this.ask();
  }

  /** Move the focus to a box, zooming out as far as it takes. @param {Spot} spot */
  focusOn(spot) {
    const { pane, box } = spot;
    const { icicle } = pane;
    let outer = pane.zoomed;
    const holds = () => {
      for (let at = box; at !== NONE; at = icicle.parent(at)) if (at === outer) return true;
      for (let at = outer; at !== NONE; at = icicle.parent(at)) if (at === box) return true;
      return false;
    };
    while (outer > 0 && !holds()) outer = icicle.parent(outer);
    this.focus = spot;
    const { width } = pane.place(box, this.width);
    if (outer !== pane.zoomed) this.zoom({ pane, box: outer });
    else if (width <= 0) this.zoom({ pane, box: pane.zoomed });
    this.reveal(spot);
  }

  /** @param {Pane} pane @param {number} from @param {number} to @param {boolean} atOnce */
  #glide(pane, from, to, atOnce) {
    const start = performance.now();
    const before = { from: pane.from, to: pane.to };
    const glide = {};
    const step = () => {
      const part = atOnce || STILL.matches ? 1 : Math.min((performance.now() - start) / ZOOM_MS, 1);
      const eased = 1 - (1 - part) ** 3;
      pane.from = before.from + (from - before.from) * eased;
      pane.to = before.to + (to - before.to) * eased;
      this.ask();
      if (part < 1) requestAnimationFrame(() => pane.glide === glide && step());
    };
    pane.glide = glide;
    step();
  }

  #middle() {
    return Math.max(0, (this.panes[1].base + 0.5) * ROW - this.height / 2);
  }

  /** @param {Spot | null} spot @param {number} thick */
  #outline(spot, thick) {
    if (!spot || !this.panes.includes(spot.pane)) return;
    const { x, y, width } = spot.pane.place(spot.box, this.width);
    if (width < 0) return;
    const { context } = this;
    context.strokeStyle = this.colours.theme.edge;
    context.lineWidth = thick;
    const inset = thick / 2;
    context.strokeRect(
      x + inset, y - this.scroller.scrollTop + inset, Math.max(width - GAP - thick, 1), ROW - GAP - thick,
    );
  }

  #resize() {
    const { clientWidth, clientHeight } = this.scroller;
    if (!clientWidth || !clientHeight) return;
    const ratio = window.devicePixelRatio || 1;
    this.width = clientWidth;
    this.height = clientHeight;
    this.canvas.width = Math.round(clientWidth * ratio);
    this.canvas.height = Math.round(clientHeight * ratio);
    this.canvas.style.width = `${clientWidth}px`;
    this.canvas.style.height = `${clientHeight}px`;
    if (this.panes.length) this.draw();
  }
}

const GAP = 1;
