// Names cut to the width of a box: whole, without the import path, then with an ellipsis.

import { NONE } from "./icicle.js";

/** @typedef {import("./document.js").Frames} Frames */

export const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
const LEAST = 14;

export class Labels {
  /** @param {Frames} frames @param {CanvasRenderingContext2D} context */
  constructor(frames, context) {
    this.frames = frames;
    this.context = context;
    /** Widths of whole and of short names, measured when they are first needed. */
    this.whole = new Float32Array(frames.count).fill(NaN);
    this.short = new Float32Array(frames.count).fill(NaN);
    this.root = "all";
  }

  /** The longest form of a name that fits, or "". @param {number} frame @param {number} width */
  fitting(frame, width) {
    if (width < LEAST) return "";
    if (frame === NONE) return this.#cut(this.root, this.context.measureText(this.root).width, width);
    const { names, shorts } = this.frames;
    // A letter is at least 2 pixels wide: long names needn't be measured for narrow boxes.
    if (names[frame].length * 2 <= width && this.#measured(this.whole, names, frame) <= width) {
      return names[frame];
    }
    return this.#cut(shorts[frame], this.#measured(this.short, shorts, frame), width);
  }

  /** @param {Float32Array} widths @param {string[]} names @param {number} frame */
  #measured(widths, names, frame) {
    if (Number.isNaN(widths[frame])) widths[frame] = this.context.measureText(names[frame]).width;
    return widths[frame];
  }

  /** @param {string} text @param {number} long @param {number} width */
  #cut(text, long, width) {
    if (long <= width) return text;
    let count = Math.floor((text.length * width) / long);
    while (count > 1) {
      const cut = `${text.slice(0, count).trimEnd()}…`;
      if (this.context.measureText(cut).width <= width) return isHalf(text, count) ? `${cut.slice(0, -2)}…` : cut;
      count--;
    }
    return "";
  }
}

/** Whether a text of this many units would end within a character. @param {string} text @param {number} count */
function isHalf(text, count) {
  return (text.charCodeAt(count - 1) & 0xfc00) === 0xd800;
}
