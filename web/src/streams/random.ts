/** Chance as NumPy has it: `SeedSequence`, `PCG64` and the ziggurat, so that a seed names the same numbers here as there. */

import tables from "./ziggurat.json";

const WORD = (1n << 64n) - 1n;
const WHOLE = (1n << 128n) - 1n;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;
const NORMAL_END = 3.6541528853610088;
const EXPONENTIAL_END = 7.69711747013105;

export class Generator {
  private state = 0n;
  private readonly increment: bigint;

  constructor(seed: readonly number[]) {
    const [a, b, c, d] = words(seed) as [bigint, bigint, bigint, bigint];
    this.increment = ((((c << 64n) | d) << 1n) | 1n) & WHOLE;
    this.advance();
    this.state = (this.state + ((a << 64n) | b)) & WHOLE;
    this.advance();
  }

  /** From 0 up to and without 1. */
  uniform(): number {
    return Number(this.next() >> 11n) / 9007199254740992;
  }

  normal(): number {
    const { k, w, f } = tables.normal;
    for (;;) {
      const drawn = this.next();
      const layer = Number(drawn & 0xffn);
      const rest = drawn >> 8n;
      const size = Number((rest >> 1n) & 0xfffffffffffffn);
      const x = size * w[layer]! * (rest & 1n ? -1 : 1);
      if (size < k[layer]!) return x;
      if (layer === 0) return this.tail(((size / 256) & 1) === 1);
      if ((f[layer - 1]! - f[layer]!) * this.uniform() + f[layer]! < Math.exp(-0.5 * x * x)) return x;
    }
  }

  /** Student's t with so many degrees of freedom. */
  student(freedom: number): number {
    const drawn = this.normal();
    return (Math.sqrt(freedom / 2) * drawn) / Math.sqrt(this.gamma(freedom / 2));
  }

  private tail(negative: boolean): number {
    for (;;) {
      const x = -Math.log1p(-this.uniform()) / NORMAL_END;
      const y = -Math.log1p(-this.uniform());
      if (y + y > x * x) return negative ? -(NORMAL_END + x) : NORMAL_END + x;
    }
  }

  private exponential(): number {
    const { k, w, f } = tables.exponential;
    for (;;) {
      const drawn = this.next() >> 3n;
      const layer = Number(drawn & 0xffn);
      const size = Number(drawn >> 8n);
      const x = size * w[layer]!;
      if (size < k[layer]!) return x;
      if (layer === 0) return EXPONENTIAL_END - Math.log1p(-this.uniform());
      if ((f[layer - 1]! - f[layer]!) * this.uniform() + f[layer]! < Math.exp(-x)) return x;
    }
  }

  private gamma(shape: number): number {
    if (shape === 1) return this.exponential();
    return shape < 1 ? this.smallGamma(shape) : this.largeGamma(shape);
  }

  private smallGamma(shape: number): number {
    for (;;) {
      const u = this.uniform();
      const v = this.exponential();
      if (u <= 1 - shape) {
        const x = u ** (1 / shape);
        if (x <= v) return x;
      } else {
        const y = -Math.log((1 - u) / shape);
        const x = (1 - shape + shape * y) ** (1 / shape);
        if (x <= v + y) return x;
      }
    }
  }

  private largeGamma(shape: number): number {
    const b = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * b);
    for (;;) {
      let x: number;
      let v: number;
      do {
        x = this.normal();
        v = 1 + c * x;
      } while (v <= 0);
      v = v * v * v;
      const u = this.uniform();
      if (u < 1 - 0.0331 * (x * x) * (x * x)) return b * v;
      if (Math.log(u) < 0.5 * x * x + b * (1 - v + Math.log(v))) return b * v;
    }
  }

  private advance(): void {
    this.state = (this.state * MULTIPLIER + this.increment) & WHOLE;
  }

  private next(): bigint {
    this.advance();
    const mixed = (this.state >> 64n) ^ (this.state & WORD);
    const turn = this.state >> 122n;
    return ((mixed >> turn) | (mixed << (64n - turn))) & WORD;
  }
}

/** Four 64-bit words made of a seed, as `numpy.random.SeedSequence` makes them. */
function words(seed: readonly number[]): bigint[] {
  const pool = mixed(seed.flatMap(halves));
  let constant = 0x8b51f9dd;
  const made = Array.from({ length: 8 }, (_, i) => {
    let value = (pool[i % 4]! ^ constant) >>> 0;
    constant = Math.imul(constant, 0x58f38ded) >>> 0;
    value = Math.imul(value, constant) >>> 0;
    return BigInt((value ^ (value >>> 16)) >>> 0);
  });
  return [0, 2, 4, 6].map((i) => made[i]! | (made[i + 1]! << 32n));
}

function mixed(entropy: readonly number[]): number[] {
  let constant = 0x43b0d7e5;
  const hashed = (word: number): number => {
    let value = (word ^ constant) >>> 0;
    constant = Math.imul(constant, 0x931e8875) >>> 0;
    value = Math.imul(value, constant) >>> 0;
    return (value ^ (value >>> 16)) >>> 0;
  };
  const joined = (a: number, b: number): number => {
    const value = (Math.imul(0xca01f9dd, a) - Math.imul(0x4973f715, b)) >>> 0;
    return (value ^ (value >>> 16)) >>> 0;
  };
  const pool = [0, 1, 2, 3].map((i) => hashed(entropy[i] ?? 0));
  for (let from = 0; from < 4; from++)
    for (let to = 0; to < 4; to++) if (from !== to) pool[to] = joined(pool[to]!, hashed(pool[from]!));
  for (const word of entropy.slice(4)) for (let to = 0; to < 4; to++) pool[to] = joined(pool[to]!, hashed(word));
  return pool;
}

function halves(whole: number): number[] {
  const parts = [whole % 4294967296 >>> 0];
  for (let rest = Math.floor(whole / 4294967296); rest > 0; rest = Math.floor(rest / 4294967296)) parts.push(rest % 4294967296 >>> 0);
  return parts;
}
