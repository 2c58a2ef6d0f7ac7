/** Which variable has which colour: the line in the editor and the curve in its plot have the same. */

const LIGHT = ["#0b6fb8", "#c2410c", "#0f8a5f", "#a21caf", "#8a6d00", "#be123c", "#4d7c0f", "#5b52d6", "#0e7490", "#9a5b2c"];
const DARK = ["#58a6ff", "#ff9b66", "#4fd1a1", "#e58cf5", "#e0c341", "#ff7d97", "#a8d84f", "#a5a0ff", "#4cc9e0", "#e0a878"];
const INK = { light: "#1c2733", dark: "#e8edf2" };
const QUIET = { light: "#6b7885", dark: "#94a1ae" };

export type Mode = "light" | "dark";

export class Colours {
  private readonly order = new Map<string, number>();

  constructor(readonly mode: Mode) {}

  of(variable: string): string {
    if (variable === "x") return INK[this.mode];
    if (variable === "g") return QUIET[this.mode];
    if (!this.order.has(variable)) this.order.set(variable, this.order.size);
    const palette = this.mode === "light" ? LIGHT : DARK;
    return palette[this.order.get(variable)! % palette.length]!;
  }

  get ink(): string {
    return INK[this.mode];
  }

  get quiet(): string {
    return QUIET[this.mode];
  }

  get grid(): string {
    return this.mode === "light" ? "#e3e8ed" : "#2b3642";
  }

  get paper(): string {
    return this.mode === "light" ? "#ffffff" : "#151c23";
  }
}

export function modeOf(root: HTMLElement): Mode {
  const told = root.dataset.theme;
  if (told === "light" || told === "dark") return told;
  return window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
