// Names cut to the width of a box: whole, without import path, package, receiver; then with an
// ellipsis.

import { NONE } from "./icicle.js";

/** @typedef {import("./document.js").Frames} Frames */

export const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
/** Pixels that a label needs, and characters that a cut one has. */
const LEAST = 16;
const FEWEST = 3;
/** No letter is narrower: longer names needn't be measured to know that they don't fit. */
const NARROWEST = 2.5;

export class Labels {
  /** @param {Frames} frames @param {CanvasRenderingContext2D} context */
  constructor(frames, context) {
    this.frames = frames;
    this.context = context;
    /** Widths by text, measured when they are first needed. @type {Map<string, number>} */
    this.widths = new Map();
    this.root = "all";
  }

  /** The longest form of a name that fits, or "". @param {number} frame @param {number} width */
  fitting(frame, width) {
    if (width < LEAST) return "";
    if (frame === NONE) return this.#cut(this.root, width);
    const name = this.frames.names[frame];
    if (this.#fits(name, width)) return name;
    const short = this.frames.shorts[frame];
    if (this.#fits(short, width)) return short;
    const bare = withoutPackage(short);
    if (this.#fits(bare, width)) return bare;
    return this.#cut(withoutReceiver(bare), width);
  }

  /** @param {string} text @param {number} width */
  #fits(text, width) {
    return text.length * NARROWEST <= width && this.#measured(text) <= width;
  }

  /** @param {string} text */
  #measured(text) {
    let width = this.widths.get(text);
    if (width === undefined) {
      width = this.context.measureText(text).width;
      this.widths.set(text, width);
    }
    return width;
  }

  /** @param {string} text @param {number} width */
  #cut(text, width) {
    const whole = text.length > 200 ? Infinity : this.#measured(text);
    if (whole <= width) return text;
    let count = Math.min(Math.floor((text.length * width) / Math.min(whole, text.length * 7)), text.length);
    for (; count >= FEWEST; count--) {
      const kept = isWithin(text, count) ? count - 1 : count;
      const cut = `${text.slice(0, kept)}…`;
      if (this.context.measureText(cut).width <= width) return cut;
    }
    return "";
  }
}

/** pkg.(*T).Do: (*T).Do @param {string} name */
function withoutPackage(name) {
  const dot = name.indexOf(".");
  return dot > 0 && dot < name.length - 1 ? name.slice(dot + 1) : name;
}

/** (*T).Do: Do @param {string} name */
function withoutReceiver(name) {
  const end = name.startsWith("(") ? name.indexOf(").") : -1;
  return end > 0 && end < name.length - 2 ? name.slice(end + 2) : name;
}

/** Whether a text of so many units would end within a character. @param {string} text @param {number} count */
function isWithin(text, count) {
  return (text.charCodeAt(count - 1) & 0xfc00) === 0xd800;
}
