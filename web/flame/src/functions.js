// Flat and cumulative values of every frame, over all stacks.

/** @typedef {import("./stack_tree.js").StackTree} StackTree */

/** @typedef {{flat: Float64Array[], cum: Float64Array[], frames: number[]}} FunctionValues */

/**
 * Sum up each frame's own values, and the stacks that it is on: each stack once, however often the
 * frame is on it.
 * @param {StackTree} tree
 * @returns {FunctionValues}
 */
export function functionValues(tree) {
  const made = () => new Float64Array(tree.frames);
  const flat = tree.own.sides.map(made);
  const cum = tree.own.sides.map(made);
  const openUntil = new Int32Array(tree.frames);
  const frames = [];
  const seen = new Uint8Array(tree.frames);
  for (let node = 1; node < tree.count; node++) {
    const frame = tree.frame[node];
    if (!seen[frame]) frames.push(frame);
    seen[frame] = 1;
    const outermost = node >= openUntil[frame];
    if (outermost) openUntil[frame] = tree.end[node];
    for (let side = 0; side < flat.length; side++) {
      flat[side][frame] += tree.own.sides[side][node];
      if (outermost) cum[side][frame] += tree.total.sides[side][node];
    }
  }
  return { flat, cum, frames };
}
