// What is said about a box: beside the pointer, and in the line at the foot of the page.

import { changeText, deltaText, shareText, valueText } from "./units.js";

/** @typedef {import("./document.js").Flame} Flame */
/** @typedef {import("./document.js").Frames} Frames */
/** @typedef {import("./functions.js").FunctionValues} FunctionValues */
/** @typedef {{frame: number, name: string, totals: number[], selfs: number[] | null,
 *   inlined: number, wholes: number[], moved: number[]}} Facts */

const EDGE = 12;

export class Tooltip {
  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
  }

  hide() {
    this.element.hidden = true;
  }

  /** @param {Facts} facts @param {Flame} flame @param {Frames} frames @param {FunctionValues} functions */
  fill(facts, flame, frames, functions) {
    const place = facts.frame < 0 ? "" : frames.place(facts.frame);
    const notes = [place, ["", "inlined", "inlined in some stacks"][facts.inlined]].filter(Boolean);
    const parts = [make("strong", "name", facts.name)];
    if (notes.length) parts.push(make("div", "place", notes.join(" · ")));
    parts.push(table(rows(facts, flame, functions), flame.isDiff));
    this.element.replaceChildren(...parts);
  }

  /** Stand beside a point of the window, within it. @param {number} x @param {number} y */
  show(x, y) {
    const { element } = this;
    element.hidden = false;
    const { width, height } = element.getBoundingClientRect();
    const right = x + EDGE + width <= window.innerWidth - EDGE;
    const below = y + EDGE + height <= window.innerHeight - EDGE;
    const left = right ? x + EDGE : Math.max(EDGE, Math.min(x - EDGE - width, window.innerWidth - EDGE - width));
    const top = below ? y + EDGE : Math.max(EDGE, y - EDGE - height);
    element.style.left = `${Math.max(EDGE, left)}px`;
    element.style.top = `${top}px`;
  }
}

/** @param {Facts} facts @param {Flame} flame @param {FunctionValues} functions */
function rows(facts, flame, functions) {
  const { totals, selfs, wholes, frame } = facts;
  /** @type {[string, number[]][]} */
  const lines = [[selfs ? "cum" : "value", totals]];
  if (selfs) lines.push(["flat", selfs]);
  const { cum, flat } = functions;
  const of = (/** @type {Float64Array[]} */ sides) => sides.map((side) => side[frame]);
  if (frame >= 0 && String(of(cum)) !== String(totals)) lines.push(["cum of all calls", of(cum)]);
  if (frame >= 0 && String(of(flat)) !== String(selfs)) lines.push(["flat of all calls", of(flat)]);
  const rows = lines.map(([name, values]) => [name, ...cellsOf(values, wholes, flame)]);
  const [gained, lost] = facts.moved;
  if (gained && lost) {
    const text = (/** @type {number} */ value) => deltaText(value, flame.scales, flame.unit);
    rows.push(["grown and shrunk", "", "", text(gained), text(-lost)]);
  }
  return rows;
}

/** @param {number[]} values @param {number[]} wholes @param {Flame} flame */
function cellsOf(values, wholes, flame) {
  const text = (/** @type {number} */ value) => valueText(value, flame.scales, flame.unit);
  if (!flame.isDiff) return [text(values[0]), shareText(values[0], wholes[0])];
  const [before, after] = values;
  return [
    text(before), text(after), deltaText(after - before, flame.scales, flame.unit),
    changeText(before, after),
  ];
}

/** The same facts in one line, without the name. @param {Facts} facts @param {Flame} flame @param {Frames} frames */
export function summary(facts, flame, frames) {
  const { totals, selfs, wholes } = facts;
  const text = (/** @type {number} */ value) => valueText(value, flame.scales, flame.unit);
  const parts = [];
  if (flame.isDiff) {
    const [before, after] = totals;
    parts.push(`${text(before)} → ${text(after)}`, changeText(before, after));
  } else {
    parts.push(`${selfs ? "cum " : ""}${text(totals[0])} (${shareText(totals[0], wholes[0])})`);
    if (selfs) parts.push(`flat ${text(selfs[0])} (${shareText(selfs[0], wholes[0])})`);
  }
  const place = facts.frame < 0 ? "" : frames.place(facts.frame);
  if (place) parts.push(place);
  return parts.join(" · ");
}

/** @param {string[][]} lines @param {boolean} isDiff */
function table(lines, isDiff) {
  const element = document.createElement("table");
  if (isDiff) {
    const head = element.createTHead().insertRow();
    for (const text of ["", "base", "new", "change", ""]) head.append(make("th", "", text));
  }
  for (const line of lines) {
    const row = element.insertRow();
    line.forEach((text, at) => row.append(make(at ? "td" : "th", "", text)));
  }
  return element;
}

/** An element with a text: names come from strangers and are never markup. @param {string} tag @param {string} kind @param {string} text */
export function make(tag, kind, text) {
  const element = document.createElement(tag);
  if (kind) element.className = kind;
  element.textContent = text;
  return element;
}
