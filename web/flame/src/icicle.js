// What is drawn: a tree of merged stacks that grows where somebody looks.
//
// A box stands for nodes of the stack tree. Its children are the callees of these nodes, or, in a
// tree that goes up, their callers, merged by frame. They are made when the box is first seen wide
// enough: the whole inverted tree of a hundred thousand nodes would have millions of boxes.

/** @typedef {import("./stack_tree.js").StackTree} StackTree */
/** @typedef {import("./stack_tree.js").Weights} Weights */
/** @typedef {"weight" | "name"} Order */

export const NONE = -1;

/** A typed array that grows. @template {Int32Array | Float64Array} T */
class Column {
  /** @param {new (length: number) => T} kind */
  constructor(kind) {
    this.kind = kind;
    this.at = new kind(1024);
  }

  /** @param {number} size */
  reserve(size) {
    if (size <= this.at.length) return;
    const more = new this.kind(Math.max(size, this.at.length * 2));
    more.set(this.at);
    this.at = more;
  }
}

const ints = () => new Column(Int32Array);
const floats = () => new Column(Float64Array);

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
    entries.forEach((node, at) => this.#addEntry(node, nexts[at] ?? node));
    this.#addBox(frame, NONE, 0, 0, entries.length);
  }

  /** @param {number} box */
  frame(box) {
    return this.box.frame.at[box];
  }

  /** @param {number} box */
  parent(box) {
    return this.box.parent.at[box];
  }

  /** @param {number} box */
  depth(box) {
    return this.box.depth.at[box];
  }

  /** How many rows there are below a box, or above it in a tree that goes up. @param {number} box */
  height(box) {
    return this.box.height.at[box];
  }

  /** Left edge, in values. @param {number} box */
  x(box) {
    return this.box.x.at[box];
  }

  /** @param {number} box */
  width(box) {
    return this.box.width.at[box];
  }

  /** First child and number of children, which follow each other. @param {number} box */
  children(box) {
    if (this.box.first.at[box] === NONE) this.#expand(box);
    return { first: this.box.first.at[box], count: this.box.children.at[box] };
  }

  /** What a box says in numbers. @param {number} box */
  values(box) {
    return {
      totals: this.totals.map((side) => side.at[box]),
      selfs: this.selfs.map((side) => side.at[box]),
      gained: this.box.gained.at[box],
      lost: this.box.lost.at[box],
    };
  }

  /** 0, 1 for inlined, 2 for inlined in some stacks. @param {number} box */
  inlined(box) {
    if (this.way === "up") return 0;
    const { begin, end } = this.box;
    const codes = new Set();
    for (let at = begin.at[box]; at < end.at[box]; at++) {
      codes.add(this.tree.inlined[this.entry.node.at[at]]);
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

  #expand(/** @type {number} */ box) {
    const { nodes, nexts } = this.#below(box);
    const { tree, slots } = this;
    /** @type {{frame: number, size: number, width: number, begin: number}[]} */
    const groups = [];
    const carriers = this.way === "up" ? nodes : nexts;
    nexts.forEach((next, at) => {
      const frame = tree.frame[next];
      if (slots[frame] === NONE) {
        slots[frame] = groups.length;
        groups.push({ frame, size: 0, width: 0, begin: 0 });
      }
      const group = groups[slots[frame]];
      group.size++;
      group.width += this.weights.width[carriers[at]];
    });
    const byName = (/** @type {any} */ a, /** @type {any} */ b) => this.rank[a.frame] - this.rank[b.frame];
    const ordered = [...groups].sort(
      this.order === "name" ? byName : (a, b) => b.width - a.width || byName(a, b),
    );
    // Callers take the place of the entries they come from; callees are more and come behind.
    let begin = this.way === "up" ? this.box.begin.at[box] : this.entries;
    for (const group of ordered) {
      group.begin = begin;
      begin += group.size;
    }
    this.entries = Math.max(this.entries, begin);
    this.entry.node.reserve(this.entries);
    this.entry.next.reserve(this.entries);
    nexts.forEach((next, at) => {
      const group = groups[slots[tree.frame[next]]];
      this.entry.node.at[group.begin] = carriers[at];
      this.entry.next.at[group.begin] = this.way === "up" ? tree.parent[next] : next;
      group.begin++;
    });
    const first = this.count;
    let x = this.x(box);
    for (const { frame, size, begin: end } of ordered) {
      slots[frame] = NONE;
      x += this.width(this.#addBox(frame, box, x, end - size, end));
    }
    this.box.first.at[box] = first;
    this.box.children.at[box] = ordered.length;
  }

  /** The nodes one row on from a box, and the entries that they come from. @param {number} box */
  #below(box) {
    const nodes = [];
    const nexts = [];
    for (let at = this.box.begin.at[box]; at < this.box.end.at[box]; at++) {
      const node = this.entry.node.at[at];
      const next = this.entry.next.at[at];
      if (this.way === "down") {
        for (const child of this.tree.children(node)) nexts.push(child);
      } else if (next > 0) {
        nodes.push(node);
        nexts.push(next);
      }
    }
    return { nodes, nexts };
  }

  #addEntry(/** @type {number} */ node, /** @type {number} */ next) {
    const at = this.entries++;
    this.entry.node.reserve(this.entries);
    this.entry.next.reserve(this.entries);
    this.entry.node.at[at] = node;
    this.entry.next.at[at] = next;
  }

  /**
   * @param {number} frame
   * @param {number} parent
   * @param {number} x
   * @param {number} begin of its entries
   * @param {number} end
   */
  #addBox(frame, parent, x, begin, end) {
    const box = this.count;
    this.count += 1;
    for (const column of [...Object.values(this.box), ...this.totals, ...this.selfs]) {
      column.reserve(this.count);
    }
    const { tree, weights } = this;
    let [height, width, gained, lost] = [0, 0, 0, 0];
    for (let at = begin; at < end; at++) {
      const node = this.entry.node.at[at];
      const next = this.entry.next.at[at];
      height = Math.max(height, this.way === "up" ? tree.depth[next] : tree.height[node]);
      width += weights.width[node];
      gained += weights.gained[node];
      lost += weights.lost[node];
      weights.sides.forEach((side, which) => {
        this.totals[which].at[box] += side[node];
        if (this.way === "down") this.selfs[which].at[box] += tree.own.sides[which][node];
      });
    }
    const depth = parent === NONE ? 0 : this.depth(parent) + 1;
    const facts = {
      frame, parent, depth, height, first: NONE, children: 0, begin, end, x, width, gained, lost,
    };
    for (const [name, value] of Object.entries(facts)) {
      this.box[/** @type {keyof typeof facts} */ (name)].at[box] = value;
    }
    return box;
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
