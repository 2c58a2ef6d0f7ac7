/** Ten short tours; each ends in a question that the page answers by running what the reader did. */

import { shortest } from "../engine/arithmetic";
import { run, type Result } from "../views/running";
import type { Lesson } from "./lesson";
import { end, knob, longest, no, stepLength, traceOf, yes } from "./reading";
import { ADAM, ADAMW, ADAM_L2, AMSGRAD, SGD, UNCORRECTED, WRONG_ADAM } from "./rules";

const rule = (text: string, knobs: Record<string, number> = {}) => ({ text, knobs });
const stream = (spec: string) => ({ kind: "stream" as const, spec });

export const TOURS: readonly Lesson[] = [
  {
    id: "story",
    title: "The step that dies",
    text: [
      "Both rules get the gradient 10 at every step. Adam should then move by `lr` each time. The right one does; the other's `ratio` falls towards 0 and `x` stops.",
      "Look at step 2, line by line: the second rule stores the corrected `m` back into `m`, so `m / (1 - beta1**t)` is averaged and corrected again. `m` grows by its correction at every step, and `v` by a much larger one.",
    ],
    setting: { rules: [rule(ADAM), rule(WRONG_ADAM)], source: stream("constant:10"), steps: 60, step: 2, dtype: "float64" },
    question: "Mend the second rule: give the corrected moments names of their own, so that its last step is lr again.",
    hint: "Write `m_hat = m / (1 - beta1**t)` and `v_hat = v / (1 - beta2**t)`, and use them in the ratio.",
    check: (result, begun) => {
      if (result.setting.rules[1]?.text === begun.rules[1]?.text) return null;
      const trace = traceOf(result, 1);
      if (!trace) return no("The second rule cannot be read yet.");
      const last = stepLength(trace, trace.steps);
      return Math.abs(last - 1) < 1e-3 ? yes("Its last step is lr: the averages go on uncorrected, and the corrected copies are used once.") : no(`Its last step is ${shortest(last)} lr still.`);
    },
  },
  {
    id: "correct",
    title: "Why correct at all",
    text: [
      "Averages that start at 0 are too small at first: after one step `m` is `(1 - beta1) * g` and `v` is `(1 - beta2) * g**2`.",
      "Without the correction the ratio starts at 0.1 / sqrt(0.001) = 3.16 instead of 1: early steps are too long, since `v` is further behind than `m`.",
    ],
    setting: { rules: [rule(ADAM), rule(UNCORRECTED)], source: stream("constant:1"), steps: 60, step: 1, dtype: "float64" },
    question: "Choose beta2 of the uncorrected rule so that its first step is as long as the right one's, within 2%.",
    hint: "At step 1 the ratio is (1 - beta1) / sqrt(1 - beta2). It is 1 where 1 - beta2 is (1 - beta1)**2.",
    check: (result, begun) => {
      const trace = traceOf(result, 1);
      if (!trace || result.setting.rules[1] === begun.rules[1]) return null;
      const first = stepLength(trace, 1);
      return Math.abs(first - 1) < 0.02 ? yes(`The first step is ${shortest(first)} lr. Later ones are not, since the two averages fill up at different speeds.`) : no(`The first step is ${shortest(first)} lr.`);
    },
  },
  {
    id: "eps",
    title: "What eps does",
    text: [
      "`eps` keeps 0 / 0 away. Where the gradient is as small as `eps` it does more: it shortens the step.",
      "The gradient here is 1e-6 at every step. With `eps=1e-8` the step is 0.99 lr.",
    ],
    setting: { rules: [rule(ADAM)], source: stream("constant:1e-6"), steps: 40, step: 40, dtype: "float64" },
    question: "Drag eps until the last step is half of lr, within 5%.",
    hint: "The step is g / (g + eps): half where eps is g.",
    check: (result, begun) => {
      const trace = traceOf(result, 0);
      if (!trace || knob(trace, "eps") === (begun.rules[0]?.knobs.eps ?? 1e-8)) return null;
      const last = stepLength(trace, trace.steps);
      return Math.abs(last - 0.5) < 0.025 ? yes(`At eps = ${shortest(knob(trace, "eps"))} half of the step is left.`) : no(`The last step is ${shortest(last)} lr.`);
    },
  },
  {
    id: "noise",
    title: "Sign and noise",
    text: [
      "Divided by its own size, a gradient is its sign. Adam's step is that sign, averaged: the more gradients agree, the longer it is.",
      "Here a small signal lies under noise ten times as large.",
    ],
    setting: { rules: [rule(ADAM)], source: stream("drift:0.1,1"), steps: 400, step: 400, dtype: "float64" },
    question: "Choose beta1 so that no step after step 100 is longer than 0.25 lr.",
    hint: "A longer average lets less noise through: try 0.99.",
    check: (result, begun) => {
      const trace = traceOf(result, 0);
      if (!trace || result.setting.rules[0] === begun.rules[0]) return null;
      let most = 0;
      for (let step = 101; step <= trace.steps; step++) most = Math.max(most, Math.abs(stepLength(trace, step)));
      if (trace.steps < 200) return no("Ask for 200 steps or more.");
      return most <= 0.25 ? yes(`The longest is ${shortest(most)} lr: the noise is averaged away, the signal is not.`) : no(`The longest is ${shortest(most)} lr.`);
    },
  },
  {
    id: "spike",
    title: "The spike and the largest step",
    text: [
      "One gradient of 100 among ones. `m` forgets it after some ten steps, `v` after a thousand: so the steps after it are short for long.",
      "The spike itself is no long step early on. Late in a run it is: `v` then weighs a new gradient by 1 - beta2 alone.",
    ],
    setting: { rules: [rule(ADAM)], source: stream("spike:100,at=50"), steps: 300, step: 50, dtype: "float64" },
    question: "Make a step of more than 1.5 lr, by the stream alone.",
    hint: "Move the spike later: at=250. The later it comes, the more gradients `v` has to weigh it against.",
    check: (result, begun) => {
      const trace = traceOf(result, 0);
      if (!trace || result.setting.source === begun.source) return null;
      if (JSON.stringify(result.setting.rules) !== JSON.stringify(begun.rules)) return no("The rule is another one now: leave its knobs, and change the stream.");
      const { step, length } = longest(trace);
      return length > 1.5 ? yes(`Step ${step} is ${shortest(length)} lr long. The most there is, whatever the gradients, is 7.27 lr.`) : no(`The longest step is ${shortest(length)} lr, at step ${step}.`);
    },
  },
  {
    id: "amsgrad",
    title: "The stream that AMSGrad was made for",
    text: [
      "Gradients 3, -1, -1, over and over: their sum is positive, so `x` should fall. With a short memory the rare 3 is divided by its own size, and `x` rises.",
      "AMSGrad keeps the largest `v` there was, and so does not forget the 3.",
    ],
    setting: { rules: [rule(ADAM, { beta1: 0, beta2: 0.1 }), rule(AMSGRAD, { beta1: 0, beta2: 0.1 })], source: stream("cycle:3,-1,-1"), steps: 120, step: 120, dtype: "float64" },
    question: "Let Adam fall too, and change beta2 alone.",
    hint: "With a memory longer than the cycle, `v` is the same at every step: try 0.99.",
    check: (result, begun) => {
      const trace = traceOf(result, 0);
      if (!trace || result.setting.rules[0] === begun.rules[0]) return null;
      if (knob(trace, "beta1") !== 0) return no("beta1 is no longer 0: change beta2 alone.");
      const last = end(trace);
      return last < -0.01 ? yes(`x ends at ${shortest(last)}: remembered long enough, 3 outweighs twice -1.`) : no(`x ends at ${shortest(last)}, above where it should be.`);
    },
  },
  {
    id: "beta2",
    title: "Choosing beta2",
    text: [
      "`v` remembers about 1 / (1 - beta2) gradients. Long, it is steady, and late where gradients shrink; short, it follows at once.",
      "Here gradients vanish, a tenth less at every step. With `beta2=0.999` the fiftieth step is a twelfth of lr, for `v` still remembers the first ones.",
    ],
    setting: { rules: [rule(ADAM)], source: stream("exponential:0.9"), steps: 60, step: 50, dtype: "float64" },
    question: "Choose beta2 so that step 50 is longer than lr / 2.",
    hint: "v has to fall as fast as g**2: beta2 near 0.9**2 = 0.81.",
    check: (result, begun) => {
      const trace = traceOf(result, 0);
      if (!trace || result.setting.rules[0] === begun.rules[0]) return null;
      if (trace.steps < 50) return no("Ask for 50 steps or more.");
      const length = stepLength(trace, 50);
      return length > 0.5 ? yes(`Step 50 is ${shortest(length)} lr long with beta2 = ${shortest(knob(trace, "beta2"))}.`) : no(`Step 50 is ${shortest(length)} lr long.`);
    },
  },
  {
    id: "decay",
    title: "Decay two ways",
    text: [
      "Adam with L2 adds the decay to the gradient, where it is divided by the root of `v`: large gradients are decayed less. AdamW takes it from `x` directly.",
      "Here x starts at 0 and the gradient is -10: both go up. The difference is what decay takes back.",
    ],
    setting: { rules: [rule(ADAMW, { lr: 0.1 }), rule(ADAM_L2, { lr: 0.1 })], source: stream("constant:-10"), steps: 300, step: 300, dtype: "float64" },
    question: "Make AdamW come to rest at 5, within 5%, by weight_decay of AdamW alone.",
    hint: "AdamW comes to rest where lr * weight_decay * x is lr: at x = 1 / weight_decay, whatever the gradient.",
    check: (result, begun) => {
      const [one, other] = [traceOf(result, 0), traceOf(result, 1)];
      if (!one || !other || result.setting.rules[0] === begun.rules[0]) return null;
      if (JSON.stringify(result.setting.rules[1]) !== JSON.stringify(begun.rules[1])) return no("The second rule is changed too: change weight_decay of AdamW alone.");
      const ends = `${shortest(end(one))} against ${shortest(end(other))} of the other`;
      return Math.abs(end(one) - 5) <= 0.25 ? yes(`It ends at ${ends}: its decay does not ask how large gradients are.`) : no(`It ends at ${ends}.`);
    },
  },
  {
    id: "bfloat16",
    title: "What bfloat16 loses",
    text: [
      "bfloat16 has eight binary digits: numbers near 1 are 1/128 apart. A step of less than half of that, added to x, is lost whole.",
      "`v` in bfloat16 with `beta2=0.999` stops too: a thousandth of it is less than its last digit.",
    ],
    setting: { rules: [rule(ADAM, { lr: 0.001 })], source: stream("constant:1"), steps: 600, step: 600, dtype: "bfloat16" },
    question: "x stops on its way. Make x end below -0.55 in bfloat16, by lr alone, within 600 steps.",
    hint: "A step counts while it is more than half of the last digit of x: beyond 0.5 that is 0.002. Try lr = 0.003.",
    check: (result, begun) => {
      const trace = traceOf(result, 0);
      if (!trace || result.setting.rules[0] === begun.rules[0]) return null;
      if (result.setting.dtype !== "bfloat16") return no("The numbers are no longer bfloat16.");
      const last = end(trace);
      return last < -0.55 ? yes(`x ends at ${shortest(last)}: steps that are large beside the last digit of x are not lost.`) : no(`x ends at ${shortest(last)}.`);
    },
  },
  {
    id: "turned",
    title: "Turned hills",
    text: [
      "Adam gives every coordinate a rate of its own. That undoes a ravine along the axes; a ravine across them looks the same from both coordinates, and nothing is undone.",
      "The hill below is a ravine along the axes. Turn it.",
    ],
    setting: { rules: [rule(ADAM), rule(SGD)], source: { kind: "landscape", spec: "ravine:100,angle=0", angle: 0, start: null }, steps: 300, step: 300, dtype: "float64" },
    question: "Turn the hill until Adam's height at the end is a million times what it is at 0 degrees.",
    hint: "45 degrees is the hardest: both coordinates then have the same curvature.",
    check: (result, begun) => {
      const trace = traceOf(result, 0);
      const { source } = result.setting;
      if (!trace?.loss || source.kind !== "landscape" || source === begun.source || source.angle === 0) return null;
      const straight = heightAtZero(result);
      const last = trace.loss[trace.steps - 1]!;
      return last >= 1e6 * straight ? yes(`Height ${shortest(last)} at ${source.angle} degrees, ${shortest(straight)} at 0: Adam sees coordinates, and no directions.`) : no(`Height ${shortest(last)} at ${source.angle} degrees, ${shortest(straight)} at 0.`);
    },
  },
];

function heightAtZero(result: Result): number {
  const { source } = result.setting;
  if (source.kind !== "landscape") return NaN;
  const straight = run({ ...result.setting, source: { ...source, angle: 0 } }).rules[0]?.trace;
  return straight?.loss?.[straight.steps - 1] ?? NaN;
}
