// What is drawn: a tree of merged stacks that grows where somebody looks.
//
// A box stands for nodes of the stack tree. Its children are the callees of these nodes, or, in a
// tree that goes up, their callers, merged by frame. They are made when the box is first seen wide
// enough: the whole inverted tree of a hundred thousand nodes would have millions of boxes.

/** @typedef {import("./stack_tree.js").StackTree} StackTree */
/** @typedef {import("./stack_tree.js").Weights} Weights */
/** @typedef {"weight" | "name"} Order */
/** @typedef {{frame: number, nodes: number, width: number, begin: number}} Group */

export const NONE = -1;

/** A typed array twice as long, or as long as it must be. @template {Int32Array | Float64Array} T @param {T} column @param {number} size @returns {T} */
function longer(column, size) {
  const kind = /** @type {new (length: number) => T} */ (column.constructor);
  const more = new kind(Math.max(size, column.length * 2));
  more.set(column);
  return more;
}

const ints = () => new Int32Array(1024);
const floats = () => new Float64Array(1024);

export class Icicle {
  /**
   * @param {StackTree} tree
   * @param {"down" | "up"} way to callees or to callers
   * @param {number[]} entries down: the nodes that the root box stands for. Up: the nodes whose
   *   weights the root box sums up
   * @param {number[]} nexts up: for each entry, the node that its first caller box stands for
   * @param {Weights} weights of each node
   * @param {number} frame of the root box, or NONE
   * @param {Order} order of siblings
   * @param {Int32Array} rank of each frame among the names
   */
  constructor(tree, way, entries, nexts, weights, frame, order, rank) {
    this.tree = tree;
    this.way = way;
    this.weights = weights;
    this.order = order;
    this.rank = rank;
    /** @type {number} */
    this.count = 0;
    this.box = {
      frame: ints(), parent: ints(), depth: ints(), height: ints(), first: ints(), children: ints(),
      begin: ints(), end: ints(), x: floats(), width: floats(), gained: floats(), lost: floats(),
    };
    this.totals = weights.sides.map(floats);
    this.selfs = weights.sides.map(floats);
    this.entry = { node: ints(), next: ints() };
    this.entries = 0;
    this.slots = new Int32Array(tree.frames).fill(NONE);
    this.#reserveEntries(entries.length);
    entries.forEach((node, at) => {
      this.entry.node[at] = node;
      this.entry.next[at] = nexts[at] ?? node;
    });
    this.entries = entries.length;
    this.#addBox(frame, NONE, 0, 0, entries.length);
  }

  /** @param {number} box */
  frame(box) {
    return this.box.frame[box];
  }

  /** @param {number} box */
  parent(box) {
    return this.box.parent[box];
  }

  /** @param {number} box */
  depth(box) {
    return this.box.depth[box];
  }

  /** How many rows there are below a box, or above it in a tree that goes up. @param {number} box */
  height(box) {
    return this.box.height[box];
  }

  /** Left edge, in values. @param {number} box */
  x(box) {
    return this.box.x[box];
  }

  /** @param {number} box */
  width(box) {
    return this.box.width[box];
  }

  /** First child and number of children, which follow each other. @param {number} box */
  children(box) {
    if (this.box.first[box] === NONE) this.#expand(box);
    return { first: this.box.first[box], count: this.box.children[box] };
  }

  /** What a box says in numbers. @param {number} box */
  values(box) {
    return {
      totals: this.totals.map((side) => side[box]),
      selfs: this.selfs.map((side) => side[box]),
      gained: this.box.gained[box],
      lost: this.box.lost[box],
    };
  }

  /** 0, 1 for inlined, 2 for inlined in some stacks. @param {number} box */
  inlined(box) {
    if (this.way === "up") return 0;
    const { begin, end } = this.box;
    const codes = new Set();
    for (let at = begin[box]; at < end[box]; at++) {
      codes.add(this.tree.inlined[this.entry.node[at]]);
    }
    return codes.size === 1 ? Number([...codes][0]) : 2;
  }

  /** The frames below the root box down to a box. @param {number} box */
  path(box) {
    const frames = [];
    for (let at = box; at > 0; at = this.parent(at)) frames.push(this.frame(at));
    return frames.reverse();
  }

  /** The last box along a path of frames from the root box. @param {number[]} path */
  find(path) {
    let box = 0;
    for (const frame of path) {
      const { first, count } = this.children(box);
      let child = first;
      while (child < first + count && this.frame(child) !== frame) child++;
      if (child === first + count) break;
      box = child;
    }
    return box;
  }

  /** @param {number} box */
  #expand(box) {
    const below = this.#below(box);
    const groups = this.#grouped(below);
    // Callers take the place of the entries they come from; callees are more and come behind.
    let begin = this.way === "up" ? this.box.begin[box] : this.entries;
    for (const group of groups) {
      group.begin = begin;
      this.slots[group.frame] = begin;
      begin += group.nodes;
    }
    this.entries = Math.max(this.entries, begin);
    this.#reserveEntries(this.entries);
    below.nexts.forEach((next, at) => {
      const entry = this.slots[this.tree.frame[next]]++;
      this.entry.node[entry] = below.nodes[at];
      this.entry.next[entry] = this.way === "up" ? this.tree.parent[next] : next;
    });
    const first = this.count;
    let x = this.x(box);
    for (const group of groups) {
      this.slots[group.frame] = NONE;
      x += this.width(this.#addBox(group.frame, box, x, group.begin, group.begin + group.nodes));
    }
    this.box.first[box] = first;
    this.box.children[box] = groups.length;
  }

