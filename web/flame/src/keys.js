// What each key does, as data: the page's help is written from it too.

/** @typedef {import("./page.js").Page} Page */
/** @typedef {{keys: string[], shown: string, does: string, run: (page: Page) => void}} Key */

/** @type {Key[]} */
export const KEYS = [
  { keys: ["ArrowUp"], shown: "↑", does: "to the row above", run: (page) => page.moveRow(-1) },
  { keys: ["ArrowDown"], shown: "↓", does: "to the row below: its widest box", run: (page) => page.moveRow(1) },
  { keys: ["ArrowLeft"], shown: "←", does: "to the neighbour on the left", run: (page) => page.moveAside(-1) },
  { keys: ["ArrowRight"], shown: "→", does: "to the neighbour on the right", run: (page) => page.moveAside(1) },
  { keys: ["Enter"], shown: "Enter", does: "zoom to the box", run: (page) => page.zoomToFocus() },
  { keys: ["Backspace"], shown: "Backspace", does: "zoom out by one box", run: (page) => page.zoomOut() },
  { keys: ["0"], shown: "0", does: "the whole flame", run: (page) => page.stage.reset() },
  { keys: ["Escape"], shown: "Esc", does: "undo: search, then zoom, then view", run: (page) => page.escape() },
  { keys: ["/"], shown: "/", does: "search", run: (page) => page.startSearch() },
  { keys: ["n"], shown: "n", does: "next match", run: (page) => page.nextMatch(1) },
  { keys: ["N"], shown: "Shift n", does: "match before", run: (page) => page.nextMatch(-1) },
  { keys: ["i"], shown: "i", does: "inverted view, and back", run: (page) => page.toggleView("inverted") },
  { keys: ["s"], shown: "s", does: "sandwich: callers and callees of the box's function", run: (page) => page.sandwichFocus() },
  { keys: ["o"], shown: "o", does: "siblings by weight or by name", run: (page) => page.toggleOrder() },
  { keys: ["v"], shown: "v", does: "next value", run: (page) => page.nextValue() },
  { keys: ["t"], shown: "t", does: "table of functions", run: (page) => page.toggleList() },
  { keys: ["?"], shown: "?", does: "this list", run: (page) => page.openHelp() },
];

export const POINTER = [
  ["Click", "zoom to a box"],
  ["Alt click, or double click", "sandwich of a function"],
  ["Ctrl wheel", "zoom where the pointer is"],
  ["Shift wheel, or drag", "move sideways"],
];

/** @param {Page} page */
export function listen(page) {
  const actions = new Map(KEYS.flatMap(({ keys, run }) => keys.map((key) => [key, run])));
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (page.isHelpOpen) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.matches("input")) {
      if (event.key === "Escape") page.escape();
      else if (event.key === "Enter") page.nextMatch(event.shiftKey ? -1 : 1);
      else if (event.key === "ArrowDown") page.stage.scroller.focus();
      else return;
    } else {
      if (target.matches("button, a") && event.key === "Enter") return;
      const run = actions.get(event.key);
      if (!run) return;
      run(page);
    }
    event.preventDefault();
  });
}
