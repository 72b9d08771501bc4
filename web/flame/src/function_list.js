// The table of functions beside the flame: sortable, and only the rows in sight are elements.

import { make } from "./tooltip.js";
import { changeText, deltaText, shareText, valueText } from "./units.js";

/** @typedef {import("./document.js").Flame} Flame */
/** @typedef {import("./document.js").Frames} Frames */
/** @typedef {import("./functions.js").FunctionValues} FunctionValues */
/** @typedef {{key: string, title: string, value: (frame: number) => number,
 *   text: (frame: number) => string, isLesser?: boolean}} Column lesser ones need a wide window */

const ROW = 22;

export class FunctionList {
  /**
   * @param {HTMLElement} element with a head and a body
   * @param {Frames} frames
   * @param {(frame: number) => void} choose what a click on a function does
   */
  constructor(element, frames, choose) {
    this.element = element;
    this.frames = frames;
    this.choose = choose;
    this.head = /** @type {HTMLElement} */ (element.querySelector(".head"));
    this.body = /** @type {HTMLElement} */ (element.querySelector(".body"));
    this.rows = /** @type {HTMLElement} */ (element.querySelector(".rows"));
    this.sorted = { key: "", down: true };
    /** @type {number[]} */
    this.shown = [];
    this.at = 0;
    this.chosen = -1;
    this.body.addEventListener("scroll", () => this.draw());
    this.body.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.draw()).observe(this.body);
  }

  /** @param {Flame} flame @param {FunctionValues} values @param {Uint8Array | null} matches */
  fill(flame, values, matches) {
    this.columns = columnsOf(flame, values);
    if (!this.columns.some((column) => column.key === this.sorted.key)) {
      this.sorted = { key: this.columns[0].key, down: true };
    }
    this.shown = values.frames.filter((frame) => !matches || matches[frame]);
    this.#sort();
  }

  #sort() {
    const { key, down } = this.sorted;
    const { rank } = this.frames;
    const column = this.columns?.find((each) => each.key === key);
    const sign = down ? -1 : 1;
    this.shown.sort((a, b) => {
      if (!column) return (rank[a] - rank[b]) * -sign;
      return (column.value(a) - column.value(b)) * sign || rank[a] - rank[b];
    });
    this.body.scrollTop = 0;
    this.at = 0;
    this.#drawHead();
    this.draw();
  }

  #drawHead() {
    const heads = [{ key: "name", title: "function", kind: "name" }].concat(
      (this.columns ?? []).map((column) => ({ ...column, kind: kindOf(column) })),
    );
    const buttons = heads.map(({ key, title, kind }) => {
      const button = make("button", kind, title);
      const isSorted = this.sorted.key === key;
      button.setAttribute("aria-pressed", String(isSorted));
      if (isSorted) button.classList.add(this.sorted.down ? "down" : "up");
      button.addEventListener("click", () => {
        this.sorted = { key, down: isSorted ? !this.sorted.down : true };
        this.#sort();
      });
      return button;
    });
    this.head.replaceChildren(...buttons);
  }

  draw() {
    if (!this.columns || !this.body.clientHeight) return;
    const first = Math.max(0, Math.floor(this.body.scrollTop / ROW) - 4);
    const last = Math.min(this.shown.length, first + Math.ceil(this.body.clientHeight / ROW) + 8);
    this.rows.style.height = `${this.shown.length * ROW}px`;
    const rows = [];
    for (let at = first; at < last; at++) rows.push(this.#row(at));
    this.rows.replaceChildren(...rows);
  }

  /** @param {number} at */
  #row(at) {
    const frame = this.shown[at];
    const row = make("div", "row", "");
    row.style.top = `${at * ROW}px`;
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", String(frame === this.chosen));
    if (at === this.at) row.classList.add("at");
    const name = make("span", "name", this.frames.shorts[frame]);
    name.title = [this.frames.names[frame], this.frames.place(frame)].filter(Boolean).join("\n");
    row.append(name);
    for (const column of this.columns ?? []) {
      row.append(make("span", kindOf(column), column.text(frame)));
    }
    row.addEventListener("click", () => {
      this.at = at;
      this.choose(frame);
    });
    return row;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const page = Math.floor(this.body.clientHeight / ROW);
    const steps = /** @type {Record<string, number>} */ ({
      ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity,
    });
    if (event.key === "Enter" && this.shown.length) this.choose(this.shown[this.at]);
    else if (event.key in steps) {
      this.at = Math.max(0, Math.min(this.shown.length - 1, this.at + steps[event.key]));
      const top = this.at * ROW;
      const room = this.body.clientHeight - ROW;
      this.body.scrollTop = Math.min(top, Math.max(this.body.scrollTop, top - room));
      this.draw();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** @param {Column} column */
function kindOf({ isLesser }) {
  return isLesser ? "number lesser" : "number";
}

/** @param {Flame} flame @param {FunctionValues} values @returns {Column[]} */
function columnsOf(flame, { flat, cum }) {
  const { scales, unit } = flame;
  const { whole } = flame.tree;
  if (!flame.isDiff) {
    /** @type {[string, Float64Array][]} */
    const sums = [["flat", flat[0]], ["cum", cum[0]]];
    return sums.flatMap(([key, side]) => [
      {
        key, title: key, value: (frame) => side[frame],
        text: (frame) => valueText(side[frame], scales, unit),
      },
      {
        key: `${key}%`, title: `${key}%`, value: (frame) => Math.abs(side[frame]),
        text: (frame) => shareText(side[frame], whole[0]), isLesser: true,
      },
    ]);
  }
  /** @type {[string, Float64Array[]][]} */
  const sides = [["flat", flat], ["cum", cum]];
  const deltas = sides.map(([key, [before, after]]) => {
    const delta = (/** @type {number} */ frame) => after[frame] - before[frame];
    return {
      key, title: `Δ ${key}`, value: (/** @type {number} */ frame) => Math.abs(delta(frame)),
      text: (/** @type {number} */ frame) => deltaText(delta(frame), scales, unit),
    };
  });
  const [before, after] = cum;
  return [
    ...deltas,
    {
      key: "cum%", title: "cum %", value: (frame) => (after[frame] - before[frame]) / (Math.abs(before[frame]) || 1e-9),
      text: (frame) => changeText(before[frame], after[frame]),
    },
    {
      key: "other", title: "cum", value: (frame) => after[frame],
      text: (frame) => valueText(after[frame], scales, unit), isLesser: true,
    },
  ];
}
