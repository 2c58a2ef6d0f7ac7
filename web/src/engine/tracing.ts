/** A rule run over a stream or on a landscape: every variable of every step. */

import { nearest, Refusal } from "../language/refusal";
import { variables, type Tree } from "../language/tree";
import type { Dtype } from "./dtypes";
import { Program, type Table, type Value } from "./program";

/** Gradients beforehand, one row a coordinate; or a function whose gradient answers to where x is. */
export type Source =
  | { kind: "stream"; gradients: Float64Array[] }
  | { kind: "landscape"; hill: Hill; steps: number };

/** What a trace asks of a landscape. */
export interface Hill {
  gradient: (x: ArrayLike<number>, t: number) => ArrayLike<number>;
  height: (x: ArrayLike<number>) => number;
  domain?: [number, number];
}

export interface Trace {
  tree: Tree;
  steps: number;
  coordinates: number;
  knobs: Record<string, number>;
  dtype: Dtype;
  start: Float64Array;
  /** By name, one row a coordinate; what is one number for all has one row. `x` is after the step. */
  variables: Map<string, Float64Array[]>;
  loss: Float64Array | null;
}

export interface Question {
  source: Source;
  knobs?: Record<string, number>;
  start?: ArrayLike<number> | number;
  dtype?: Dtype;
}

const MOST_NUMBERS = 4_000_000;

/** What a trace calls what the rule assigns. */
export function traced(name: string): string {
  return name === "x" || name === "g" ? `${name}_used` : name;
}

export function trace(tree: Tree, question: Question): Trace {
  const program = new Program(tree, question.dtype ?? "float64");
  const { source } = question;
  for (const name of Object.keys(question.knobs ?? {}))
    if (!tree.knobs.some((knob) => knob.name === name)) throw unknownKnob(name, tree);
  const coordinates = source.kind === "stream" ? source.gradients.length : startOf(question.start, 2).length;
  const steps = source.kind === "stream" ? (source.gradients[0]?.length ?? 0) : source.steps;
  const names = [...new Set(["g", "x", ...variables(tree).map(traced)])];
  if (steps * coordinates * names.length > MOST_NUMBERS)
    throw new Refusal(`${steps} steps of ${coordinates} coordinates are more than the page keeps`, "Ask for fewer steps.", null);
  for (const name of tree.inputs)
    if (name === "h" || (name === "loss" && source.kind === "stream"))
      throw new Refusal(`${tree.name} reads \`${name}\`, and a stream of gradients has none`, "Run it on a landscape.", null);
  const start = startOf(question.start, coordinates);
  const knobs = question.knobs ?? {};
  const rows = new Map(names.map((name) => [name, Array.from({ length: coordinates }, () => new Float64Array(steps))]));
  const loss = source.kind === "landscape" ? new Float64Array(steps) : null;
  const run = new Run(program, names, rows, knobs);
  if (source.kind === "stream" && program.level === "per coordinate")
    for (let c = 0; c < coordinates; c++) run.coordinate(c, start[c]!, source.gradients[c]!);
  else run.together(start, steps, source, loss);
  return { tree, steps, coordinates, knobs, dtype: program.dtype, start, variables: rows, loss };
}

function unknownKnob(name: string, tree: Tree): Refusal {
  const known = tree.knobs.map((knob) => knob.name);
  const near = nearest(name, known);
  return new Refusal(`${tree.name} has no knob \`${name}\``, near ? `Did you mean ${near}?` : `It has ${known.join(", ") || "none"}.`, null);
}

function startOf(start: ArrayLike<number> | number | undefined, coordinates: number): Float64Array {
  if (start === undefined || typeof start === "number") return new Float64Array(coordinates).fill(start ?? 0);
  return Float64Array.from(start);
}

class Run {
  constructor(
    private readonly program: Program,
    private readonly names: string[],
    private readonly rows: Map<string, Float64Array[]>,
    private readonly knobs: Record<string, number>,
  ) {}

  /** One coordinate, all steps: numbers alone. */
  coordinate(c: number, start: number, gradients: Float64Array): void {
    const { program } = this;
    const [x, g, t] = ["x", "g", "t"].map((name) => program.slot(name)) as [number, number, number];
    const table = program.table(this.knobs);
    const kept = this.kept(c);
    const xs = this.rows.get("x")![c]!;
    const gs = this.rows.get("g")![c]!;
    let now = start;
    for (let i = 0; i < gradients.length; i++) {
      table[x] = now;
      table[g] = gradients[i]!;
      table[t] = i + 1;
      if (i === 0) program.start(table);
      now = program.step(table) as number;
      gs[i] = gradients[i]!;
      xs[i] = now;
      for (const { name, slot, row } of kept) row[i] = program.entered(name, table[slot]!) as number;
    }
  }

  /** All coordinates in step: for what looks at the whole tensor, and for landscapes. */
  together(start: Float64Array, steps: number, source: Source, loss: Float64Array | null): void {
    const { program } = this;
    const alone = program.level === "per coordinate";
    const tables = Array.from({ length: alone ? start.length : 1 }, () => program.table(this.knobs));
    const kept = Array.from(start, (_, c) => this.kept(c));
    let now = start;
    for (let i = 0; i < steps; i++) {
      const gradient = gradientOf(source, i, now);
      const height = source.kind === "landscape" ? source.hill.height(now) : 0;
      if (loss) loss[i] = height;
      const next = new Float64Array(start.length);
      tables.forEach((table, c) => {
        this.enter(table, alone ? now[c]! : now, alone ? gradient[c]! : gradient, i + 1, height);
        if (i === 0) program.start(table);
        const made = program.step(table);
        if (alone) next[c] = made as number;
        else if (typeof made === "number") next.fill(made);
        else next.set(made);
      });
      if (source.kind === "landscape" && source.hill.domain) project(next, source.hill.domain);
      this.keep(i, tables, gradient, next, kept);
      now = next;
    }
  }

  private enter(table: Table, x: Value, g: Value, t: number, loss: number): void {
    const { program } = this;
    table[program.slot("x")] = x;
    table[program.slot("g")] = g;
    table[program.slot("t")] = t;
    table[program.slot("loss")] = loss;
  }

  private keep(i: number, tables: Table[], gradient: Float64Array, next: Float64Array, kept: Kept[][]): void {
    const { program, rows } = this;
    const alone = tables.length === next.length;
    for (let c = 0; c < next.length; c++) {
      rows.get("g")![c]![i] = gradient[c]!;
      rows.get("x")![c]![i] = next[c]!;
      for (const { name, slot, row } of kept[c]!) {
        const value = program.entered(name, tables[alone ? c : 0]![slot]!);
        row[i] = typeof value === "number" ? value : value[c]!;
      }
    }
  }

  private kept(c: number): Kept[] {
    return this.names
      .filter((name) => name !== "g" && name !== "x")
      .map((name) => {
        const inner = name === "x_used" || name === "g_used" ? name[0]! : name;
        return { name: inner, slot: this.program.slot(inner), row: this.rows.get(name)![c]! };
      });
  }
}

interface Kept {
  name: string;
  slot: number;
  row: Float64Array;
}

function gradientOf(source: Source, i: number, x: Float64Array): Float64Array {
  if (source.kind === "stream") return Float64Array.from(source.gradients, (row) => row[i]!);
  return Float64Array.from(source.hill.gradient(x, i + 1));
}

function project(x: Float64Array, [low, high]: [number, number]): void {
  for (let c = 0; c < x.length; c++) x[c] = Math.min(Math.max(x[c]!, low), high);
}
