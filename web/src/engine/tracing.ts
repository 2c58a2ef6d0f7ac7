/** A rule run over a stream or on a landscape: every variable of every step. */

import { Refusal } from "../language/refusal";
import { variables, type Tree } from "../language/tree";
import type { Dtype } from "./dtypes";
import { Program, type Table, type Value } from "./program";

/** Gradients beforehand, one row a coordinate; or a function whose gradient answers to where x is. */
export type Source =
  | { kind: "stream"; gradients: Float64Array[] }
  | { kind: "landscape"; gradient: (x: Float64Array) => Float64Array; height: (x: Float64Array) => number; steps: number };

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
  const coordinates = source.kind === "stream" ? source.gradients.length : startOf(question.start, 2).length;
  const steps = source.kind === "stream" ? (source.gradients[0]?.length ?? 0) : source.steps;
  const names = [...new Set(["g", "x", ...variables(tree).map(traced), ...tree.states.map((state) => state.name)])];
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
    const coordinates = start.length;
    const tables = Array.from({ length: alone ? coordinates : 1 }, () => program.table(this.knobs));
    let now = start;
    for (let i = 0; i < steps; i++) {
      const gradient =
        source.kind === "stream" ? Float64Array.from(source.gradients, (row) => row[i]!) : source.gradient(now);
      const height = source.kind === "landscape" ? source.height(now) : 0;
      if (loss) loss[i] = height;
      const next = new Float64Array(coordinates);
      tables.forEach((table, c) => {
        this.enter(table, alone ? now[c]! : now, alone ? gradient[c]! : gradient, i + 1, height);
        if (i === 0) program.start(table);
        const made = program.step(table);
        if (alone) next[c] = made as number;
        else if (typeof made === "number") next.fill(made);
        else next.set(made);
      });
      this.keep(i, tables, gradient, next, alone);
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

  private keep(i: number, tables: Table[], gradient: Float64Array, next: Float64Array, alone: boolean): void {
    const { program, rows } = this;
    for (let c = 0; c < next.length; c++) {
      rows.get("g")![c]![i] = gradient[c]!;
      rows.get("x")![c]![i] = next[c]!;
      for (const { name, slot, row } of this.kept(c)) {
        const value = program.entered(name, tables[alone ? c : 0]![slot]!);
        row[i] = typeof value === "number" ? value : value[c]!;
      }
    }
  }

  private kept(c: number): { name: string; slot: number; row: Float64Array }[] {
    return this.names
      .filter((name) => name !== "g" && name !== "x")
      .map((name) => {
        const inner = name === "x_used" || name === "g_used" ? name[0]! : name;
        return { name: inner, slot: this.program.slot(inner), row: this.rows.get(name)![c]! };
      });
  }
}
