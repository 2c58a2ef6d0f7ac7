/** A landscape with the paths of the rules: contours, a start to drag, the chosen step. */

import { shortest } from "../engine/arithmetic";
import type { Landscape } from "../landscapes/landscape";
import type { Colours } from "./colours";
import { element } from "./elements";
import type { Result } from "./running";

const CELLS = 140;
const LEVELS = 14;
const RULE_COLOURS = { light: ["#0b6fb8", "#c2410c", "#0f8a5f"], dark: ["#58a6ff", "#ff9b66", "#4fd1a1"] };
const DASHES = [[], [7, 4], [2, 3]];
const KEY_SHARE = 0.02;

export class Terrain {
  readonly canvas = element("canvas", { class: "mhat-terrain", tabindex: 0, role: "img" });
  readonly element = element("figure", { class: "mhat-hill" }, this.canvas, element("figcaption"));
  private hill: Landscape | null = null;
  private backdrop: HTMLCanvasElement | null = null;
  private backdropKey = "";
  private dragging = false;
  private start: number[] = [0, 0];

  constructor(
    private readonly moved: (start: number[]) => void,
    private readonly settled: () => void,
  ) {
    this.canvas.addEventListener("pointerdown", (event) => {
      this.dragging = true;
      this.canvas.setPointerCapture(event.pointerId);
      this.drag(event);
    });
    this.canvas.addEventListener("pointermove", (event) => this.dragging && this.drag(event));
    for (const end of ["pointerup", "pointercancel"] as const)
      this.canvas.addEventListener(end, () => {
        if (this.dragging) this.settled();
        this.dragging = false;
      });
    this.canvas.addEventListener("keydown", (event) => this.nudge(event));
  }

  show(result: Result, colours: Colours, step: number): void {
    const { hill } = result;
    this.element.hidden = hill === null || hill.start.length !== 2;
    if (!hill || this.element.hidden) return;
    this.hill = hill;
    const side = Math.max(220, Math.min(this.element.parentElement?.clientWidth ?? 420, 440));
    const scale = window.devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(side * scale)) {
      this.canvas.width = this.canvas.height = Math.round(side * scale);
      this.canvas.style.width = this.canvas.style.height = `${side}px`;
    }
    const context = this.canvas.getContext("2d")!;
    this.paintBackdrop(result, colours);
    context.drawImage(this.backdrop!, 0, 0);
    for (const minimum of hill.minima) this.cross(context, minimum, colours);
    this.start = [...(result.rules.find((rule) => rule.trace)?.trace?.start ?? hill.start)];
    result.rules.forEach((rule, i) => rule.trace && this.path(context, rule.trace.variables.get("x")!, i, step, colours));
    this.dot(context, this.start, colours.ink, 6);
    const ends = result.rules.flatMap((rule) => (rule.trace ? [`${rule.trace.tree.name} at step ${step}: ${heightText(rule.trace.loss![Math.min(step, rule.trace.steps) - 1]!)}`] : []));
    const words = `Height of ${hill.name}. ${ends.join("; ")}. Drag the start, or move it with the arrow keys.`;
    this.canvas.setAttribute("aria-label", words);
    this.element.querySelector("figcaption")!.textContent = words;
  }

  private paintBackdrop(result: Result, colours: Colours): void {
    const key = JSON.stringify([result.setting.source.kind === "landscape" && [result.setting.source.spec, result.setting.source.angle], colours.mode, this.canvas.width]);
    if (key === this.backdropKey && this.backdrop) return;
    this.backdropKey = key;
    const made = document.createElement("canvas");
    made.width = made.height = this.canvas.width;
    const context = made.getContext("2d")!;
    const heights = sampled(this.hill!);
    const cell = made.width / CELLS;
    for (let row = 0; row < CELLS; row++)
      for (let column = 0; column < CELLS; column++) {
        const level = heights[row * CELLS + column]!;
        context.fillStyle = shade(level, colours);
        context.fillRect(Math.floor(column * cell), Math.floor((CELLS - 1 - row) * cell), Math.ceil(cell), Math.ceil(cell));
      }
    context.strokeStyle = colours.mode === "light" ? "rgba(30,60,90,0.28)" : "rgba(200,220,240,0.22)";
    context.lineWidth = window.devicePixelRatio || 1;
    context.beginPath();
    for (let level = 1; level < LEVELS; level++) contour(heights, level / LEVELS, (x, y) => [x * cell + cell / 2, made.height - y * cell - cell / 2], context);
    context.stroke();
    this.backdrop = made;
  }

  private path(context: CanvasRenderingContext2D, x: Float64Array[], rule: number, step: number, colours: Colours): void {
    const scale = window.devicePixelRatio || 1;
    const colour = RULE_COLOURS[colours.mode][rule]!;
    context.save();
    context.strokeStyle = colour;
    context.lineWidth = 2 * scale;
    context.lineJoin = "round";
    context.setLineDash(DASHES[rule]!.map((each) => each * scale));
    for (const [alpha, from, to] of [[1, 0, step], [0.25, step, x[0]!.length]] as const) {
      context.globalAlpha = alpha;
      context.beginPath();
      const first = from === 0 ? this.start : [x[0]![from - 1]!, x[1]![from - 1]!];
      context.moveTo(...this.pixel(first));
      for (let i = from; i < to; i++) context.lineTo(...this.pixel([x[0]![i]!, x[1]![i]!]));
      context.stroke();
    }
    context.restore();
    const at = Math.min(step, x[0]!.length) - 1;
    this.dot(context, [x[0]![at]!, x[1]![at]!], colour, 5);
  }

  private dot(context: CanvasRenderingContext2D, point: number[], colour: string, radius: number): void {
    const scale = window.devicePixelRatio || 1;
    context.beginPath();
    context.arc(...this.pixel(point), radius * scale, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
    context.strokeStyle = "#ffffff";
    context.lineWidth = 1.5 * scale;
    context.stroke();
  }

  private cross(context: CanvasRenderingContext2D, point: number[], colours: Colours): void {
    const scale = 5 * (window.devicePixelRatio || 1);
    const [x, y] = this.pixel(point);
    context.strokeStyle = colours.ink;
    context.lineWidth = scale / 3;
    context.beginPath();
    context.moveTo(x - scale, y);
    context.lineTo(x + scale, y);
    context.moveTo(x, y - scale);
    context.lineTo(x, y + scale);
    context.stroke();
  }

  private pixel(point: ArrayLike<number>): [number, number] {
    const [[left, right], [low, high]] = this.hill!.window as [[number, number], [number, number]];
    const clipped = (value: number): number => (Number.isFinite(value) ? Math.min(Math.max(value, -10), 11) : 11);
    return [clipped((point[0]! - left) / (right - left)) * this.canvas.width, (1 - clipped((point[1]! - low) / (high - low))) * this.canvas.height];
  }

  private drag(event: PointerEvent): void {
    const box = this.canvas.getBoundingClientRect();
    const [[left, right], [low, high]] = this.hill!.window as [[number, number], [number, number]];
    const share = (value: number): number => Math.min(Math.max(value, 0), 1);
    const x = left + share((event.clientX - box.left) / box.width) * (right - left);
    const y = low + (1 - share((event.clientY - box.top) / box.height)) * (high - low);
    this.moved([Number(x.toPrecision(4)), Number(y.toPrecision(4))]);
  }

  private nudge(event: KeyboardEvent): void {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way || !this.hill) return;
    event.preventDefault();
    event.stopPropagation();
    this.moved(this.start.map((value, i) => value + way[i]! * KEY_SHARE * (this.hill!.window[i]![1] - this.hill!.window[i]![0])));
  }
}

