// Build the one file that ships: page.html with its script and style inside, and their hashes in
// its content security policy. `node build.js [FILE]`

import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = process.argv[2] ?? join(here, "../../src/gotrace/sinks/page/flame.html");

/** @param {string} entry */
async function bundled(entry) {
  const { outputFiles } = await build({
    entryPoints: [join(here, "src", entry)],
    absWorkingDir: here,
    bundle: true,
    charset: "utf8",
    format: "iife",
    legalComments: "inline",
    target: ["chrome111", "firefox113", "safari16.4"],
    write: false,
  });
  return outputFiles[0].text;
}

/** @param {string} text */
function source(text) {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

const [script, style] = await Promise.all([bundled("main.js"), bundled("style.css")]);
if (/<\/(script|style)|<!--/i.test(script + style)) {
  throw new Error("the script or the style would end its own element");
}
const parts = {
  POLICY: [
    "default-src 'none'",
    `script-src ${source(script)}`,
    `style-src ${source(style)}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; "),
  STYLE: style,
  SCRIPT: script,
};
let page = await readFile(join(here, "page.html"), "utf8");
for (const [name, text] of Object.entries(parts)) page = page.replace(`@@${name}@@`, () => text);
await writeFile(target, page);
