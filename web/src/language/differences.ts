/** What two rules have that differs, line by line, whatever their variables are called. It computes nothing. */

import { expressionText } from "./printing";
import { variables, type Expression, type Tree } from "./tree";

export interface Difference {
  /** Line of the first rule's text; null where a line is missing there. */
  line: number | null;
  /** The line as it is, and as it is in the other rule, in the first one's names; empty where there is none. */
  mine: string;
  theirs: string;
}

export interface Nearness {
  score: number;
  differences: Difference[];
}

interface Line {
  line: number | null;
  text: string;
}

/** How a tree's lines read once its names are another's, by the order in which both come up. */
export function compared(mine: Tree, theirs: Tree): Nearness {
  const named = renaming(theirs, mine);
  const left = linesOf(mine, (id) => id);
  const right = linesOf(theirs, (id) => named.get(id) ?? id);
  const pairs = aligned(left, right);
  const differences: Difference[] = [];
  let same = 0;
  for (const [i, j] of pairs) {
    const [a, b] = [i === null ? null : left[i]!, j === null ? null : right[j]!];
    if (a && b && normal(a.text) === normal(b.text)) same++;
    else differences.push({ line: a?.line ?? null, mine: a?.text ?? "", theirs: b?.text ?? "" });
  }
  return { score: same / Math.max(left.length, right.length), differences };
}

function linesOf(tree: Tree, naming: (id: string) => string): Line[] {
  const name = (id: string): string => (id === "" ? "" : naming(id));
  const shown = (node: Expression): string => expressionText(node, (id, each) => (each.kind === "number" ? null : name(id)));
  return [
    ...tree.body.map((line) => ({ line: line.place?.line ?? null, text: `${line.targets.map(name).join(", ")} = ${shown(line.value)}` })),
    { line: tree.resultPlace?.line ?? null, text: `return ${shown(tree.result)}` },
  ];
}

/** Names of one tree for those of another: equal ones stay; states and knobs left over go by their order. */
function renaming(from: Tree, to: Tree): Map<string, string> {
  const named = new Map<string, string>();
  const groups = [(tree: Tree) => tree.states.map((state) => state.name), (tree: Tree) => tree.knobs.map((knob) => knob.name), variables];
  const taken = new Set<string>();
  for (const group of groups) {
    const [theirs, mine] = [group(from), group(to)];
    const free = mine.filter((name) => !theirs.includes(name) && !taken.has(name));
    for (const name of theirs) {
      const known = named.has(name) || mine.includes(name) ? name : free.shift();
      if (!named.has(name)) named.set(name, known ?? name);
      taken.add(named.get(name)!);
    }
  }
  return named;
}

/** Commutative operations read the same in both orders, blanks do not count. */
function normal(text: string): string {
  return text.replace(/\s+/g, "").replace(/\(([^()]*)\)/g, (_, inner: string) => `(${[...inner.split(/(?=[+])/)].sort().join("")})`);
}

function likeness(a: string, b: string): number {
  if (normal(a) === normal(b)) return 3;
  const [target, other] = [a.split(" = ")[0], b.split(" = ")[0]];
  const words = (text: string): Set<string> => new Set(text.match(/\w+/g) ?? []);
  const [left, right] = [words(a), words(b)];
  const shared = [...left].filter((word) => right.has(word)).length / Math.max(left.size, right.size, 1);
  return (target === other ? 1 : 0) + shared;
}

/** Pairs of lines in order, with the largest likeness in all. */
function aligned(left: Line[], right: Line[]): [number | null, number | null][] {
  const best: number[][] = Array.from({ length: left.length + 1 }, () => Array(right.length + 1).fill(0));
  for (let i = left.length - 1; i >= 0; i--)
    for (let j = right.length - 1; j >= 0; j--) {
      const pair = likeness(left[i]!.text, right[j]!.text);
      best[i]![j] = Math.max(best[i + 1]![j]!, best[i]![j + 1]!, (pair > 0.8 ? pair : 0) + best[i + 1]![j + 1]!);
    }
  const pairs: [number | null, number | null][] = [];
  let [i, j] = [0, 0];
  while (i < left.length && j < right.length) {
    const pair = likeness(left[i]!.text, right[j]!.text);
    if (pair > 0.8 && best[i]![j] === pair + best[i + 1]![j + 1]!) pairs.push([i++, j++]);
    else if (best[i]![j] === best[i + 1]![j]) pairs.push([i++, null]);
    else pairs.push([null, j++]);
  }
  while (i < left.length) pairs.push([i++, null]);
  while (j < right.length) pairs.push([null, j++]);
  return pairs;
}