function heightText(value: number): string {
  return `height ${shortest(value)}`;
}

/** Heights by rank between the lowest and the highest on a logarithmic scale, each from 0 to 1. */
function sampled(hill: Landscape): Float64Array {
  const [[left, right], [low, high]] = hill.window as [[number, number], [number, number]];
  const heights = new Float64Array(CELLS * CELLS);
  for (let row = 0; row < CELLS; row++)
    for (let column = 0; column < CELLS; column++)
      heights[row * CELLS + column] = hill.height([left + ((column + 0.5) / CELLS) * (right - left), low + ((row + 0.5) / CELLS) * (high - low)]);
  const lowest = heights.reduce((a, b) => Math.min(a, b));
  const highest = heights.reduce((a, b) => Math.max(a, b));
  const unit = (highest - lowest) / 200 || 1;
  const top = Math.log1p((highest - lowest) / unit);
  return heights.map((height) => Math.log1p((height - lowest) / unit) / top);
}

function shade(level: number, colours: Colours): string {
  const [from, to] = colours.mode === "light" ? [[222, 236, 247], [255, 253, 248]] : [[20, 36, 54], [44, 52, 60]];
  const mixed = from!.map((value, i) => Math.round(value + (to![i]! - value) * level));
  return `rgb(${mixed.join(",")})`;
}

/** Marching squares: the segments of one level. */
function contour(heights: Float64Array, level: number, place: (x: number, y: number) => [number, number], context: CanvasRenderingContext2D): void {
  for (let row = 0; row + 1 < CELLS; row++)
    for (let column = 0; column + 1 < CELLS; column++) {
      const corners = [heights[row * CELLS + column]!, heights[row * CELLS + column + 1]!, heights[(row + 1) * CELLS + column + 1]!, heights[(row + 1) * CELLS + column]!];
      const ends: [number, number][] = [];
      const sides = [[0, 0, 1, 0], [1, 0, 1, 1], [1, 1, 0, 1], [0, 1, 0, 0]];
      sides.forEach(([x0, y0, x1, y1], side) => {
        const [a, b] = [corners[side]!, corners[(side + 1) % 4]!];
        if (a < level === b < level) return;
        const share = (level - a) / (b - a);
        ends.push(place(column + x0! + share * (x1! - x0!), row + y0! + share * (y1! - y0!)));
      });
      for (let i = 0; i + 1 < ends.length; i += 2) {
        context.moveTo(...ends[i]!);
        context.lineTo(...ends[i + 1]!);
      }
    }
}
