/** A plot for each variable, linked: the chosen step is marked in all of them. */

import uPlot from "uplot";
import { shortest } from "../engine/arithmetic";
import { variables } from "../language/tree";
import { traced } from "../engine/tracing";
import type { Colours } from "./colours";
import { element } from "./elements";
import type { Result } from "./running";

const HEIGHT = 132;
const DASHES = [[], [7, 4], [2, 3]];
const MOST_COORDINATES = 4;
const WIDE = 1e4;
const LEAST_SHARE = 1e-9;

interface Curve {
  label: string;
  values: ArrayLike<number>;
  rule: number;
  coordinate: number;
}

interface Panel {
  name: string;
  curves: Curve[];
}

/** What is drawn: the loss, x and g first, then each variable in the order of the lines. */
export function panelsOf(result: Result): Panel[] {
  const panels = new Map<string, Curve[]>();
  const ran = result.rules.flatMap((rule, i) => (rule.trace ? [{ trace: rule.trace, i }] : []));
  const names = ran.flatMap(({ trace }) => [
    ...(trace.loss ? ["loss"] : []), "x", "g", ...variables(trace.tree).map(traced),
  ]); // prettier-ignore
  for (const name of new Set(names)) panels.set(name, []);
  for (const { trace, i } of ran)
    for (const [name, curves] of panels) {
      const rows = name === "loss" ? (trace.loss ? [trace.loss] : []) : (trace.variables.get(name) ?? []);
      const shown = rows.slice(0, name === "g" && i > 0 && !trace.loss ? 0 : MOST_COORDINATES);
      shown.forEach((values, coordinate) =>
        curves.push({ label: `${trace.tree.name}${rows.length > 1 ? ` [${coordinate}]` : ""}`, values, rule: i, coordinate }),
      );
    }
  return [...panels].map(([name, curves]) => ({ name, curves }));
}

/** In words, for whom the curve is not to be seen: its extremes and its end. */
export function described(panel: Panel): string {
  const curves = panel.curves.map(({ label, values }) => {
    let [low, high] = [Infinity, -Infinity];
    for (let i = 0; i < values.length; i++) {
      if (values[i]! < low) low = values[i]!;
      if (values[i]! > high) high = values[i]!;
    }
    return `${label}: from ${shortest(low)} to ${shortest(high)}, at the end ${shortest(values[values.length - 1] ?? NaN)}`;
  });
  return `${panel.name} over ${panel.curves[0]?.values.length ?? 0} steps. ${curves.join("; ")}`;
}

class Plot {
  readonly element = element("figure", { class: "mhat-plot" });
  private readonly title = element("figcaption");
  private plot: uPlot | null = null;
  private shape = "";
  private log = false;
  private chosenLog: boolean | null = null;
  private panel: Panel = { name: "", curves: [] };
  private marked = 1;

  constructor(
    private readonly hovered: (step: number) => void,
    private readonly playing: () => boolean,
  ) {
    this.element.append(this.title);
    this.title.addEventListener("click", () => {
      this.chosenLog = !this.log;
      this.shape = "";
      this.redraw();
    });
    this.title.title = "click: linear or logarithmic scale";
  }

  private colours: Colours | null = null;
  private width = 300;

  show(panel: Panel, colours: Colours, width: number, step: number): void {
    [this.panel, this.colours, this.width, this.marked] = [panel, colours, width, step];
    this.redraw();
  }

  mark(step: number): void {
    this.marked = step;
    this.plot?.redraw(false, false);
    this.caption();
  }

  private redraw(): void {
    const { panel, colours, width } = this;
    if (!colours) return;
    this.log = this.chosenLog ?? suitsLog(panel);
    const steps = Math.max(0, ...panel.curves.map((curve) => curve.values.length));
    const data = [axis(steps), ...panel.curves.map((curve) => shownValues(curve.values, this.log))] as unknown as uPlot.AlignedData;
    const shape = JSON.stringify([panel.name, panel.curves.map((curve) => [curve.rule, curve.coordinate]), width, colours.mode, this.log]);
    if (shape !== this.shape) this.build(data);
    else this.plot!.setData(data);
    this.shape = shape;
    this.caption();
  }

  private build(data: uPlot.AlignedData): void {
    this.plot?.destroy();
    const colours = this.colours!;
    const colour = colours.of(this.panel.name);
    const font = "11px system-ui, sans-serif";
    const axes = { stroke: colours.quiet, font, grid: { stroke: colours.grid, width: 1 }, ticks: { stroke: colours.grid, width: 1, size: 4 } };
    this.plot = new uPlot(
      {
        width: this.width,
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
        scales: { x: { time: false }, y: { range: around } },
        axes: [
          { ...axes, size: 24, space: 50 },
          { ...axes, size: 54, space: 26, values: (_, ticks) => ticks.map((tick) => tickText(tick, this.log)) },
        ],
        series: [
          {},
          ...this.panel.curves.map(({ rule, coordinate }) => ({
            stroke: colour,
            width: rule === 0 ? 2.2 : 1.8,
            dash: DASHES[rule]!.map((each) => each + coordinate),
            alpha: 1 - 0.22 * coordinate,
            points: { show: false },
            spanGaps: false,
          })),
        ],
        hooks: {
          draw: [(plot) => this.overlay(plot)],
          setCursor: [
            (plot) => {
              const { left } = plot.cursor;
              if (left !== undefined && left !== null && left >= 0) this.hovered(Math.round(plot.posToVal(left, "x")));
            },
          ],
        },
      },
      data,
    );
    this.element.replaceChildren(this.title, this.plot.root);
    const canvas = this.plot.root.querySelector("canvas")!;
    canvas.setAttribute("role", "img");
  }

