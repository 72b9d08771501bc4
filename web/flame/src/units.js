// Numbers as people read them, spelled as the command line spells them.

/** @typedef {import("./document.js").Scale} Scale */

const COUNTS = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });

/**
 * Write a value in the largest unit that it is at least one of: 1.50MB, 120ms, 42.
 * @param {number} value
 * @param {Scale[]} scales units of its kind, smallest first; none for counts
 * @param {string} unit that the value comes in, written where there are no scales
 */
export function valueText(value, scales, unit) {
  if (!scales.length) return COUNTS.format(value) + (unit && unit !== "count" ? ` ${unit}` : "");
  const size = Math.abs(value);
  if (!size) return "0";
  const { name, size: one } = scales.findLast((scale) => size >= scale.size) ?? scales[0];
  return COUNTS.format(value / one) + name;
}

/** @param {number} value @param {Scale[]} scales @param {string} unit */
export function deltaText(value, scales, unit) {
  return value ? (value > 0 ? "+" : "-") + valueText(Math.abs(value), scales, unit) : "±0";
}

/** Write a share with at least two digits: 12.50%, 0.052%, 100%. @param {number} part @param {number} whole */
export function shareText(part, whole) {
  const percent = whole ? Math.abs(part / whole) * 100 : 0;
  if (!percent) return "0%";
  if (percent >= 99.95 && percent <= 100.05) return "100%";
  return percent >= 1 ? `${percent.toFixed(2)}%` : `${Number(percent.toPrecision(2))}%`;
}

/** How much larger or smaller something got: +12.3%, -100%, new. @param {number} before @param {number} after */
export function changeText(before, after) {
  if (before === after) return "±0%";
  if (!before) return "new";
  const percent = ((after - before) / Math.abs(before)) * 100;
  if (percent >= 1000) return `×${COUNTS.format(Math.round(after / before))}`;
  const digits = Math.abs(percent) < 10 ? 1 : 0;
  return (percent > 0 ? "+" : "-") + Math.abs(percent).toFixed(digits) + "%";
}
