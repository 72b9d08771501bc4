// One of a few: buttons side by side that work as a radio group.

import { make } from "./tooltip.js";

export class Choice {
  /**
   * @param {HTMLElement} element
   * @param {string[][]} options each a key and its text
   * @param {(key: string) => void} choose
   */
  constructor(element, options, choose) {
    this.buttons = options.map(([key, text]) => {
      const button = make("button", "", text);
      button.setAttribute("role", "radio");
      button.dataset.key = key;
      button.addEventListener("click", () => choose(key));
      return button;
    });
    element.replaceChildren(...this.buttons);
  }

  /** @param {string} key */
  show(key) {
    for (const button of this.buttons) {
      button.setAttribute("aria-checked", String(button.dataset.key === key));
    }
  }
}
