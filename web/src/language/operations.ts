/** The table of operations: the one of `mhat.ops`, written out by `python -m tests.page.tables`. */

import table from "./operations.json";

export interface Definition {
  kind: "arithmetic" | "comparison" | "logic" | "function" | "reduction" | "matrix";
  symbol: string;
  arity: number;
  precedence: number;
  results: number;
  called: boolean;
  numbers: string[];
  words: string[];
  sentence: string;
}

const { operations, sets, most_rounds: MOST_ROUNDS, usual: USUAL } = table as unknown as {
  operations: Record<string, Definition>;
  sets: Record<string, number>;
  most_rounds: number;
  usual: string;
};

export const OPERATIONS: ReadonlyMap<string, Definition> = new Map(Object.entries(operations));
/** The sets of coefficients of `orthogonal`, with how many rounds each has. */
export const SETS: ReadonlyMap<string, number> = new Map(Object.entries(sets));
export { MOST_ROUNDS, USUAL };
/** Functions whose names a rule that does not call them may have for its own. */
export const ALSO_NAMES: ReadonlySet<string> = new Set((table as unknown as { also_names: string[] }).also_names);
export const RESERVED: ReadonlyMap<string, string> = new Map(
  Object.entries((table as unknown as { reserved: Record<string, string> }).reserved),
);
