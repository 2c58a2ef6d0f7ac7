/** What every elementwise operation means, on doubles: `mhat.ops.elementwise`, operation by operation. */

import { realPower } from "./powers";

function copysign(size: number, sign: number): number {
  const negative = sign < 0 || Object.is(sign, -0);
  return negative ? -Math.abs(size) : Math.abs(size);
}

function mod(a: number, b: number): number {
  if (b === 0 || Math.abs(a) === Infinity || Number.isNaN(a) || Number.isNaN(b)) return NaN;
  const rest = a % b;
  if (rest === 0) return copysign(0, b);
  return b < 0 !== rest < 0 ? rest + b : rest;
}

function floordiv(a: number, b: number): number {
  if (b === 0) return a / b;
  if (Math.abs(a) === Infinity || Number.isNaN(a) || Number.isNaN(b)) return NaN;
  const rest = a % b;
  let quotient = (a - rest) / b;
  if (rest !== 0 && b < 0 !== rest < 0) quotient -= 1;
  if (quotient === 0) return copysign(0, a / b);
  if (Math.abs(quotient) === Infinity) return quotient;
  const down = Math.floor(quotient);
  return quotient - down > 0.5 ? down + 1 : down;
}

function cbrt(x: number): number {
  const root = Math.cbrt(x);
  return x !== 0 && Number.isFinite(x) ? root - (root - x / (root * root)) / 3 : root;
}

function round(x: number): number {
  if (!Number.isFinite(x)) return x;
  const down = Math.floor(x);
  const rest = x - down;
  const whole = rest > 0.5 || (rest === 0.5 && down % 2 !== 0) ? down + 1 : down;
  return copysign(Math.abs(whole), x);
}

const minimum = (a: number, b: number): number => (a <= b || Number.isNaN(a) ? a : b);
const maximum = (a: number, b: number): number => (a >= b || Number.isNaN(a) ? a : b);

export type Meaning = (...values: number[]) => number;

export const MEANINGS: Record<string, Meaning> = {
  add: (a, b) => a! + b!,
  sub: (a, b) => a! - b!,
  mul: (a, b) => a! * b!,
  div: (a, b) => a! / b!,
  floordiv: (a, b) => floordiv(a!, b!),
  mod: (a, b) => mod(a!, b!),
  pow: (a, b) => realPower(a!, b!),
  neg: (a) => -a!,
  lt: (a, b) => Number(a! < b!),
  le: (a, b) => Number(a! <= b!),
  gt: (a, b) => Number(a! > b!),
  ge: (a, b) => Number(a! >= b!),
  eq: (a, b) => Number(a! === b!),
  ne: (a, b) => Number(a! !== b!),
  and: (a, b) => (a! !== 0 ? b! : a!),
  or: (a, b) => (a! !== 0 ? a! : b!),
  not: (a) => Number(a! === 0),
  where: (condition, a, b) => (condition! !== 0 ? a! : b!),
  sqrt: (x) => Math.sqrt(x!),
  cbrt: (x) => cbrt(x!),
  abs: (x) => Math.abs(x!),
  sign: (x) => (x! > 0 ? 1 : x! < 0 ? -1 : x! === 0 ? 0 : x!),
  exp: (x) => Math.exp(x!),
  log: (x) => Math.log(x!),
  sin: (x) => Math.sin(x!),
  cos: (x) => Math.cos(x!),
  tanh: (x) => Math.tanh(x!),
  round: (x) => round(x!),
  atan2: (y, x) => Math.atan2(y!, x!),
  minimum: (a, b) => minimum(a!, b!),
  maximum: (a, b) => maximum(a!, b!),
  clip: (x, low, high) => minimum(maximum(x!, low!), high!),
  // Of one number, as where a knob's default is computed.
  sum: (x) => x!,
  mean: (x) => x!,
  norm: (x) => Math.sqrt(x! * x!),
  largest: (x) => x! + 0,
  size: () => 1,
};
