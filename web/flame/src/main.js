import { readDocument } from "./document.js";
import { listen as listenToKeys } from "./keys.js";
import { Page } from "./page.js";
import { listen as listenToPointer } from "./pointer.js";

const { page, frames, flames } = readDocument();
const shown = new Page(page, frames, flames);
listenToKeys(shown);
listenToPointer(shown);
shown.stage.scroller.focus({ preventScroll: true });
// For the console, and for tests.
Object.assign(window, { flamePage: shown });
