// The tree of stacks as it came: nodes depth first, columns of numbers, no object a node.

/**
 * What a node weighs, summed over the stacks that are taken to pass through it.
 * @typedef {{sides: Float64Array[], width: Float64Array, gained: Float64Array, lost: Float64Array}}
 *   Weights
 */

export class StackTree {
  /**
   * @param {number} frames how many frames there are
   * @param {number[]} depth of each node; the root, which is no frame, has 0
   * @param {number[]} frame of each node
   * @param {string} inlined a digit a node: 0 no, 1 yes, 2 in some stacks
   * @param {number[][]} own value of the stacks that end at each node: one list, or base and other
   */
  constructor(frames, depth, frame, inlined, own) {
    const count = depth.length;
    this.count = count;
    this.frames = frames;
    this.frame = Int32Array.from(frame);
    this.depth = Int32Array.from(depth);
    this.inlined = inlined;
    this.parent = new Int32Array(count);
    this.end = new Int32Array(count);
    this.height = new Int32Array(count);
    this.#link();
    this.own = this.#ownWeights(own.map((side) => Float64Array.from(side)));
    this.total = this.#withBelow(this.own);
    /** Sum of the sizes of all values, which shares are of. */
    this.whole = this.own.sides.map((side) => side.reduce((sum, value) => sum + Math.abs(value), 0));
  }

  /** Children of a node, in order. @param {number} node @returns {Generator<number>} */
  *children(node) {
    for (let child = node + 1; child < this.end[node]; child = this.end[child]) yield child;
  }

  /** The frames from below the root down to a node. @param {number} node */
  path(node) {
    const frames = [];
    for (let at = node; at > 0; at = this.parent[at]) frames.push(this.frame[at]);
    return frames.reverse();
  }

  /**
   * Nodes of the frames asked for that have none of them above, and so count once. The pick of a
   * frame is by number: `pick[frame]` is not 0.
   * @param {ArrayLike<number>} pick
   */
  outermost(pick) {
    const found = [];
    for (let node = 1; node < this.count; ) {
      if (pick[this.frame[node]]) {
        found.push(node);
        node = this.end[node];
      } else {
        node++;
      }
    }
    return found;
  }

  #link() {
    const { count, depth, parent, end, height } = this;
    const open = new Int32Array(depth.reduce((most, at) => Math.max(most, at), 0) + 1);
    for (let node = 0; node < count; node++) {
      parent[node] = node ? open[depth[node] - 1] : -1;
      open[depth[node]] = node;
    }
    for (let node = count - 1; node >= 0; node--) {
      end[node] ||= node + 1;
      const above = parent[node];
      if (above < 0) continue;
      end[above] ||= end[node];
      height[above] = Math.max(height[above], height[node] + 1);
    }
  }

  /** @param {Float64Array[]} sides @returns {Weights} */
  #ownWeights(sides) {
    const made = () => new Float64Array(this.count);
    const [width, gained, lost] = [made(), made(), made()];
    for (let node = 0; node < this.count; node++) {
      for (const side of sides) width[node] = Math.max(width[node], Math.abs(side[node]));
      if (sides.length < 2) continue;
      const delta = sides[1][node] - sides[0][node];
      if (delta > 0) gained[node] = delta;
      else lost[node] = -delta;
    }
    return { sides, width, gained, lost };
  }

  /** @param {Weights} own @returns {Weights} */
  #withBelow(own) {
    const { parent, count } = this;
    /** @param {Float64Array} values */
    const summed = (values) => {
      const sums = values.slice();
      for (let node = count - 1; node > 0; node--) sums[parent[node]] += sums[node];
      return sums;
    };
    return {
      sides: own.sides.map(summed),
      width: summed(own.width),
      gained: summed(own.gained),
      lost: summed(own.lost),
    };
  }
}
