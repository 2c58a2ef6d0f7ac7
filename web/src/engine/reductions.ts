/** Reductions in the one fixed, blocked order of `mhat.ops.tensors`. */

import type { Rounding } from "./dtypes";

const BLOCK = 1024;

function paddedLength(length: number): number {
  if (length >= BLOCK) return Math.ceil(length / BLOCK) * BLOCK;
  let padded = 1;
  while (padded < length) padded *= 2;
  return padded;
}

function halved(block: Float64Array, rounded: Rounding | null): number {
  let length = block.length;
  while (length > 1) {
    length /= 2;
    for (let i = 0; i < length; i++) {
      const total = block[i]! + block[i + length]!;
      block[i] = rounded ? rounded(total) : total;
    }
  }
  return block[0]!;
}

export function sum(values: ArrayLike<number>, rounded: Rounding | null): number {
  let level: ArrayLike<number> = values;
  for (;;) {
    const padded = new Float64Array(paddedLength(level.length));
    padded.set(level);
    const next: number[] = [];
    for (let i = 0; i < padded.length; i += BLOCK) next.push(halved(padded.slice(i, i + BLOCK), rounded));
    if (next.length === 1) return next[0]!;
    level = next;
  }
}

export function reduce(op: string, values: ArrayLike<number>, rounded: Rounding | null): number {
  const round = (value: number): number => (rounded ? rounded(value) : value);
  if (op === "size") return values.length;
  if (op === "largest") {
    let found = -Infinity;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (Number.isNaN(value)) return NaN;
      if (value > found) found = value;
    }
    return found + 0;
  }
  if (op === "norm") {
    const squares = Float64Array.from(values, (value) => round(value * value));
    return round(Math.sqrt(sum(squares, rounded)));
  }
  const total = sum(values, rounded);
  return op === "mean" ? round(total / values.length) : round(total);
}
