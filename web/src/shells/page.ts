/** The page in a browser of its own: one file with everything in it, or served with its data beside it. */

import { parse, trace } from "../api";
import { Page } from "../views/page";
import { settingText, type Setting } from "../views/setting";
import { givenOf } from "./given";

declare global {
  interface Window {
    mhat: { parse: typeof parse; trace: typeof trace; page?: Page };
  }
}

window.mhat = { parse, trace };
const script = document.currentScript as HTMLScriptElement | null;

async function dataOf(): Promise<{ data: unknown; file: boolean }> {
  const beside = document.getElementById("mhat-data");
  if (beside) return { data: JSON.parse(beside.textContent || "null"), file: true };
  const answer = await fetch(`data.json${location.search}`);
  return { data: answer.ok ? await answer.json() : null, file: false };
}

/** This file again, with another setting: what runs in it is the same to the byte. */
function fileOf(data: unknown, setting: Setting): string {
  const source = script?.textContent ?? "";
  const style = document.getElementById("mhat-style")?.textContent ?? "";
  const policy = document.querySelector('meta[http-equiv="Content-Security-Policy"]')?.getAttribute("content") ?? "";
  const json = JSON.stringify({ ...(data as object), setting: JSON.parse(settingText({ ...setting, lesson: setting.lesson })) }).replace(/</g, "\\u003c");
  return [
    "<!doctype html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy.replace(/"/g, "&quot;")}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">', `<title>${document.title.replace(/[<&]/g, "")}</title>`,
    `<style id="mhat-style">${style}</style>`, "</head>", "<body>", '<div id="mhat"></div>',
    `<script type="application/json" id="mhat-data">${json}</script>`, `<script>${source}</script>`, "</body>", "</html>", "",
  ].join("\n"); // prettier-ignore
}

async function serverFile(setting: Setting): Promise<string> {
  const answer = await fetch(`export${location.search}`, { method: "POST", headers: { "content-type": "application/json" }, body: settingText(setting) });
  return answer.text();
}

async function begin(): Promise<void> {
  const { data, file } = await dataOf();
  const root = document.getElementById("mhat")!;
  const make = file ? (setting: Setting) => fileOf(data, setting) : serverFile;
  window.mhat.page = new Page(root, givenOf(data), { nonce: null, page: make, address: true });
}

void begin();
