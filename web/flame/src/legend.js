// What the colours of a difference mean, and what was left out of the page.

import { make } from "./tooltip.js";

/** @typedef {import("./document.js").Flame} Flame */
/** @typedef {import("./colours.js").Colours} Colours */

/** @param {HTMLElement} element @param {Flame} flame @param {Colours} colours */
export function drawLegend(element, flame, colours) {
  const parts = [];
  if (flame.isDiff) {
    /** @type {[string, number, number][]} */
    const steps = [["gone", 1, 0], ["less", 2, 1], ["same", 1, 1], ["more", 1, 2], ["new", 0, 1]];
    for (const [name, before, after] of steps) {
      const swatch = make("span", "swatch", name);
      swatch.style.background = colours.ofChange(before, after);
      swatch.style.color = colours.theme.text;
      parts.push(swatch);
    }
    if (flame.scale !== 1) parts.push(make("span", "", `other × ${Number(flame.scale.toPrecision(4))}`));
  }
  if (flame.leftOut) {
    parts.push(make("span", "", `${flame.leftOut.toLocaleString("en-US")} small boxes are shown as (other)`));
  }
  element.hidden = !parts.length;
  element.replaceChildren(...parts);
}
