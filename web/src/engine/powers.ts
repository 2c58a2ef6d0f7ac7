/** Integer powers by one double-double algorithm, the same operations in the same order as `mhat.ops.powers`. */

const SCALES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512];
const TABLE = SCALES.map((step) => [step, 2 ** step, 2 ** -step] as const);
const SMALL_FIRST = TABLE.slice(0, -2);
const LAST = TABLE.slice(-2);
const LARGE_FIRST = [...LAST, ...SMALL_FIRST.toReversed()];
const SPLITTER = 134217729;
const LARGEST_INTEGER = 2 ** 53;

// What a multiplication gives besides its result: made once, so that powers allocate nothing.
let low = 0;
let carry = 0;

function errorOf(a: number, b: number, product: number): number {
  let scaled = SPLITTER * a;
  const aHigh = scaled - (scaled - a);
  const aLow = a - aHigh;
  scaled = SPLITTER * b;
  const bHigh = scaled - (scaled - b);
  const bLow = b - bHigh;
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
}

function multiply(high: number, itsLow: number, otherHigh: number, otherLow: number): number {
  const product = high * otherHigh;
  let error = errorOf(high, otherHigh, product);
  error = error + (high * otherLow + itsLow * otherHigh);
  const total = product + error;
  const rest = error - (total - product);
  if (total >= 2) {
    low = rest * 0.5;
    carry = 1;
    return total * 0.5;
  }
  low = rest;
  carry = 0;
  return total;
}

function scaledBy(value: number, exponent: number): number {
  let rest = Math.min(Math.abs(exponent), 1535);
  for (const [step, up, down] of SMALL_FIRST)
    if (rest % (2 * step) >= step) {
      value = value * (exponent > 0 ? up : down);
      rest -= step;
    }
  for (const [step, up, down] of LAST)
    if (rest >= step) {
      value = value * (exponent > 0 ? up : down);
      rest -= step;
    }
  return value;
}

function powerOfSize(size: number, exponent: number): number {
  let count = Math.abs(exponent);
  let baseExponent = 0;
  for (const [step, up, down] of LARGE_FIRST)
    if (size >= up) {
      size = size * down;
      baseExponent += step;
    }
  for (const [step, up, down] of LARGE_FIRST)
    if (size < 2 * down) {
      size = size * up;
      baseExponent -= step;
    }
  let baseHigh = size, baseLow = 0, high = 1, itsLow = 0, total = 0; // prettier-ignore
  while (count > 0) {
    if (count % 2 === 1) {
      high = multiply(high, itsLow, baseHigh, baseLow);
      itsLow = low;
      total = total + baseExponent + carry;
    }
    count = (count - (count % 2)) * 0.5;
    baseHigh = multiply(baseHigh, baseLow, baseHigh, baseLow);
    baseLow = low;
    baseExponent = 2 * baseExponent + carry;
  }
  if (exponent < 0) {
    const quotient = 1 / high;
    const product = quotient * high;
    const error = errorOf(quotient, high, product);
    itsLow = (1 - product - error - quotient * itsLow) / high;
    high = quotient;
    total = -total;
  }
  return scaledBy(high + itsLow, total);
}

export function ipow(base: number, exponent: number): number {
  if (exponent === 0) return 1;
  if (Number.isNaN(base) || exponent === 1) return base;
  const odd = Math.abs(exponent) % 2 === 1;
  if (base === 0 || Math.abs(base) === Infinity) {
    const size = exponent > 0 ? Math.abs(base) : base === 0 ? Infinity : 0;
    return odd && (base < 0 || Object.is(base, -0)) ? -size : size;
  }
  const size = powerOfSize(Math.abs(base), exponent);
  return odd && base < 0 ? -size : size;
}

/** Any power, as `mhat.ops.powers.real_power`; Python's `pow` differs from JavaScript's for 1 and -1. */
export function realPower(base: number, exponent: number): number {
  if (exponent % 1 === 0 && Math.abs(exponent) <= LARGEST_INTEGER) return ipow(base, exponent);
  if (base === 1) return 1;
  if (base === -1 && Math.abs(exponent) === Infinity) return 1;
  return base ** exponent;
}
