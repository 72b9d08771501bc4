// One of a few: buttons side by side that work as a radio group.

import { make } from "./tooltip.js";

/** @type {Record<string, number>} */
const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

export class Choice {
  /**
   * @param {HTMLElement} element
   * @param {string[][]} options each a key and its text
   * @param {(key: string) => void} choose
   */
  constructor(element, options, choose) {
    this.choose = choose;
    this.keys = options.map(([key]) => key);
    this.buttons = options.map(([key, text]) => {
      const button = make("button", "", text);
      button.setAttribute("role", "radio");
      button.addEventListener("click", () => choose(key));
      return button;
    });
    element.replaceChildren(...this.buttons);
    element.addEventListener("keydown", (event) => this.#step(event));
  }

  /** @param {string} shown */
  show(shown) {
    this.buttons.forEach((button, at) => {
      const checked = this.keys[at] === shown;
      button.setAttribute("aria-checked", String(checked));
      button.tabIndex = checked ? 0 : -1;
    });
  }

  /** @param {KeyboardEvent} event */
  #step(event) {
    const step = STEPS[event.key];
    const at = this.buttons.findIndex((button) => button === document.activeElement);
    if (!step || at < 0) return;
    const next = (at + step + this.buttons.length) % this.buttons.length;
    this.buttons[next].focus();
    this.choose(this.keys[next]);
    event.preventDefault();
    event.stopPropagation();
  }
}