  /** Count nodes by their frame, in the order of siblings. @param {{nodes: number[], nexts: number[]}} below */
  #grouped({ nodes, nexts }) {
    const { tree, slots, weights, rank } = this;
    /** @type {Group[]} */
    const groups = [];
    nexts.forEach((next, at) => {
      const frame = tree.frame[next];
      if (slots[frame] === NONE) {
        slots[frame] = groups.length;
        groups.push({ frame, nodes: 0, width: 0, begin: 0 });
      }
      const group = groups[slots[frame]];
      group.nodes++;
      group.width += weights.width[nodes[at]];
    });
    const byName = (/** @type {Group} */ a, /** @type {Group} */ b) => rank[a.frame] - rank[b.frame];
    return groups.sort(
      this.order === "name" ? byName : (a, b) => b.width - a.width || byName(a, b),
    );
  }

  /** The nodes one row on from a box, and those whose weights they carry. @param {number} box */
  #below(box) {
    const nodes = [];
    const nexts = [];
    for (let at = this.box.begin[box]; at < this.box.end[box]; at++) {
      const node = this.entry.node[at];
      const next = this.entry.next[at];
      if (this.way === "down") {
        for (const child of this.tree.children(node)) nexts.push(child);
      } else if (next > 0) {
        nodes.push(node);
        nexts.push(next);
      }
    }
    return { nodes: this.way === "up" ? nodes : nexts, nexts };
  }

  /** @param {number} size */
  #reserveEntries(size) {
    if (size <= this.entry.node.length) return;
    this.entry = { node: longer(this.entry.node, size), next: longer(this.entry.next, size) };
  }

  #reserveBox() {
    if (this.count < this.box.frame.length) return;
    for (const name of /** @type {(keyof typeof this.box)[]} */ (Object.keys(this.box))) {
      this.box = { ...this.box, [name]: longer(this.box[name], 0) };
    }
    this.totals = this.totals.map((side) => longer(side, 0));
    this.selfs = this.selfs.map((side) => longer(side, 0));
  }

  /**
   * @param {number} frame
   * @param {number} parent
   * @param {number} x
   * @param {number} begin of its entries
   * @param {number} end
   */
  #addBox(frame, parent, x, begin, end) {
    this.#reserveBox();
    const at = this.count;
    this.count += 1;
    const { box } = this;
    box.frame[at] = frame;
    box.parent[at] = parent;
    box.depth[at] = parent === NONE ? 0 : box.depth[parent] + 1;
    box.first[at] = NONE;
    box.begin[at] = begin;
    box.end[at] = end;
    box.x[at] = x;
    this.#sum(at, begin, end);
    return at;
  }

  /** @param {number} at the box @param {number} begin of its entries @param {number} end */
  #sum(at, begin, end) {
    const { tree, weights, box, entry } = this;
    const up = this.way === "up";
    const rows = up ? tree.depth : tree.height;
    const ends = up ? entry.next : entry.node;
    for (let each = begin; each < end; each++) {
      const node = entry.node[each];
      box.height[at] = Math.max(box.height[at], rows[ends[each]]);
      box.width[at] += weights.width[node];
      box.gained[at] += weights.gained[node];
      box.lost[at] += weights.lost[node];
      for (let side = 0; side < weights.sides.length; side++) {
        this.totals[side][at] += weights.sides[side][node];
        if (!up) this.selfs[side][at] += tree.own.sides[side][node];
      }
    }
  }
}

/** The stacks as they are, from the root down. @param {StackTree} tree @param {Order} order @param {Int32Array} rank */
export function forward(tree, order, rank) {
  return new Icicle(tree, "down", [0], [], tree.total, NONE, order, rank);
}

/** The stacks from their leaves up. @param {StackTree} tree @param {Order} order @param {Int32Array} rank */
export function inverted(tree, order, rank) {
  const leaves = [];
  for (let node = 0; node < tree.count; node++) if (tree.own.width[node]) leaves.push(node);
  return new Icicle(tree, "up", leaves, leaves, tree.own, NONE, order, rank);
}

/**
 * What a frame calls, and by whom it is called; both are as wide as the frame's cumulative value.
 * @param {StackTree} tree
 * @param {number} frame
 * @param {Order} order
 * @param {Int32Array} rank
 */
export function sandwich(tree, frame, order, rank) {
  const pick = new Uint8Array(tree.frames);
  pick[frame] = 1;
  const nodes = tree.outermost(pick);
  const callers = nodes.map((node) => tree.parent[node]);
  return {
    callees: new Icicle(tree, "down", nodes, [], tree.total, frame, order, rank),
    callers: new Icicle(tree, "up", nodes, callers, tree.total, frame, order, rank),
  };
}
