/** Undo, reset, a link, and what can be taken along: pictures, numbers, the rules, the page itself. */

import { variables } from "../language/tree";
import { traced } from "../engine/tracing";
import { Refusal } from "../language/refusal";
import { latexOf } from "../language/latex";
import { button, element } from "./elements";
import { parsedOf, type Result } from "./running";
import type { Setting } from "./setting";
import { linkOf, type Store } from "./store";
import { drawnSvg } from "./svg";
import type { Colours } from "./colours";

export interface Around {
  store: Store;
  result: () => Result;
  colours: () => Colours;
  canvases: () => { name: string; canvas: HTMLCanvasElement }[];
  theme: () => void;
  /** The page as a file, where the shell has one to give. */
  page: (() => string | Promise<string>) | null;
  say: (words: string) => void;
}

export function toolbar(around: Around): { element: HTMLElement; update: () => void } {
  const { store } = around;
  const undo = button("undo", "undo (Ctrl+Z outside of the editor)", () => store.undo());
  const redo = button("redo", "do again", () => store.redo());
  const take = element("select", { "aria-label": "take along" }, element("option", { value: "" }, "export ..."));
  for (const [value, label] of [["page", "page (html)"], ["png", "picture (png)"], ["svg", "picture (svg)"], ["csv", "numbers (csv)"], ["python", "Python"], ["latex", "LaTeX"]] as const)
    if (value !== "page" || around.page) take.append(element("option", { value }, label));
  take.addEventListener("change", () => {
    const kind = take.value;
    take.value = "";
    void taken(kind, around);
  });
  const made = element(
    "div",
    { class: "mhat-toolbar", role: "toolbar", "aria-label": "Around the page" },
    undo, redo,
    button("reset", "back to what the page began with", () => store.reset()),
    button("link", "copy a link that shows exactly this", () => void copied(around)),
    take,
    button("◐", "light or dark", around.theme),
  ); // prettier-ignore
  const update = (): void => {
    undo.disabled = !store.canUndo;
    redo.disabled = !store.canRedo;
  };
  update();
  return { element: made, update };
}

async function copied({ store, say }: Around): Promise<void> {
  const address = `${location.href.split("#")[0]}${linkOf(store.setting)}`;
  try {
    history.replaceState(null, "", linkOf(store.setting));
  } catch {
    // A page inside another has no address of its own.
  }
  try {
    await navigator.clipboard.writeText(address);
    say("The link is copied.");
  } catch {
    say("The address of this page is the link now.");
  }
}

async function taken(kind: string, around: Around): Promise<void> {
  const result = around.result();
  const name = result.rules[0]?.parsed?.tree.name ?? "mhat";
  if (kind === "page") download(`${name}.html`, "text/html", await around.page!());
  if (kind === "png") await picture(name, around);
  if (kind === "svg") download(`${name}.svg`, "image/svg+xml", drawnSvg(result, around.colours()));
  if (kind === "csv") download(`${name}.csv`, "text/csv", csvOf(result));
  if (kind === "python") download(`${name}.py`, "text/x-python", pythonOf(result));
  if (kind === "latex") download(`${name}.tex`, "text/x-tex", latexText(result.setting));
}

function download(name: string, type: string, content: string | Blob): void {
  const blob = typeof content === "string" ? new Blob([content], { type }) : content;
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function picture(name: string, around: Around): Promise<void> {
  const shown = around.canvases();
  if (!shown.length) return;
  const columns = Math.min(3, shown.length);
  const width = Math.max(...shown.map(({ canvas }) => canvas.width));
  const height = Math.max(...shown.map(({ canvas }) => canvas.height)) + 30;
  const whole = element("canvas");
  whole.width = columns * width;
  whole.height = Math.ceil(shown.length / columns) * height;
  const context = whole.getContext("2d")!;
  context.fillStyle = around.colours().paper;
  context.fillRect(0, 0, whole.width, whole.height);
  context.font = "20px system-ui, sans-serif";
  shown.forEach(({ name: variable, canvas }, i) => {
    const [x, y] = [(i % columns) * width, Math.floor(i / columns) * height];
    context.fillStyle = around.colours().of(variable);
    context.fillText(variable, x + 12, y + 22);
    context.drawImage(canvas, x, y + 30);
  });
  const blob = await new Promise<Blob | null>((resolve) => whole.toBlob(resolve, "image/png"));
  if (blob) download(`${name}.png`, "image/png", blob);
}

/** A row a step; a column for each variable, rule and coordinate. */
export function csvOf(result: Result): string {
  const columns: [string, ArrayLike<number>][] = [];
  for (const { trace } of result.rules) {
    if (!trace) continue;
    if (trace.loss) columns.push([`${trace.tree.name}.loss`, trace.loss]);
    for (const name of new Set(["g", "x", ...variables(trace.tree).map(traced)]))
      trace.variables.get(name)?.forEach((values, c, all) => columns.push([`${trace.tree.name}.${name}${all.length > 1 ? `[${c}]` : ""}`, values]));
  }
  const steps = Math.max(0, ...columns.map(([, values]) => values.length));
  const rows = Array.from({ length: steps }, (_, i) => [i + 1, ...columns.map(([, values]) => values[i] ?? "")].join(","));
  return [["step", ...columns.map(([name]) => name)].join(","), ...rows, ""].join("\n");
}

/** A script that gives the same numbers. */
export function pythonOf({ setting }: Result): string {
  const { source, steps, dtype } = setting;
  const lines = ["import mhat", "from mhat import rule", "from mhat.ops import *  # noqa: F403", ""];
  for (const each of setting.rules) lines.push("", "@rule", ...each.text.trimEnd().split("\n"), "");
  const names = setting.rules.flatMap((each) => {
    const parsed = parsedOf(each.text);
    return parsed instanceof Refusal ? [] : [{ name: parsed.tree.name, knobs: each.knobs }];
  });
  if (source.kind === "values") lines.push("", `gradients = ${JSON.stringify(source.rows.length === 1 ? source.rows[0] : source.rows[0]!.map((_, i) => source.rows.map((row) => row[i])))}`);
  lines.push("");
  for (const { name, knobs } of names) {
    const given = Object.entries(knobs).map(([key, value]) => `, ${key}=${value}`).join("");
    const what = source.kind === "values" ? "gradients" : source.kind === "stream" ? JSON.stringify(source.spec) : `landscape=${JSON.stringify(source.spec)}`;
    const start = source.kind === "landscape" && source.start ? `, start=${JSON.stringify(source.start)}` : "";
    const many = source.kind === "values" ? "" : `, steps=${steps}`;
    lines.push(`print(mhat.trace(${name}, ${what}${many}${start}${dtype === "float64" ? "" : `, dtype="${dtype}"`}${given}))`);
  }
  if (source.kind === "landscape" && source.angle) lines.push(`# The page turned the hill by ${source.angle} degrees.`);
  return `${lines.join("\n")}\n`;
}

function latexText(setting: Setting): string {
  return setting.rules
    .flatMap(({ text }) => {
      const parsed = parsedOf(text);
      return parsed instanceof Refusal ? [] : [latexOf(parsed.tree)];
    })
    .join("\n");
}
