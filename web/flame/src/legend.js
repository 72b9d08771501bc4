// What the colours of a difference mean, and what was left out of the page.

import { make } from "./tooltip.js";

/** @typedef {import("./document.js").Flame} Flame */
/** @typedef {import("./colours.js").Colours} Colours */

/** @type {[string, number, number][]} */
const CHANGES = [["gone", 1, 0], ["less", 2, 1], ["same", 1, 1], ["more", 1, 2], ["new", 0, 1]];

/** @param {HTMLElement} element @param {Flame} flame @param {Colours} colours */
export function drawLegend(element, flame, colours) {
  const parts = [];
  const swatch = (/** @type {string} */ text, /** @type {string} */ colour) => {
    const made = make("span", "swatch", text);
    made.style.background = colour;
    made.style.color = colours.theme.text;
    return made;
  };
  if (flame.isDiff) {
    for (const [text, before, after] of CHANGES) parts.push(swatch(text, colours.ofChange(before, after)));
    if (flame.scale !== 1) parts.push(make("span", "", `new × ${Number(flame.scale.toPrecision(4))}`));
  } else if (flame.tree.total.sides[0].some((value) => value < 0)) {
    parts.push(swatch("below 0", colours.ofNegative));
  }
  if (flame.leftOut) {
    parts.push(make("span", "", `${flame.leftOut.toLocaleString("en-US")} small boxes are shown as (other)`));
  }
  element.hidden = !parts.length;
  element.replaceChildren(...parts);
}
