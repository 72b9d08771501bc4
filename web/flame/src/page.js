// What the page shows now, and all that can be done to it.

import { Choice } from "./choice.js";
import { Colours } from "./colours.js";
import { FunctionList } from "./function_list.js";
import { functionValues } from "./functions.js";
import { forward, inverted, NONE, sandwich } from "./icicle.js";
import { KEYS, POINTER } from "./keys.js";
import { drawLegend } from "./legend.js";
import { Pane } from "./pane.js";
import { search, sharesOf } from "./search.js";
import { Stage } from "./stage.js";
import { make, summary, Tooltip } from "./tooltip.js";
import { changeText, shareText } from "./units.js";

/** @typedef {import("./document.js").Flame} Flame */
/** @typedef {import("./document.js").Frames} Frames */
/** @typedef {import("./document.js").PageData} PageData */
/** @typedef {import("./stage.js").Spot} Spot */
/** @typedef {"flame" | "inverted" | "sandwich"} View */

const EMPTY = "Nothing was measured here: all values of this flame are 0.";
const UNCHOSEN =
  "Choose a function in the table, or double click a box, to see its callers above and its callees below.";

/** @param {string} id */
const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

export class Page {
  /** @param {PageData} page @param {Frames} frames @param {Flame[]} flames */
  constructor(page, frames, flames) {
    this.frames = frames;
    this.flames = flames;
    this.flame = flames[page.shown];
    /** @type {View} */
    this.view = "flame";
    /** @type {import("./icicle.js").Order} */
    this.order = "weight";
    /** The function in the middle of the sandwich. */
    this.middle = NONE;
    /** @type {Map<import("./stack_tree.js").StackTree, ReturnType<typeof functionValues>>} */
    this.sums = new Map();
    /** Where each view is zoomed to, for when it is shown again. @type {Map<View, number[]>} */
    this.zooms = new Map();
    /** The view in the panes, if its zoom is kept. @type {View | null} */
    this.shown = null;
    this.colours = new Colours(frames);
    const canvas = /** @type {HTMLCanvasElement} */ (part("canvas"));
    this.stage = new Stage(part("scroller"), part("sheet"), canvas, frames, this.colours);
    this.tooltip = new Tooltip(part("tooltip"));
    this.query = /** @type {HTMLInputElement} */ (part("query"));
    this.help = /** @type {HTMLDialogElement} */ (part("help"));
    this.list = new FunctionList(part("list"), frames, (frame) => this.sandwich(frame));
    this.#head(page);
    this.#controls();
    this.#followTheme();
    this.showView();
  }

  get functions() {
    const { tree } = this.flame;
    const found = this.sums.get(tree) ?? functionValues(tree);
    this.sums.set(tree, found);
    return found;
  }

  /** Make the panes anew: another flame, view, order or function. */
  showView() {
    const [old] = this.stage.panes;
    if (old && this.shown) this.zooms.set(this.shown, old.icicle.path(old.zoomed));
    this.shown = this.view === "sandwich" ? null : this.view;
    const { tree } = this.flame;
    const { rank } = this.frames;
    this.stage.isDiff = this.flame.isDiff;
    this.stage.labels.root = `all ${this.flame.value}`;
    const chosen = this.view !== "sandwich" || this.middle !== NONE;
    this.tooltip.hide();
    this.#hint(!tree.total.width[0] ? EMPTY : chosen ? "" : UNCHOSEN);
    if (this.view === "sandwich") {
      const both = chosen ? sandwich(tree, this.middle, this.order, rank) : null;
      this.stage.show(both ? [new Pane(both.callers, true), new Pane(both.callees, false)] : []);
    } else {
      const made = this.view === "inverted" ? inverted : forward;
      const pane = new Pane(made(tree, this.order, rank), false);
      this.stage.show([pane]);
      const zoomed = pane.icicle.find(this.zooms.get(this.view) ?? []);
      if (zoomed) this.stage.zoom({ pane, box: zoomed }, true);
    }
    this.#search();
    drawLegend(part("legend"), this.flame, this.colours);
    this.changed();
  }

