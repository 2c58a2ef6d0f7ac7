/** Builds what the Python package carries: lab.js (a classic script), widget.js (a module), lab.css. */

import { readFileSync, writeFileSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = process.argv[2] ?? here("build");
mkdirSync(out, { recursive: true });

const targets = [
  { entry: "src/shells/page.ts", format: "iife", file: "lab.js" },
  { entry: "src/shells/widget.ts", format: "es", file: "widget.js" },
];
for (const { entry, format, file } of targets)
  await build({
    root: here("."),
    configFile: false,
    logLevel: "warn",
    build: {
      outDir: out,
      emptyOutDir: false,
      target: "es2022",
      minify: true,
      lib: { entry: here(entry), formats: [format], name: "mhatLab", fileName: () => file },
      rolldownOptions: { output: { minify: true } },
    },
  });
const styles = ["node_modules/uplot/dist/uPlot.min.css", "src/views/style.css"].map((path) => readFileSync(here(path), "utf8").trim());
writeFileSync(`${out}/lab.css`, `${styles.join("\n")}\n`);
