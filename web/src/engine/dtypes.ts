/** How numbers are rounded to each dtype: as `mhat.engines.floats` rounds. */

export type Dtype = "float64" | "float32" | "float16" | "bfloat16";
export type Rounding = (value: number) => number;

const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);

function toBfloat16(value: number): number {
  if (Number.isNaN(value)) return value;
  single[0] = value;
  const before = bits[0]!;
  bits[0] = (before + 0x7fff + ((before >>> 16) & 1)) & 0xffff0000;
  return single[0];
}

/** Rounds to float32, and that to the nearest float16, of two equally near the even one. */
function toFloat16(value: number): number {
  const x = Math.fround(value);
  if (!Number.isFinite(x) || x === 0) return x;
  const size = Math.abs(x);
  const exponent = Math.max(Math.floor(Math.log2(size)), -14);
  const unit = 2 ** (exponent - 10);
  const quotient = size / unit;
  const down = Math.floor(quotient);
  const rest = quotient - down;
  const rounded = (rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down) * unit;
  const result = rounded >= 65520 ? Infinity : rounded;
  return x < 0 ? -result : result;
}

export const ROUNDINGS: Record<Dtype, Rounding | null> = {
  float64: null,
  float32: Math.fround,
  float16: toFloat16,
  bfloat16: toBfloat16,
};

/** How a number of the step enters: as float32 where tensors are smaller than double. */
export const ENTERING: Record<Dtype, Rounding | null> = {
  float64: null,
  float32: Math.fround,
  float16: Math.fround,
  bfloat16: Math.fround,
};