  /** Say why there is nothing to see. @param {string} text */
  #hint(text) {
    part("hint").hidden = !text;
    part("hint").textContent = text;
  }

  /** Tell what depends on zoom and focus. */
  changed() {
    part("reset").hidden = !this.stage.isZoomed;
    this.views?.show(this.view);
    this.orders?.show(this.order);
    this.values?.show(String(this.flames.indexOf(this.flame)));
    this.#tell(this.stage.focus ?? this.stage.hover);
  }

  /** @param {Spot} spot */
  zoomTo(spot) {
    this.stage.focus = null;
    this.stage.zoom(spot);
    this.changed();
  }

  zoomToFocus() {
    const { focus } = this.stage;
    if (!focus) return;
    this.stage.zoom(focus);
    this.changed();
  }

  zoomOut() {
    const pane = this.stage.focus?.pane ?? this.stage.panes.at(-1);
    if (!pane) return;
    this.stage.zoom({ pane, box: Math.max(pane.icicle.parent(pane.zoomed), 0) });
    this.changed();
  }

  /** @param {1 | -1} step down or up */
  moveRow(step) {
    const spot = this.#start();
    if (!spot) return;
    const { pane, box } = spot;
    const outwards = pane.upwards ? step < 0 : step > 0;
    if (outwards) {
      const child = widest(pane, box);
      if (child !== NONE) this.#focus({ pane, box: child });
      return;
    }
    const above = pane.icicle.parent(box);
    const [callers, callees] = this.stage.panes;
    // In a sandwich the middle row is the callees' root, for both panes.
    if (pane.upwards && above === 0) this.#focus({ pane: callees, box: 0 });
    else if (above !== NONE) this.#focus({ pane, box: above });
    else if (callees === pane && step < 0) {
      const child = widest(callers, 0);
      if (child !== NONE) this.#focus({ pane: callers, box: child });
    }
  }

  /** @param {1 | -1} step right or left */
  moveAside(step) {
    const spot = this.#start();
    if (!spot) return;
    const { pane, box } = spot;
    const above = pane.icicle.parent(box);
    if (above === NONE) return;
    const { first, count } = pane.icicle.children(above);
    const next = box + step;
    if (next >= first && next < first + count) this.#focus({ pane, box: next });
  }

  /** @param {1 | -1} step */
  nextMatch(step) {
    const { matches } = this.stage;
    const pane = this.stage.panes.at(-1);
    if (!matches || !pane || pane.upwards) return;
    const found = this.#matching(pane, matches);
    if (!found.length) return;
    const now = this.stage.focus?.pane === pane ? found.indexOf(this.stage.focus.box) : -1;
    const next = now < 0 && step < 0 ? found.length - 1 : (now + step + found.length) % found.length;
    this.#focus({ pane, box: found[next] });
  }

  escape() {
    if (this.query.value) {
      this.query.value = "";
      this.#search();
      this.stage.scroller.focus();
    } else if (this.stage.isZoomed) {
      this.stage.reset();
    } else if (this.view !== "flame") {
      this.setView("flame");
      return;
    } else {
      this.stage.focus = null;
    }
    this.stage.ask();
    this.changed();
  }

  startSearch() {
    this.query.focus();
    this.query.select();
  }

  /** @param {View} view */
  setView(view) {
    const { focus } = this.stage;
    if (view === "sandwich") {
      if (focus && focus.pane.icicle.frame(focus.box) !== NONE) {
        this.middle = focus.pane.icicle.frame(focus.box);
      }
      this.toggleList(true);
    }
    this.view = view;
    this.showView();
  }

  /** @param {View} view */
  toggleView(view) {
    this.setView(this.view === view ? "flame" : view);
  }

  /** Show what calls a function, and what it calls. @param {number} frame */
  sandwich(frame) {
    if (frame === NONE) return;
    this.stage.focus = null;
    this.middle = frame;
    this.view = "sandwich";
    this.showView();
  }

  sandwichFocus() {
    const spot = this.stage.focus ?? this.stage.hover;
    if (spot && spot.pane.icicle.frame(spot.box) !== NONE) this.sandwich(spot.pane.icicle.frame(spot.box));
    else this.toggleView("sandwich");
  }

  toggleOrder() {
    this.order = this.order === "weight" ? "name" : "weight";
    this.showView();
  }

  nextValue() {
    this.setValue((this.flames.indexOf(this.flame) + 1) % this.flames.length);
  }

  /** @param {number} at */
  setValue(at) {
    this.flame = this.flames[at];
    this.showView();
  }

  /** @param {boolean} [open] */
  toggleList(open = part("list").hidden !== false) {
    part("list").hidden = !open;
    part("list-toggle").setAttribute("aria-pressed", String(open));
    if (open) this.#fillList();
  }

  get isHelpOpen() {
    return this.help.open;
  }

  openHelp() {
    this.help.showModal();
  }

  /** @param {number} x @param {number} y of the window */
  hoverAt(x, y) {
    const { stage } = this;
    const spot = stage.at(x, y);
    if (spot?.box !== stage.hover?.box || spot?.pane !== stage.hover?.pane) {
      stage.hover = spot;
      stage.ask();
      stage.canvas.style.cursor = spot ? "pointer" : "";
      if (spot) this.tooltip.fill(this.#factsOf(spot), this.flame, this.frames, this.functions);
      if (!stage.focus) this.#tell(spot);
    }
    if (spot) this.tooltip.show(x, y);
    else this.tooltip.hide();
  }

  /** Where the keys begin: the focus, else what fills the width. @returns {Spot | null} */
  #start() {
    const { focus } = this.stage;
    if (focus) return focus;
    const pane = this.stage.panes.at(-1);
    if (pane) this.#focus({ pane, box: pane.zoomed });
    return null;
  }

  /** @param {Spot} spot */
  #focus(spot) {
    this.tooltip.hide();
    this.stage.focusOn(spot);
    this.changed();
  }

  /** @param {Spot} spot */
  #factsOf({ pane, box }) {
    const { icicle } = pane;
    const frame = icicle.frame(box);
    const { totals, selfs, gained, lost } = icicle.values(box);
    return {
      frame,
      name: frame === NONE ? this.stage.labels.root : this.frames.names[frame],
      totals,
      selfs: icicle.way === "down" ? selfs : null,
      inlined: frame === NONE ? 0 : icicle.inlined(box),
      wholes: this.flame.tree.whole,
      moved: [gained, lost],
    };
  }

  /** @param {Spot | null} spot what is pointed at; without one, what fills the width */
  #tell(spot) {
    const pane = this.stage.panes.at(-1);
    spot ??= pane?.zoomed ? { pane, box: pane.zoomed } : null;
    const facts = spot && this.#factsOf(spot);
    part("details").replaceChildren(
      make("strong", "", facts ? facts.name : ""),
      make("span", "", facts ? summary(facts, this.flame, this.frames) : ""),
    );
  }

  /** Boxes with matching frames, outermost first, in the order that they are drawn. @param {Pane} pane @param {Uint8Array} matches */
  #matching(pane, matches) {
    const { icicle } = pane;
    const least = icicle.width(0) / 20000;
    const found = [];
    const pending = [0];
    while (pending.length) {
      const box = /** @type {number} */ (pending.pop());
      const frame = icicle.frame(box);
      if (frame !== NONE && matches[frame]) {
        found.push(box);
        continue;
      }
      if (icicle.width(box) < least) continue;
      const { first, count } = icicle.children(box);
      for (let child = first + count - 1; child >= first; child--) pending.push(child);
    }
    return found;
  }

  #search() {
    const text = this.query.value;
    const found = text ? search(this.frames, text) : null;
    const output = part("found");
    this.stage.matches = found && "matches" in found ? found.matches : null;
    this.query.setAttribute("aria-invalid", String(found !== null && "fault" in found));
    output.title = "";
    output.textContent = "";
    if (found && "fault" in found) {
      output.textContent = "not a pattern";
      output.title = found.fault;
    } else if (found) {
      const shares = sharesOf(this.flame.tree, found.matches);
      const texts = shares.map(({ part, whole }) => shareText(part, whole));
      const change = this.flame.isDiff ? ` (${changeText(shares[0].part, shares[1].part)})` : "";
      const functions = `${found.count} function${found.count === 1 ? "" : "s"}`;
      output.textContent = found.count ? `${texts.join(" → ")}${change} · ${functions}` : "no match";
      output.title = "part of the total that passes through what was found";
    }
    this.#fillList();
    this.stage.ask();
  }

  #fillList() {
    this.list.chosen = this.view === "sandwich" ? this.middle : NONE;
    if (!part("list").hidden) this.list.fill(this.flame, this.functions, this.stage.matches);
  }

  /** @param {PageData} page */
  #head(page) {
    document.title = page.title;
    part("title").textContent = page.title;
    part("facts").replaceChildren(
      ...page.facts.map(([name, text]) => make("span", "fact", `${name} ${text}`)),
    );
    for (const [text, href] of page.links) {
      const link = /** @type {HTMLAnchorElement} */ (make("a", "", text));
      link.href = href;
      link.rel = "noreferrer noopener";
      if (["http:", "https:", "mailto:", "file:"].includes(link.protocol)) part("links").append(link);
    }
    part("generator").textContent = page.generator;
  }

  #controls() {
    const { flames } = this;
    this.values = new Choice(part("values"), flames.map(({ value }, at) => [String(at), value]), (at) => this.setValue(Number(at)));
    part("values").hidden = flames.length < 2;
    this.views = new Choice(
      part("views"),
      [["flame", "Flame"], ["inverted", "Inverted"], ["sandwich", "Sandwich"]],
      (view) => this.setView(/** @type {View} */ (view)),
    );
    this.orders = new Choice(part("orders"), [["weight", "by weight"], ["name", "by name"]], (order) => {
      if (order !== this.order) this.toggleOrder();
    });
    part("list-toggle").addEventListener("click", () => this.toggleList());
    part("reset").addEventListener("click", () => {
      this.stage.reset();
      this.changed();
    });
    this.query.addEventListener("input", () => this.#search());
    part("help-open").addEventListener("click", () => this.openHelp());
    part("help-close").addEventListener("click", () => this.help.close());
    for (const [key, does] of [...KEYS.map(({ shown, does }) => [shown, does]), ...POINTER]) {
      part("keys").append(make("dt", "", key), make("dd", "", does));
    }
  }

  #followTheme() {
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    const follow = () => {
      this.colours.use(dark.matches);
      this.stage.ask();
      if (this.stage.panes.length) drawLegend(part("legend"), this.flame, this.colours);
    };
    dark.addEventListener("change", follow);
    follow();
  }
}

/** The widest child of a box, or NONE. @param {Pane} pane @param {number} box */
function widest({ icicle }, box) {
  const { first, count } = icicle.children(box);
  let best = NONE;
  for (let child = first; child < first + count; child++) {
    if (best === NONE || icicle.width(child) > icicle.width(best)) best = child;
  }
  return best;
}
