// Which frames a query finds, and how much of everything passes through them.

/** @typedef {import("./stack_tree.js").StackTree} StackTree */
/** @typedef {import("./document.js").Frames} Frames */

/**
 * Look for a text in names, files too; upper case matters where the text has some. A text between
 * slashes is a regular expression.
 * @param {Frames} frames
 * @param {string} query
 * @returns {{matches: Uint8Array, count: number} | {fault: string}}
 */
export function search(frames, query) {
  /** @type {(text: string) => boolean} */
  let test;
  const cased = query !== query.toLowerCase();
  if (query.length > 2 && query.startsWith("/") && query.endsWith("/")) {
    try {
      const pattern = new RegExp(query.slice(1, -1), cased ? "u" : "iu");
      test = (text) => pattern.test(text);
    } catch (error) {
      return { fault: String(error instanceof Error ? error.message : error) };
    }
  } else {
    test = (text) => (cased ? text : text.toLowerCase()).includes(query);
  }
  const paths = frames.columns.path.map((path) => path !== "" && test(path));
  const matches = new Uint8Array(frames.count);
  let count = 0;
  for (let frame = 0; frame < frames.count; frame++) {
    if (test(frames.names[frame]) || paths[frames.columns.file[frame]]) {
      matches[frame] = 1;
      count++;
    }
  }
  return { matches, count };
}

/** The part of each side that passes through a match, each stack once. @param {StackTree} tree @param {Uint8Array} matches */
export function sharesOf(tree, matches) {
  const nodes = tree.outermost(matches);
  return tree.total.sides.map((side, which) => ({
    part: nodes.reduce((sum, node) => sum + side[node], 0),
    whole: tree.whole[which],
  }));
}
