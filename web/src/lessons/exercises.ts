/** Rules to write oneself, from a description: judged by numbers, a wrong one by the slip that gives them. */

import { judged, type Judgement } from "../engine/judging";
import { parse } from "../language/parsing";
import { ADAM, ADAMW, MOMENTUM, RMSPROP } from "./rules";

export interface Exercise {
  id: string;
  title: string;
  text: readonly string[];
  /** What the editor begins with. */
  begin: string;
  answer: string;
}

const WORDS = "Write it as the pseudo code: assignments, and what is returned is the new `x`. States are arguments with the value before step 1; knobs come after the `*`.";

export const EXERCISES: readonly Exercise[] = [
  {
    id: "momentum",
    title: "Write momentum yourself",
    text: ["Keep `m`, to which every gradient is added after `m` has been multiplied by `beta`. Step against `m`, times the learning rate. `m` starts at 0.", WORDS],
    begin: "def momentum(x, g, m=0, *, lr=0.01, beta=0.9):\n    return x",
    answer: MOMENTUM,
  },
  {
    id: "rmsprop",
    title: "Write RMSProp yourself",
    text: ["Keep `v`, the average of squared gradients that forgets by `rho`. Divide the gradient by the root of `v`, to which `eps` is added, and step by that times the learning rate.", WORDS],
    begin: "def rmsprop(x, g, v=0, *, lr=0.01, rho=0.99, eps=1e-8):\n    return x",
    answer: RMSPROP,
  },
  {
    id: "adam",
    title: "Write Adam yourself",
    text: [
      "Keep `m`, the average of gradients that forgets by `beta1`, and `v`, that of their squares by `beta2`; both start at 0.",
      "Correct both for that start: divide by one less the t-th power of their rate, into names of their own. Step by the learning rate times the corrected `m` over the root of the corrected `v`, to which `eps` is added.",
      WORDS,
    ],
    begin: "def adam(x, g, t, m=0, v=0, *, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8):\n    return x",
    answer: ADAM,
  },
  {
    id: "adamw",
    title: "Write AdamW yourself",
    text: ["Adam, and at every step `x` is first made smaller by `lr * weight_decay` of itself: the decay does not go through the averages.", WORDS],
    begin: "def adamw(x, g, t, m=0, v=0, *, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.1):\n    return x",
    answer: ADAMW,
  },
];

export function exerciseJudged(exercise: Exercise, text: string): Judgement | null {
  if (text.trim() === exercise.begin.trim() || text.trim() === "") return null;
  return judged(text, parse(exercise.answer).tree);
}