  /** The chosen step, and, while the page moves by itself, a veil over what is still to come. */
  private overlay(plot: uPlot): void {
    const { ctx, bbox } = plot;
    const colours = this.colours!;
    const x = plot.valToPos(this.marked, "x", true);
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    if (this.playing()) {
      ctx.globalAlpha = 0.82;
      ctx.fillStyle = colours.paper;
      ctx.fillRect(x, bbox.top, bbox.left + bbox.width - x, bbox.height);
      ctx.globalAlpha = 1;
    }
    ctx.strokeStyle = colours.quiet;
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillStyle = colours.of(this.panel.name);
    for (const { values } of this.panel.curves) {
      const value = values[this.marked - 1];
      if (value === undefined || !Number.isFinite(value)) continue;
      ctx.beginPath();
      ctx.arc(x, plot.valToPos(this.log ? logged(value) : value, "y", true), 3.2 * devicePixelRatio, 0, 2 * Math.PI);
      ctx.fill();
    }
    ctx.restore();
  }

  private caption(): void {
    const { panel, marked } = this;
    const values = panel.curves.slice(0, 4).map(({ values }) => shortest(values[marked - 1] ?? NaN));
    const name = element("b", { style: `color: ${this.colours!.of(panel.name)}` }, panel.name);
    this.title.replaceChildren(name, ` ${values.join("  ·  ")}${this.log ? "   (log)" : ""}`);
    this.plot?.root.querySelector("canvas")?.setAttribute("aria-label", described(panel));
  }

  destroy(): void {
    this.plot?.destroy();
  }

  get canvas(): HTMLCanvasElement | null {
    return this.plot?.root.querySelector("canvas") ?? null;
  }
}

/** A log scale where all is above zero and the sizes differ by orders. */
function suitsLog(panel: Panel): boolean {
  let [low, high] = [Infinity, 0];
  for (const { values } of panel.curves)
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value < 0) return false;
      if (value > 0 && value < low) low = value;
      if (value > high && value < Infinity) high = value;
    }
  return high / low > WIDE;
}

/** A logarithmic scale is the decimal logarithm on a plain one: it has room for every double. */
function logged(value: number): number {
  return value > 0 ? Math.log10(value) : NaN;
}

function tickText(tick: number | null, log: boolean): string {
  if (tick === null) return "";
  if (!log) return shortest(tick);
  return Number.isInteger(tick) ? shortest(10 ** tick) : "";
}

function shownValues(values: ArrayLike<number>, log: boolean): (number | null)[] | ArrayLike<number> {
  if (log) return Array.from(values, (value) => (value > 0 && value < Infinity ? Math.log10(value) : null));
  let clean = true;
  for (let i = 0; clean && i < values.length; i++) clean = Number.isFinite(values[i]!);
  return clean ? values : Array.from(values, (value) => (Number.isFinite(value) ? value : null));
}

function around(_: uPlot, low: number | null, high: number | null): uPlot.Range.MinMax {
  if (low === null || high === null || !Number.isFinite(low) || !Number.isFinite(high)) return [-1, 1];
  // Differences that are rounding alone are drawn as a constant.
  const size = Math.max(Math.abs(low), Math.abs(high));
  const rest = high - low > LEAST_SHARE * size ? (high - low) * 0.08 : size * 0.1 || 1;
  return [low - rest, high + rest];
}

const axes = new Map<number, Float64Array>();

function axis(steps: number): Float64Array {
  if (!axes.has(steps)) axes.set(steps, Float64Array.from({ length: steps }, (_, i) => i + 1));
  return axes.get(steps)!;
}

export class Plots {
  readonly element = element("div", { class: "mhat-plots", tabindex: 0, role: "group", "aria-label": "Curves; the arrow keys choose a step" });
  private readonly plots = new Map<string, Plot>();

  constructor(
    private readonly hovered: (step: number) => void,
    private readonly playing: () => boolean,
  ) {}

  show(result: Result, colours: Colours, step: number): void {
    const panels = panelsOf(result).filter((panel) => panel.curves.length);
    const inner = this.element.clientWidth || 640;
    const columns = inner < 430 ? 1 : inner < 900 ? 2 : 3;
    const width = Math.max(180, Math.floor((inner - (columns - 1) * 10) / columns));
    this.element.style.setProperty("--columns", String(columns));
    const names = new Set(panels.map((panel) => panel.name));
    for (const [name, plot] of this.plots)
      if (!names.has(name)) {
        plot.destroy();
        this.plots.delete(name);
      }
    for (const panel of panels) {
      if (!this.plots.has(panel.name)) this.plots.set(panel.name, new Plot(this.hovered, this.playing));
      this.plots.get(panel.name)!.show(panel, colours, width, step);
    }
    const wanted = panels.map((panel) => this.plots.get(panel.name)!.element);
    if (wanted.some((each, i) => this.element.children[i] !== each) || this.element.children.length !== wanted.length) this.element.replaceChildren(...wanted);
  }

  mark(step: number): void {
    for (const plot of this.plots.values()) plot.mark(step);
  }

  canvases(): { name: string; canvas: HTMLCanvasElement }[] {
    return [...this.plots].flatMap(([name, plot]) => (plot.canvas ? [{ name, canvas: plot.canvas }] : []));
  }

  destroy(): void {
    for (const plot of this.plots.values()) plot.destroy();
    this.plots.clear();
  }
}
