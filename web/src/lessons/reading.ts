/** What a lesson asks of a result: steps in learning rates, ends, knobs. */

import type { Trace } from "../engine/tracing";
import type { Result } from "../views/running";
import type { Answer } from "./lesson";

export function traceOf(result: Result, i: number): Trace | null {
  return result.rules[i]?.trace ?? null;
}

/** A knob as it stands. */
export function knob(trace: Trace, name: string): number {
  return trace.knobs[name] ?? trace.tree.knobs.find((each) => each.name === name)?.default ?? NaN;
}

/** How far x moved at a step, in learning rates, downwards counted above zero. */
export function stepLength(trace: Trace, step: number, c = 0): number {
  const x = trace.variables.get("x")![c]!;
  const before = step >= 2 ? x[step - 2]! : trace.start[c]!;
  return (before - x[step - 1]!) / knob(trace, "lr");
}

export function longest(trace: Trace): { step: number; length: number } {
  let best = { step: 1, length: 0 };
  for (let step = 1; step <= trace.steps; step++) {
    const length = Math.abs(stepLength(trace, step));
    if (length > best.length) best = { step, length };
  }
  return best;
}

export function end(trace: Trace, name = "x", c = 0): number {
  return trace.variables.get(name)?.[c]?.[trace.steps - 1] ?? NaN;
}

export const yes = (words: string): Answer => ({ passed: true, words });
export const no = (words: string): Answer => ({ passed: false, words });
