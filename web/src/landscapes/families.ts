/** The landscapes by name, with the formulas of `mhat.landscapes`. */

import { Generator } from "../streams/random";
import type { Family } from "../streams/spec";
import type { Landscape } from "./landscape";

type Point = ArrayLike<number>;
type Made = Omit<Landscape, "name">;
type Numbers = Readonly<Record<string, number>>;

const number = (name: string, fallback: number) => ({ name, fallback });
const whole = (name: string, fallback: number, least = 0) => ({ name, fallback, whole: least });
const positive = (name: string, fallback: number) => ({ name, fallback, positive: true as const });

function family(name: string, summary: string, parameters: Family<Landscape>["parameters"], make: (given: Numbers) => Made): [string, Family<Landscape>] {
  return [name, { name, summary, parameters, make: (given) => ({ name, ...make(given) }) }];
}

function square(low: number, high: number, dimensions = 2): [number, number][] {
  return Array.from({ length: dimensions }, () => [low, high]);
}

function total(x: Point, term: (value: number, i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += term(x[i]!, i);
  return sum;
}

function curvatures(condition: number, dimensions: number): number[] {
  if (dimensions === 1) return [condition];
  return Array.from({ length: dimensions }, (_, i) => (i === dimensions - 1 ? condition : condition ** (i / (dimensions - 1))));
}

function quadratic({ condition, dimensions }: Numbers): Made {
  const curved = curvatures(condition!, dimensions!);
  return {
    height: (x) => 0.5 * total(x, (value, i) => curved[i]! * value * value),
    gradient: (x) => Array.from(x, (value, i) => curved[i]! * value),
    minima: [Array(dimensions!).fill(0)],
    start: Array(dimensions!).fill(1),
    window: square(-1.5, 1.5, dimensions!),
  };
}

function ravine({ condition, angle }: Numbers): Made {
  const [cosine, sine] = [Math.cos((angle! * Math.PI) / 180), Math.sin((angle! * Math.PI) / 180)];
  const parts = (x: Point) => [cosine * x[0]! + sine * x[1]!, cosine * x[1]! - sine * x[0]!] as const;
  return {
    height: (x) => {
      const [along, across] = parts(x);
      return 0.5 * (along * along + condition! * across * across);
    },
    gradient: (x) => {
      const [along, across] = parts(x);
      const wall = condition! * across;
      return [cosine * along - sine * wall, sine * along + cosine * wall];
    },
    minima: [[0, 0]],
    start: [-1, 0.5],
    window: square(-1.5, 1.5),
  };
}

function booth(): Made {
  const parts = (x: Point) => [x[0]! + 2 * x[1]! - 7, 2 * x[0]! + x[1]! - 5] as const;
  return {
    height: (x) => {
      const [first, second] = parts(x);
      return first * first + second * second;
    },
    gradient: (x) => {
      const [first, second] = parts(x);
      return [2 * first + 4 * second, 4 * first + 2 * second];
    },
    minima: [[1, 3]],
    start: [-5, -5],
    window: square(-10, 10),
  };
}

function absolute({ dimensions }: Numbers): Made {
  return {
    height: (x) => total(x, Math.abs),
    gradient: (x) => Array.from(x, Math.sign),
    minima: [Array(dimensions!).fill(0)],
    start: [1, ...Array(dimensions! - 1).fill(0.55)],
    window: square(-1.5, 1.5, dimensions!),
  };
}

function noisy({ noise, condition, seed }: Numbers): Made {
  const curved = [1, condition!];
  return {
    height: (x) => 0.5 * total(x, (value, i) => curved[i]! * value * value),
    gradient: (x, t) => {
      const chance = new Generator([seed!, t]);
      return Array.from(x, (value, i) => curved[i]! * value + noise! * chance.normal());
    },
    minima: [[0, 0]],
    start: [3, 3],
    window: square(-4, 4),
  };
}

function rosenbrock({ a, b }: Numbers): Made {
  const parts = (x: Point) => [a! - x[0]!, x[1]! - x[0]! * x[0]!] as const;
  return {
    height: (x) => {
      const [rest, off] = parts(x);
      return rest * rest + b! * (off * off);
    },
    gradient: (x) => {
      const [rest, off] = parts(x);
      return [-2 * rest - 4 * b! * x[0]! * off, 2 * b! * off];
    },
    minima: [[a!, a! * a!]],
    start: [-1.5, 2],
    window: [
      [Math.min(-2, a! - 1), Math.max(2, a! + 1)],
      [Math.min(-1, a! * a! - 1), Math.max(3, a! * a! + 1)],
    ],
  };
}

function beale(): Made {
  const parts = (u: number, y: number) => [1.5 - u + u * y, 2.25 - u + u * (y * y), 2.625 - u + u * (y * y * y)] as const;
  return {
    height: (x) => {
      const [first, second, third] = parts(x[0]!, x[1]!);
      return first * first + second * second + third * third;
    },
    gradient: (x) => {
      const [u, y] = [x[0]!, x[1]!];
      const [first, second, third] = parts(u, y);
      return [
        2 * (first * (y - 1) + second * (y * y - 1) + third * (y * y * y - 1)),
        2 * u * (first + 2 * second * y + 3 * third * (y * y)),
      ];
    },
    minima: [[3, 0.5]],
    start: [1, 1.5],
    window: square(-4.5, 4.5),
  };
}

function factors({ target }: Numbers): Made {
  const root = Math.sqrt(target!);
  return {
    height: (x) => {
      const error = x[0]! * x[1]! - target!;
      return 0.5 * (error * error);
    },
    gradient: (x) => {
      const error = x[0]! * x[1]! - target!;
      return [error * x[1]!, error * x[0]!];
    },
    minima: [
      [root, root],
      [-root, -root],
    ],
    start: [3 * root, 0.1 * root],
    window: square(-4 * root, 4 * root),
  };
}

function plateau(): Made {
  const squares = (x: Point) => total(x, (value) => value * value);
  return {
    height: (x) => -Math.expm1(-0.5 * squares(x)),
    gradient: (x) => {
      const steepness = Math.exp(-0.5 * squares(x));
      return Array.from(x, (value) => value * steepness);
    },
    minima: [[0, 0]],
    start: [4, 3],
    window: square(-6, 6),
  };
}

function saddle(): Made {
  return {
    height: (x) => {
      const [u, y2] = [x[0]!, x[1]! * x[1]!];
      return 0.5 * (u * u) + 0.25 * (y2 * y2) - 0.5 * y2;
    },
    gradient: (x) => [x[0]! + 0, x[1]! * (x[1]! * x[1]!) - x[1]!],
    minima: [
      [0, 1],
      [0, -1],
    ],
    start: [1.5, 1e-3],
    window: [
      [-2, 2],
      [-1.8, 1.8],
    ],
  };
}

function himmelblau(): Made {
  const parts = (x: Point) => [x[0]! * x[0]! + x[1]! - 11, x[0]! + x[1]! * x[1]! - 7] as const;
  return {
    height: (x) => {
      const [first, second] = parts(x);
      return first * first + second * second;
    },
    gradient: (x) => {
      const [first, second] = parts(x);
      return [4 * x[0]! * first + 2 * second, 2 * first + 4 * x[1]! * second];
    },
    minima: [
      [3, 2],
      [-2.805118086952745, 3.131312518250573],
      [-3.779310253377747, -3.28318599128617],
      [3.584428340330492, -1.848126526964404],
    ],
    start: [0, -1],
    window: square(-5, 5),
  };
}

function styblinskiTang({ dimensions }: Numbers): Made {
  return {
    height: (x) => 0.5 * total(x, (value) => value * value * (value * value) - 16 * (value * value) + 5 * value),
    gradient: (x) => Array.from(x, (value) => 2 * (value * value * value) - 16 * value + 2.5),
    minima: [Array(dimensions!).fill(-2.903534027771177)],
    start: Array(dimensions!).fill(4),
    window: square(-5, 5, dimensions!),
  };
}

function rastrigin({ dimensions, amplitude }: Numbers): Made {
  return {
    height: (x) => total(x, (value) => value * value + amplitude! * (1 - Math.cos(2 * Math.PI * value))),
    gradient: (x) => Array.from(x, (value) => 2 * value + 2 * Math.PI * amplitude! * Math.sin(2 * Math.PI * value)),
    minima: [Array(dimensions!).fill(0)],
    start: Array(dimensions!).fill(2.8),
    window: square(-5.12, 5.12, dimensions!),
  };
}

function reddi({ large, small, period }: Numbers): Made {
  const mean = (large! + (period! - 1) * small!) / period!;
  return {
    height: (x) => mean * x[0]!,
    gradient: (x, t) => Array(x.length).fill(t % period! === 1 ? large! : small!),
    minima: mean === 0 ? [] : [[-Math.sign(mean)]],
    start: [0],
    window: square(-1, 1, 1),
    domain: [-1, 1],
  };
}

function lottery({ odds, seed }: Numbers): Made {
  const mean = 1 - (1 - 1 / odds!);
  return {
    height: (x) => mean * x[0]!,
    gradient: (x, t) => Array(x.length).fill(new Generator([seed!, t]).uniform() * odds! < 1 ? odds! : -1),
    minima: mean === 0 ? [] : [[-Math.sign(mean)]],
    start: [0],
    window: square(-1, 1, 1),
    domain: [-1, 1],
  };
}

const dimensions = whole("dimensions", 2, 1);

export const LANDSCAPES: ReadonlyMap<string, Family<Landscape>> = new Map([
  family("quadratic", "A bowl along the axes: half the sum of c x^2", [positive("condition", 10), dimensions], quadratic),
  family("ravine", "A bowl turned by an angle in degrees", [positive("condition", 100), number("angle", 45)], ravine),
  family("booth", "Booth's function, a mild turned bowl", [], booth),
  family("absolute", "A pyramid on its tip: the sum of |x|", [dimensions], absolute),
  family("noisy", "A bowl whose gradient comes with noise", [number("noise", 1), positive("condition", 10), whole("seed", 0)], noisy),
  family("rosenbrock", "Rosenbrock's banana", [number("a", 1), positive("b", 100)], rosenbrock),
  family("beale", "Beale's function: cliffs beside a plain", [], beale),
  family("factors", "A product to be learned, the smallest network of two layers", [positive("target", 1)], factors),
  family("plateau", "A hole in a plain", [], plateau),
  family("saddle", "A saddle between two basins", [], saddle),
  family("himmelblau", "Himmelblau's function, with four equal minima", [], himmelblau),
  family("styblinski_tang", "Every coordinate has a good and a poor minimum", [dimensions], styblinskiTang),
  family("rastrigin", "A bowl covered with dents", [dimensions, number("amplitude", 10)], rastrigin),
  family("reddi", "The slopes that RMSProp and Adam fail on", [number("large", 3), number("small", -1), whole("period", 3, 2)], reddi),
  family("lottery", "The example of ADOPT: a rare large slope", [whole("odds", 10, 1), whole("seed", 0)], lottery),
]); // prettier-ignore
