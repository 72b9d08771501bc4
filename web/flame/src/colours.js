// Which colour a box has: one hue a package in a few tints, or how much a box grew or shrank.

/** @typedef {import("./document.js").Frames} Frames */

const HUES = 24;
/** Tints of a hue, so that functions of one package can be told from their neighbours. */
const TINTS = [[0, 0], [0.03, 7], [-0.03, -7]];
/** Steps from nothing to all on each side of a difference. */
const STEPS = 8;

const LIGHT = {
  own: { light: 0.845, chroma: 0.095 },
  library: { light: 0.905, chroma: 0.028 },
  root: "#d9dbe0", faded: "#eceef1", match: "#c2410c", matchText: "#ffffff",
  text: "#17181c", fadedText: "#6a6f78", back: "#ffffff", edge: "#16181d", sliver: "#c9ccd2",
  same: "#e3e5e9",
  more: (/** @type {number} */ part) => `oklch(${0.93 - 0.21 * part} ${0.02 + 0.15 * part} 35)`,
  less: (/** @type {number} */ part) => `oklch(${0.93 - 0.21 * part} ${0.02 + 0.12 * part} 250)`,
};
const DARK = {
  own: { light: 0.44, chroma: 0.085 },
  library: { light: 0.345, chroma: 0.022 },
  root: "#3a3e46", faded: "#23262b", match: "#fb923c", matchText: "#17120b",
  text: "#f0f1f3", fadedText: "#878d97", back: "#15171b", edge: "#ffffff", sliver: "#454a53",
  same: "#343840",
  more: (/** @type {number} */ part) => `oklch(${0.33 + 0.13 * part} ${0.02 + 0.13 * part} 30)`,
  less: (/** @type {number} */ part) => `oklch(${0.33 + 0.13 * part} ${0.02 + 0.11 * part} 255)`,
};

export class Colours {
  /** @param {Frames} frames */
  constructor(frames) {
    /** Palette entry of each frame: its hue and tint, in the second half for the standard library. */
    this.entry = new Uint8Array(frames.count);
    for (let frame = 0; frame < frames.count; frame++) {
      const place = frames.packageOf(frame);
      // Import paths of others begin with a domain; main is the program's own.
      const library = place !== "main" && !place.split("/")[0].includes(".");
      const hue = (hash(place) % HUES) + (library ? HUES : 0);
      this.entry[frame] = hue * TINTS.length + (hash(frames.names[frame]) % TINTS.length);
    }
    this.theme = LIGHT;
    this.drawn = paletteOf(this.theme);
  }

  /** @param {boolean} dark */
  use(dark) {
    this.theme = dark ? DARK : LIGHT;
    this.drawn = paletteOf(this.theme);
  }

  /** @param {number} frame */
  of(frame) {
    return frame < 0 ? this.theme.root : this.drawn.packages[this.entry[frame]];
  }

  /** The colour of a value below zero, which only differences have. */
  get ofNegative() {
    return this.drawn.less[STEPS];
  }

  /** The colour of a change, by its part of the larger side. @param {number} before @param {number} after */
  ofChange(before, after) {
    const larger = Math.max(Math.abs(before), Math.abs(after));
    if (!larger || before === after) return this.theme.same;
    const part = (after - before) / larger;
    const step = Math.max(1, Math.round(Math.min(Math.abs(part), 1) * STEPS));
    return (part > 0 ? this.drawn.more : this.drawn.less)[step];
  }
}

/** @param {typeof LIGHT} theme */
function paletteOf({ own, library, more, less }) {
  const hues = Array.from({ length: HUES }, (_, at) => (at * 360) / HUES);
  const tinted = (/** @type {typeof own} */ { light, chroma }) =>
    hues.flatMap((hue) => TINTS.map(([lighter, turn]) => `oklch(${light + lighter} ${chroma} ${hue + turn})`));
  const parts = Array.from({ length: STEPS + 1 }, (_, at) => at / STEPS);
  return {
    packages: [...tinted(own), ...tinted(library)],
    more: parts.map(more),
    less: parts.map(less),
  };
}

/** FNV-1a: the same package has the same colour on every page. @param {string} text */
function hash(text) {
  let sum = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193) >>> 0;
  }
  return (sum ^ (sum >>> 15)) >>> 0;
}
