// The document that the page carries: frames, trees and the flames over them.

import { StackTree } from "./stack_tree.js";

/**
 * @typedef {{name: string[], path: string[], file: number[], line: (number | null)[],
 *   address: (string | null)[]}} FrameColumns
 * @typedef {{name: string, size: number}} Scale
 * @typedef {{value: string, unit: string, scales: Scale[], tree: number, leftOut: number,
 *   self: number[], base?: number[], scale?: number}} FlameData
 * @typedef {{title: string, generator: string, facts: [string, string][],
 *   links: [string, string][], shown: number, frames: FrameColumns,
 *   trees: {depth: number[], frame: number[], inlined: string}[],
 *   flames: FlameData[]}} PageData
 */

/** One of the flames that the page switches between; its tree is made when it is first shown. */
export class Flame {
  /** @param {PageData} page @param {FlameData} data */
  constructor(page, data) {
    this.value = data.value;
    this.unit = data.unit;
    this.scales = data.scales;
    this.leftOut = data.leftOut;
    this.isDiff = data.base !== undefined;
    this.scale = data.scale ?? 1;
    /** @type {() => StackTree} */
    this.make = () => {
      const { depth, frame, inlined } = page.trees[data.tree];
      const own = data.base ? [data.base, data.self] : [data.self];
      return new StackTree(page.frames.name.length, depth, frame, inlined, own);
    };
    /** @type {StackTree | null} */
    this.made = null;
  }

  get tree() {
    this.made ??= this.make();
    return this.made;
  }
}

/** The frames of all flames, and what is derived from their names once. */
export class Frames {
  /** @param {FrameColumns} columns */
  constructor(columns) {
    this.names = columns.name;
    this.columns = columns;
    this.count = columns.name.length;
    this.shorts = columns.name.map(afterSlash);
    /** Position of each frame in the order of names. */
    this.rank = new Int32Array(this.count);
    const order = Array.from(this.names.keys());
    const names = this.names;
    order.sort((a, b) => (names[a] < names[b] ? -1 : names[a] > names[b] ? 1 : a - b));
    order.forEach((frame, rank) => {
      this.rank[frame] = rank;
    });
  }

  /** Where a frame is in the source, or "". @param {number} frame */
  place(frame) {
    const { path, file, line, address } = this.columns;
    const parts = [path[file[frame]], line[frame]].filter((part) => part !== "" && part !== null);
    return [parts.join(":"), address[frame]].filter(Boolean).join(" ");
  }

  /** The Go package of a frame: all before the first dot behind the last slash. @param {number} frame */
  packageOf(frame) {
    const name = this.names[frame];
    const dot = name.indexOf(".", nameStart(name));
    return dot < 0 ? name : name.slice(0, dot);
  }
}

/** Where the last path element of a name begins; slashes in type arguments don't count. @param {string} name */
function nameStart(name) {
  const stop = name.search(/[[(]/);
  return name.lastIndexOf("/", stop < 0 ? name.length : stop) + 1;
}

/** @param {string} name */
function afterSlash(name) {
  return name.slice(nameStart(name));
}

/** Read the document out of the page. */
export function readDocument() {
  const element = /** @type {HTMLElement} */ (document.getElementById("data"));
  /** @type {PageData} */
  const page = JSON.parse(element.textContent ?? "");
  element.remove();
  return {
    page,
    frames: new Frames(page.frames),
    flames: page.flames.map((data) => new Flame(page, data)),
  };
}
