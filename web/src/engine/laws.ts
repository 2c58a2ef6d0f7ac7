/** Laws of a rule, tried in the page on a few runs: the names and intuitions are those of `mhat.laws`. */

import type { Tree } from "../language/tree";
import { levelOf } from "../language/inference";
import { trace } from "./tracing";

export interface Held {
  name: string;
  intuition: string;
  kept: boolean;
  /** What was seen where it is not kept. */
  seen: string;
}

const STEPS = 40;
const NEAR = 1e-6;

const VARIED = Float64Array.from({ length: STEPS }, (_, i) => Math.sin(1.7 * i + 0.3) * (1 + (i % 7)) + 0.5);

type Knobs = Record<string, number>;
type Ask = (tree: Tree, knobs: Knobs) => string | null | undefined;

function path(tree: Tree, knobs: Knobs, gradients: ArrayLike<number>, start = 0): Float64Array {
  return trace(tree, { source: { kind: "stream", gradients: [Float64Array.from(gradients)] }, knobs, start }).variables.get("x")![0]!;
}

function moves(x: Float64Array, start: number): Float64Array {
  return x.map((value, i) => value - (i ? x[i - 1]! : start));
}

function apart(a: Float64Array, b: ArrayLike<number>, near = NEAR): number | null {
  let size = 0;
  for (let i = 0; i < a.length; i++) size = Math.max(size, Math.abs(a[i]!), Math.abs(b[i]!));
  for (let i = 0; i < a.length; i++) if (!(Math.abs(a[i]! - b[i]!) <= near * size) && !(Number.isNaN(a[i]!) && Number.isNaN(b[i]!))) return i + 1;
  return null;
}

const rateOf = (tree: Tree, knobs: Knobs): number | null => knobs.lr ?? tree.knobs.find((knob) => knob.name === "lr")?.default ?? null;
const brief = (value: number): string => String(Number(value.toPrecision(3)));

const LAWS: readonly { name: string; intuition: string; ask: Ask }[] = [
  {
    name: "constant gradient",
    intuition: "A gradient that never changes moves the parameter by lr at every step, whatever its size.",
    ask: (tree, knobs) => {
      const lr = rateOf(tree, knobs);
      if (lr === null || lr === 0) return undefined;
      const steps = moves(path(tree, knobs, Array(STEPS).fill(10)), 0);
      const first = steps.findIndex((step) => !(Math.abs(-step / lr - 1) < 1e-4));
      return first < 0 ? null : `step ${first + 1} of the gradient 10 is ${brief(-steps[first]! / lr)} lr long`;
    },
  },
  {
    name: "weights sum to one",
    intuition: "The weights of an average sum to one from the first step on: equal gradients make equal steps.",
    ask: (tree, knobs) => {
      const steps = moves(path(tree, knobs, Array(STEPS).fill(10)), 0);
      const first = steps.findIndex((step) => !(Math.abs(step - steps[0]!) <= 1e-6 * Math.abs(steps[0]!)));
      return first < 0 ? null : `of the gradient 10 step 1 is ${brief(steps[0]!)}, step ${first + 1} is ${brief(steps[first]!)}`;
    },
  },
  {
    name: "scale invariance",
    intuition: "Multiplying all gradients by a number changes nothing: the unit of the loss does not matter.",
    ask: (tree, knobs) => {
      const step = apart(path(tree, knobs, VARIED), path(tree, knobs, VARIED.map((g) => 1000 * g)), 1e-4);
      return step === null ? null : `gradients a thousand times as large part at step ${step}`;
    },
  },
  {
    name: "proportion",
    intuition: "Gradients twice as large move the parameter twice as far.",
    ask: (tree, knobs) => {
      const step = apart(path(tree, knobs, VARIED).map((x) => 2 * x), path(tree, knobs, VARIED.map((g) => 2 * g)));
      return step === null ? null : `gradients twice as large part at step ${step}`;
    },
  },
  {
    name: "sign symmetry",
    intuition: "Turning all gradients round turns the path round: up and down are alike.",
    ask: (tree, knobs) => {
      const step = apart(path(tree, knobs, VARIED).map((x) => -x), path(tree, knobs, VARIED.map((g) => -g)));
      return step === null ? null : `the turned path parts at step ${step}`;
    },
  },
  {
    name: "translation",
    intuition: "Only gradients matter, not where x is: from another start the path is the same, moved.",
    ask: (tree, knobs) => {
      const step = apart(path(tree, knobs, VARIED), path(tree, knobs, VARIED, 8).map((x) => x - 8), 1e-6);
      return step === null ? null : `from the start 8 the path parts at step ${step}`;
    },
  },
  {
    name: "learning rate",
    intuition: "On given gradients twice the learning rate moves the parameter twice as far.",
    ask: (tree, knobs) => {
      const lr = rateOf(tree, knobs);
      if (lr === null) return undefined;
      const step = apart(path(tree, knobs, VARIED).map((x) => 2 * x), path(tree, { ...knobs, lr: 2 * lr }, VARIED));
      return step === null ? null : `with twice the rate the path parts at step ${step}`;
    },
  },
  {
    name: "zero gradient",
    intuition: "Without a gradient nothing moves: zero over the small eps is zero.",
    ask: (tree, knobs) => {
      const x = path(tree, knobs, new Float64Array(STEPS), 1);
      const first = x.findIndex((value) => value !== 1);
      return first < 0 ? null : `from 1 it is at ${brief(x[first]!)} after step ${first + 1}`;
    },
  },
];

/** Each law that can be asked of the rule, with what was found; nothing is proved here. */
export function tried(tree: Tree, knobs: Knobs): Held[] {
  if (levelOf(tree) === "per matrix" || tree.inputs.includes("loss") || tree.inputs.includes("h")) return [];
  return LAWS.flatMap(({ name, intuition, ask }) => {
    const seen = ask(tree, knobs);
    return seen === undefined ? [] : [{ name, intuition, kept: seen === null, seen: seen ?? "" }];
  });
}
