/** `window.mhat`: rules parsed and traced from the console, from a page around this one, from tests. */

import { trace as traced, type Source } from "./engine/tracing";
import { parse as parsedText } from "./language/parsing";
import { Refusal } from "./language/refusal";
import { toData } from "./language/tree";
import { LANDSCAPES } from "./landscapes/families";
import { called, filled } from "./streams/spec";
import { named } from "./streams/stream";

export interface Asked {
  /** Gradients: numbers, rows of numbers (a row a step), or a name as on the command line. */
  stream?: ArrayLike<number> | ArrayLike<number>[] | string;
  landscape?: string;
  start?: number | ArrayLike<number>;
  steps?: number;
  dtype?: "float64" | "float32" | "float16" | "bfloat16";
}

export type Columns = Record<string, number[] | number[][]>;

/** The tree of a rule, as plain data; throws an Error that names the line. */
export function parse(text: string): unknown {
  return toData(parsedText(text).tree);
}

/** Every variable of every step: an array by name, of arrays where there are several coordinates. */
export async function trace(text: string, asked: Asked, knobs: Record<string, number> = {}): Promise<Columns> {
  const { tree } = parsedText(text);
  const { source, start, several } = sourceOf(asked ?? {});
  const made = traced(tree, { source, knobs, start: asked.start ?? start, dtype: asked.dtype });
  const columns: Columns = {};
  for (const [name, rows] of made.variables) columns[name] = several ? steps(rows) : Array.from(rows[0]!);
  if (made.loss) columns.loss = Array.from(made.loss);
  return columns;
}

/** A row a step, as the gradients came. */
function steps(rows: Float64Array[]): number[][] {
  return Array.from(rows[0]!, (_, i) => rows.map((row) => row[i]!));
}

function sourceOf(asked: Asked): { source: Source; start: number | number[]; several: boolean } {
  if (asked.landscape !== undefined) {
    const call = called(asked.landscape, LANDSCAPES, "landscape");
    const hill = call.family.make(filled(call), call.values);
    return { source: { kind: "landscape", hill, steps: asked.steps ?? 100 }, start: hill.start, several: hill.start.length > 1 };
  }
  const { stream } = asked;
  if (stream === undefined) throw new Refusal("neither a stream nor a landscape is given", 'Give one: {stream: [1, 2, 3]} or {landscape: "ravine"}.', null);
  if (typeof stream === "string") {
    const gradients = named(stream, asked.steps);
    return { source: { kind: "stream", gradients }, start: 0, several: gradients.length > 1 };
  }
  const rows = Array.from(stream as ArrayLike<number | ArrayLike<number>>);
  const several = rows.length > 0 && typeof rows[0] !== "number";
  const width = several ? (rows[0] as ArrayLike<number>).length : 1;
  const gradients = Array.from({ length: width }, (_, c) => Float64Array.from(rows, (row) => (typeof row === "number" ? row : row[c]!)));
  return { source: { kind: "stream", gradients }, start: 0, several };
}
