/** Answers questions from Python's tests, a JSON line each: what a text is, and what a rule computes. */

import { createInterface } from "node:readline";
import { parse } from "../src/language/parsing";
import { Refusal } from "../src/language/refusal";
import { toData } from "../src/language/tree";
import { trace } from "../src/engine/tracing";

interface Request {
  text: string;
  gradients?: (number | string)[][];
  knobs?: Record<string, number>;
  start?: number[];
  dtype?: "float64";
}

function answer(request: Request): unknown {
  try {
    const { tree, paper } = parse(request.text);
    if (!request.gradients) return { tree: toData(tree), paper };
    const gradients = request.gradients.map((row) => Float64Array.from(row, Number));
    const source = { kind: "stream", gradients } as const;
    const made = trace(tree, { source, knobs: request.knobs, start: request.start, dtype: request.dtype });
    const rows = [...made.variables].map(([name, each]) => [name, each.map((row) => hexadecimal(row))]);
    return { variables: Object.fromEntries(rows) };
  } catch (error) {
    if (error instanceof Refusal) return { line: error.place?.line ?? null, what: error.what, cure: error.cure };
    return { crash: String((error as Error).stack) };
  }
}

/** Doubles as the bytes that they are: JSON has no NaN and no -0. */
function hexadecimal(row: Float64Array): string {
  return Buffer.from(row.buffer, row.byteOffset, row.byteLength).toString("base64");
}

for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(answer(JSON.parse(line))));
