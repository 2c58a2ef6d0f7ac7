/** The streams by name: the same values as `mhat.streams`, bit for bit where no chance is in them, and with chance too. */

import type { Family } from "./spec";
import { Generator } from "./random";

/** One row a coordinate, one number a step. */
export type Rows = Float64Array[];
type Making = (given: Readonly<Record<string, number>>, values: readonly number[]) => Rows;

function row(steps: number, value: (step: number) => number): Rows {
  return [Float64Array.from({ length: steps }, (_, step) => value(step))];
}

/** Every value made of the one before. */
function chained(steps: number, start: number, next: (before: number) => number): Rows {
  const made = new Float64Array(steps);
  let now = start;
  for (let step = 0; step < steps; step++) {
    made[step] = now;
    now = next(now);
  }
  return [made];
}

const number = (name: string, fallback: number) => ({ name, fallback });
const whole = (name: string, fallback: number, least = 0) => ({ name, fallback, whole: least });
const positive = (name: string, fallback: number) => ({ name, fallback, positive: true as const });
const size = { name: "size", fallback: null, whole: 1 };

function family(name: string, summary: string, parameters: Family<Rows>["parameters"], make: Making, listed?: readonly number[]): [string, Family<Rows>] {
  return [name, listed ? { name, summary, parameters, make, listed } : { name, summary, parameters, make }];
}

/** Samples of a stream of several coordinates come in the order of NumPy: step by step. */
function sampled(steps: number, size: number | undefined, draw: () => number): Rows {
  const coordinates = size === undefined || Number.isNaN(size) ? 1 : size;
  const rows = Array.from({ length: coordinates }, () => new Float64Array(steps));
  for (let step = 0; step < steps; step++) for (const each of rows) each[step] = draw();
  return rows;
}

export const STREAMS: ReadonlyMap<string, Family<Rows>> = new Map([
  family("constant", "The same gradient at every step", [number("value", 1)], ({ value, steps }) => row(steps!, () => value!)),
  family("zeros", "No gradient at all", [], ({ steps }) => row(steps!, () => 0)),
  family("ramp", "A gradient that grows by the same amount every step: 0, 1, 2, ...", [number("slope", 1), number("start", 0)],
    ({ slope, start, steps }) => row(steps!, (step) => start! + slope! * step)),
  family("exponential", "A gradient that is multiplied by `ratio` every step", [number("ratio", 1.11), number("start", 1)],
    ({ ratio, start, steps }) => chained(steps!, start!, (before) => before * ratio!)),
  family("alternating", "A gradient that changes its sign at every step: value, -value, value, ...", [number("value", 1)],
    ({ value, steps }) => row(steps!, (step) => (step % 2 === 0 ? value! : -value!))),
  family("sine", "A gradient that swings with a period counted in steps", [positive("period", 20), number("amplitude", 1)],
    ({ period, amplitude, steps }) => row(steps!, (step) => amplitude! * Math.sin(2 * Math.PI * ((step % period!) / period!)))),
  family("cycle", "The given gradients, over and over", [],
    ({ steps }, values) => row(steps!, (step) => values[step % values.length]!), [3, -1, -1]),
  family("sparse", "A gradient at one step in `every`, and zero between", [whole("every", 10, 1), number("value", 1)],
    ({ every, value, steps }) => row(steps!, (step) => ((step + 1) % every! === 0 ? value! : 0))),
  family("spike", "One gradient of another size among equal ones", [number("size", 100), whole("at", 50, 1), number("base", 1)],
    ({ size, at, base, steps }) => row(steps!, (step) => (step + 1 === at ? size! : base!))),
  family("shift", "A gradient whose mean changes at one step",
    [number("before", 1), number("after", -1), whole("at", 50, 1), number("noise", 0), whole("seed", 0)],
    ({ before, after, at, noise, seed, steps }) => {
      const chance = noise ? new Generator([seed!]) : null;
      return row(steps!, (step) => {
        const mean = step + 1 < at! ? before! : after!;
        return chance ? mean + noise! * chance.normal() : mean;
      });
    }),
  family("lottery", "A large gradient with probability 1 / odds, and -1 otherwise", [whole("odds", 10, 1), whole("seed", 0)],
    ({ odds, seed, steps }) => {
      const chance = new Generator([seed!]);
      return row(steps!, () => (chance.uniform() * odds! < 1 ? odds! : -1));
    }),
  family("normal", "Independent normal gradients", [number("mean", 0), number("scale", 1), whole("seed", 0), size],
    ({ mean, scale, seed, size, steps }) => {
      const chance = new Generator([seed!]);
      return sampled(steps!, size, () => mean! + scale! * chance.normal());
    }),
  family("heavy_tailed", "Independent gradients with rare, very large values (Student's t)",
    [positive("freedom", 2), number("scale", 1), whole("seed", 0), size],
    ({ freedom, scale, seed, size, steps }) => {
      const chance = new Generator([seed!]);
      return sampled(steps!, size, () => scale! * chance.student(freedom!));
    }),
  family("drift", "A small steady gradient under large noise", [number("signal", 0.1), number("noise", 1), whole("seed", 0), size],
    ({ signal, noise, seed, size, steps }) => {
      const chance = new Generator([seed!]);
      return sampled(steps!, size, () => signal! + noise! * chance.normal());
    }),
  family("correlated", "Normal gradients, each correlated with the one before", [number("memory", 0.9), whole("seed", 0), size],
    ({ memory, seed, size, steps }) => {
      const chance = new Generator([seed!]);
      const rows = sampled(steps!, size, () => chance.normal());
      const fresh = Math.sqrt(1 - memory! * memory!);
      for (const each of rows) for (let step = 1; step < each.length; step++) each[step] = each[step]! * fresh + memory! * each[step - 1]!;
      return rows;
    }),
  family("scaled", "The same noise in several coordinates, each `factor` times the one before",
    [number("factor", 10), whole("size", 3, 1), whole("seed", 0)],
    ({ factor, size, seed, steps }) => {
      const chance = new Generator([seed!]);
      const noise = Float64Array.from({ length: steps! }, () => chance.normal());
      const factors = chained(size!, 1, (before) => before * factor!)[0]!;
      return Array.from(factors, (each) => noise.map((value) => value * each));
    }),
]); // prettier-ignore
