/** What is not in the rule language: where, what, and what to write instead. */

import type { Place } from "./tree";

export class Refusal extends Error {
  constructor(
    readonly what: string,
    readonly cure: string,
    readonly place: Place | null,
  ) {
    super(place ? `line ${place.line}: ${what}. ${cure}` : `${what}. ${cure}`);
    this.name = "RuleError";
  }
}

const LONGEST = 60;

export function abridged(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}...`;
}

/** The name that is nearest to another, as a person may have mistyped it; null where none is near. */
export function nearest(name: string, known: Iterable<string>): string | null {
  let best: string | null = null;
  let score = 0.6;
  for (const each of known) {
    const likeness = alike(name, each);
    if (likeness >= score && (best === null || likeness > score)) [best, score] = [each, likeness];
  }
  return best;
}

/** Twice the length of the matching blocks by the length of both, as Python's difflib counts. */
function alike(a: string, b: string): number {
  const total = a.length + b.length;
  return total === 0 ? 1 : (2 * matching(a, b)) / total;
}

function matching(a: string, b: string): number {
  let [length, from, to] = [0, 0, 0];
  for (let i = 0; i < a.length; i++)
    for (let j = 0; j < b.length; j++) {
      let k = 0;
      while (i + k < a.length && j + k < b.length && a[i + k] === b[j + k]) k++;
      if (k > length) [length, from, to] = [k, i, j];
    }
  if (length === 0) return 0;
  return length + matching(a.slice(0, from), b.slice(0, to)) + matching(a.slice(from + length), b.slice(to + length));
}
