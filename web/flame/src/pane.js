// A part of the canvas that shows one icicle: where boxes are, and drawing those that can be seen.

import { NONE } from "./icicle.js";

/** @typedef {import("./icicle.js").Icicle} Icicle */
/** @typedef {import("./labels.js").Labels} Labels */
/** @typedef {import("./colours.js").Colours} Colours */
/** @typedef {{context: CanvasRenderingContext2D, width: number, top: number, bottom: number,
 *   labels: Labels, colours: Colours, matches: Uint8Array | null, isDiff: boolean}} Brush */

export const ROW = 20;
/** Pixels: a box less wide is part of a sliver, and nothing below it is drawn. */
const LEAST = 0.6;
const GAP = 1;

export class Pane {
  /** @param {Icicle} icicle @param {boolean} upwards whether rows go up from the root box */
  constructor(icicle, upwards) {
    this.icicle = icicle;
    this.upwards = upwards;
    /** Row of the root box. */
    this.base = 0;
    /** The box that fills the width. */
    this.zoomed = 0;
    this.from = 0;
    this.to = icicle.width(0) || 1;
    /** The movement that goes on, if any; a newer one takes its place. @type {object | null} */
    this.glide = null;
  }

  /** Rows from the root box to the last that can be seen. */
  get rows() {
    return this.icicle.depth(this.zoomed) + this.icicle.height(this.zoomed) + 1;
  }

  /** Upper edge of a row, before scrolling. @param {number} depth */
  y(depth) {
    return (this.base + (this.upwards ? -depth : depth)) * ROW;
  }

  /** The box at a place, or NONE. @param {number} x @param {number} y @param {number} width */
  hit(x, y, width) {
    const row = Math.floor(y / ROW) - this.base;
    const depth = this.upwards ? -row : row;
    if (depth < (this.upwards ? 1 : 0)) return NONE;
    const { icicle } = this;
    const at = this.from + (x / width) * (this.to - this.from);
    const least = (LEAST * (this.to - this.from)) / width;
    let box = 0;
    while (icicle.depth(box) < depth) {
      const { first, count } = icicle.children(box);
      const child = this.#firstEndingAfter(first, first + count, at);
      if (child === first + count || icicle.x(child) > at || icicle.width(child) < least) return NONE;
      box = child;
    }
    return box;
  }

  /** Where a box is drawn, before scrolling. @param {number} box @param {number} width */
  place(box, width) {
    const scale = width / (this.to - this.from);
    const left = Math.max((this.icicle.x(box) - this.from) * scale, 0);
    const right = Math.min((this.icicle.x(box) + this.icicle.width(box) - this.from) * scale, width);
    return { x: left, y: this.y(this.icicle.depth(box)), width: right - left };
  }

  /** Draw all boxes between two heights; the number of them is returned. @param {Brush} brush */
  draw(brush) {
    const { icicle, from, to } = this;
    const scale = brush.width / (to - from);
    const pending = [0];
    let drawn = 0;
    while (pending.length) {
      const box = /** @type {number} */ (pending.pop());
      const depth = icicle.depth(box);
      const y = this.y(depth);
      if (!(this.upwards && depth === 0)) drawn += this.#drawBox(box, y, scale, brush);
      const seen = this.upwards ? y > brush.top : y + ROW < brush.bottom;
      if (!seen || icicle.width(box) * scale < LEAST) continue;
      const { first, count } = icicle.children(box);
      const end = first + count;
      for (let child = this.#firstEndingAfter(first, end, from); child < end; ) {
        const x = icicle.x(child);
        if (x >= to) break;
        if (icicle.width(child) * scale >= LEAST) {
          pending.push(child++);
          continue;
        }
        // Too narrow to see: all that end within this pixel are one sliver.
        const next = Math.max(this.#firstEndingAfter(child, end, x + 1 / scale), child + 1);
        this.#drawSliver(x, next < end ? icicle.x(next) : null, y, scale, brush);
        child = next;
      }
    }
    return drawn;
  }

  /** @param {number} box @param {number} y @param {number} scale @param {Brush} brush */
  #drawBox(box, y, scale, brush) {
    if (y + ROW <= brush.top || y >= brush.bottom) return 0;
    const { icicle } = this;
    const { context, colours, matches } = brush;
    const frame = icicle.frame(box);
    const left = Math.max((icicle.x(box) - this.from) * scale, 0);
    const right = Math.min((icicle.x(box) + icicle.width(box) - this.from) * scale, brush.width);
    const wide = right - left;
    const isMatch = matches !== null && frame !== NONE && matches[frame] === 1;
    const faded = matches !== null && !isMatch;
    const { theme } = colours;
    const isMiddle = box === 0 && frame !== NONE;
    if (isMiddle) context.fillStyle = theme.edge;
    else if (isMatch) context.fillStyle = theme.match;
    else if (brush.isDiff) context.fillStyle = colours.ofChange(icicle.totals[0][box], icicle.totals[1][box]);
    else if (faded) context.fillStyle = theme.faded;
    else context.fillStyle = icicle.totals[0][box] < 0 ? colours.ofNegative : colours.of(frame);
    if (faded && brush.isDiff && !isMiddle) context.globalAlpha = 0.35;
    context.fillRect(left, y - brush.top, wide > 3 ? wide - GAP : wide, ROW - GAP);
    context.globalAlpha = icicle.depth(box) < icicle.depth(this.zoomed) ? 0.6 : 1;
    const text = brush.labels.fitting(frame, wide - 9);
    if (text) {
      context.fillStyle = isMiddle ? theme.back : isMatch ? theme.matchText : faded ? theme.fadedText : theme.text;
      context.fillText(text, left + 4, y - brush.top + ROW / 2);
    }
    context.globalAlpha = 1;
    return 1;
  }

  /** @param {number} x @param {number | null} end @param {number} y @param {number} scale @param {Brush} brush */
  #drawSliver(x, end, y, scale, brush) {
    const left = (x - this.from) * scale;
    const right = end === null ? left + 1 : (end - this.from) * scale;
    const { context, colours, matches } = brush;
    context.fillStyle = matches ? colours.theme.faded : colours.theme.sliver;
    const below = y + (this.upwards ? -ROW : ROW) - brush.top;
    context.fillRect(left, below, Math.max(Math.min(right - left, 1), 0.5), ROW - GAP);
  }

  /** The first of some siblings that ends right of a place. @param {number} low @param {number} high @param {number} at */
  #firstEndingAfter(low, high, at) {
    const { icicle } = this;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (icicle.x(middle) + icicle.width(middle) > at) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
