// hall-bridge.js: whether it is ECMAScript 5, and its short form. `node bridge.mjs build` writes the latter.
import { readFile, writeFile } from "node:fs/promises";
import { parse } from "acorn";
import { minify } from "terser";
import { serve } from "./lines.mjs";

const FOLDER = new URL("../../app/portal/scripts/", import.meta.url);

async function shorten({ text }) {
  const made = await minify(text, { ecma: 5, compress: { passes: 3 }, mangle: true });
  return `/*! hall-bridge ${versionOf(text)} */${made.code}\n`;
}

function versionOf(text) {
  return /version: "([\d.]+)"/.exec(text)[1];
}

if (process.argv[2] === "build") {
  const text = await readFile(new URL("hall-bridge.js", FOLDER), "utf8");
  await writeFile(new URL(`hall-bridge-${versionOf(text)}.min.js`, FOLDER), await shorten({ text }));
} else {
  await serve({
    parse({ text, year }) {
      parse(text, { ecmaVersion: year });
      return true;
    },
    shorten,
  });
}
