/** Is what somebody wrote the rule that is meant? By its numbers on telling gradients; if not, which slip gives them. */

import { parse } from "../language/parsing";
import { Refusal } from "../language/refusal";
import { compared } from "../language/differences";
import type { Tree } from "../language/tree";
import { edits } from "./edits";
import { trace } from "./tracing";

export interface Judgement {
  right: boolean;
  sentence: string;
  line: number | null;
  /** From 1: the first step at which x differs. */
  step: number | null;
}

const STEPS = 14;
const NEAR = 1e-9;
const START = 0.7;

/** Gradients that tell rules apart: signs, sizes, a zero, what is shifted. */
const GRADIENTS: readonly (readonly number[])[] = [
  [1, -0.5, 0.25, 2, 2, 2, -1, 0.1, 0.1, 3, -3, 0.5, 1, 1],
  [10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10],
  [0, 1e-3, 5, -1e-3, 0, 0, 1, 0, 0, 0, -2, 1, 0.5, 0.25],
];

function paths(tree: Tree, knobs: Record<string, number>): Float64Array[] {
  const gradients = GRADIENTS.map((row) => Float64Array.from(row.slice(0, STEPS)));
  return trace(tree, { source: { kind: "stream", gradients }, start: START, knobs }).variables.get("x")!;
}

function parted(a: Float64Array[], b: Float64Array[]): number | null {
  for (let i = 0; i < STEPS; i++)
    for (let c = 0; c < a.length; c++) {
      const [one, other] = [a[c]![i]!, b[c]![i]!];
      const near = one === other || (Number.isNaN(one) && Number.isNaN(other)) || Math.abs(one - other) <= NEAR * Math.max(Math.abs(one - START), Math.abs(other - START), 1e-12);
      if (!near) return i + 1;
    }
  return null;
}

/** Knobs far from their usual values, so that no part of a rule is too small to be seen. */
function telling(tree: Tree): Record<string, number> {
  const knobs: Record<string, number> = {};
  let rates = 0;
  for (const knob of tree.knobs) {
    if (knob.name === "lr") knobs.lr = 0.1;
    else if (knob.name === "eps") knobs.eps = 0.01;
    else if (knob.default >= 0.5 && knob.default < 1) knobs[knob.name] = [0.8, 0.6, 0.7, 0.5][rates++ % 4]!;
    else if (knob.default === 0 || knob.name.includes("decay")) knobs[knob.name] = 0.05;
  }
  return knobs;
}

/** `wanted` by its own knobs; the same names, or the same places, of what was written get the same values. */
function knobsFor(tree: Tree, wanted: Tree, values: Record<string, number>): Record<string, number> {
  const mine = tree.knobs.map((knob) => knob.name);
  const theirs = wanted.knobs.map((knob) => knob.name);
  const free = mine.filter((name) => !theirs.includes(name));
  const given: Record<string, number> = {};
  for (const name of theirs) {
    const here = mine.includes(name) ? name : free.shift();
    const value = values[name] ?? wanted.knobs.find((knob) => knob.name === name)!.default;
    if (here !== undefined) given[here] = value;
  }
  return given;
}

export function judged(text: string, wanted: Tree): Judgement {
  let tree: Tree;
  try {
    tree = parse(text).tree;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { right: false, sentence: `line ${error.place?.line ?? 1}: ${error.what}. ${error.cure}`, line: error.place?.line ?? null, step: null };
  }
  const values = telling(wanted);
  const right = paths(wanted, values);
  let mine: Float64Array[];
  try {
    mine = paths(tree, knobsFor(tree, wanted, values));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { right: false, sentence: `${error.what}. ${error.cure}`, line: error.place?.line ?? null, step: null };
  }
  const step = parted(mine, right);
  if (step === null) return withUsualKnobs(tree, wanted);
  return named(tree, wanted, values, mine, step);
}

/** The same numbers with knobs given; by themselves the knobs may still be others. */
function withUsualKnobs(tree: Tree, wanted: Tree): Judgement {
  for (const knob of wanted.knobs) {
    const mine = tree.knobs.find((each) => each.name === knob.name);
    if (mine && mine.default !== knob.default)
      return { right: true, sentence: `It is right. Its ${knob.name} is ${mine.default} by itself, where ${knob.default} is usual.`, line: 1, step: null };
  }
  return { right: true, sentence: "It is right: the same numbers on every gradient that was tried.", line: null, step: null };
}

function named(tree: Tree, wanted: Tree, values: Record<string, number>, mine: Float64Array[], step: number): Judgement {
  const fits = edits(wanted).filter((edit) => {
    const path = attempt(() => paths(edit.tree, values));
    return path !== null && parted(path, mine) === null;
  });
  // Several slips give the same numbers: the one that reads as what was written.
  const [edit] = fits.sort((a, b) => compared(tree, a.tree).differences.length - compared(tree, b.tree).differences.length);
  if (edit) return { right: false, sentence: `${capital(edit.sentence)}.`, line: lineOf(tree, wanted, edit.target), step };
  const first = compared(tree, wanted).differences[0];
  const line = first?.line ?? null;
  const where = first ? (line !== null && first.theirs ? ` Line ${line} is \`${first.mine}\`; the rule has \`${first.theirs}\` there.` : first.theirs ? ` The rule has a line that is not here: \`${first.theirs}\`.` : ` Line ${line}, \`${first.mine}\`, is not in the rule.`) : "";
  return { right: false, sentence: `It parts from the rule at step ${step}.${where}`, line, step };
}

function attempt<T>(make: () => T): T | null {
  try {
    return make();
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

/** The line of the written rule that stands for a variable of the right one. */
function lineOf(tree: Tree, wanted: Tree, target: string): number | null {
  const differing = compared(tree, wanted).differences.filter((each) => each.line !== null);
  const own = target === "x" ? "return" : target;
  const hit = differing.find((each) => each.mine.startsWith(`${own} `) || each.theirs.startsWith(`${own} `)) ?? differing[0];
  if (hit) return hit.line;
  return target === "x" ? (tree.resultPlace?.line ?? null) : (tree.body.find((line) => line.targets.includes(target))?.place?.line ?? null);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
