/** The grammar of the rule language: the same tree as `mhat.language.tree`, exchanged as JSON. It knows no meaning. */

export interface Place {
  /** Line and columns count from 1, in the text as it was given. */
  line: number;
  column: number;
  endColumn: number;
}

export type Expression = NumberNode | NameNode | Operation;

export interface NumberNode {
  kind: "number";
  value: number;
  place?: Place;
}

export interface NameNode {
  kind: "name";
  id: string;
  place?: Place;
}

export interface Operation {
  kind: "operation";
  op: string;
  arguments: Expression[];
  over: "all" | null;
  options: [string, string | number][];
  place?: Place;
}

export interface Assignment {
  targets: string[];
  value: Expression;
  place?: Place;
}

export interface State {
  name: string;
  start: Expression;
}

export interface Knob {
  name: string;
  default: number;
  expression: Expression | null;
}

export interface Tree {
  name: string;
  inputs: string[];
  states: State[];
  knobs: Knob[];
  body: Assignment[];
  result: Expression;
  resultPlace?: Place;
  flatten: string | null;
}

export const INPUTS = ["x", "g", "t", "k", "n", "loss", "h"];
export const GIVEN = ["loss", "h"];
export const COUNTERS = ["t", "k", "n", "loss"];

export function* subexpressions(node: Expression): Generator<Expression> {
  yield node;
  if (node.kind === "operation") for (const argument of node.arguments) yield* subexpressions(argument);
}

export function namesIn(node: Expression): Set<string> {
  const found = new Set<string>();
  for (const part of subexpressions(node)) if (part.kind === "name") found.add(part.id);
  return found;
}

export function* allExpressions(tree: Tree): Generator<Expression> {
  for (const state of tree.states) yield* subexpressions(state.start);
  for (const line of tree.body) yield* subexpressions(line.value);
  yield* subexpressions(tree.result);
}

/** Names that the body assigns, each once, in the order of first assignment. */
export function variables(tree: Tree): string[] {
  return [...new Set(tree.body.flatMap((line) => line.targets))];
}

/** 2, 3 or 4 where a power has that literal exponent: such a power is a product from left to right. */
export function productLength(node: Expression): 2 | 3 | 4 | null {
  if (node.kind !== "operation" || node.op !== "pow") return null;
  const exponent = node.arguments[1];
  if (exponent?.kind !== "number") return null;
  return exponent.value === 2 || exponent.value === 3 || exponent.value === 4 ? exponent.value : null;
}

type Json = unknown;

/** Writes a tree as plain data, without places; numbers that JSON lacks as words. */
export function toData(tree: Tree): Json {
  return {
    name: tree.name,
    inputs: tree.inputs,
    states: tree.states.map((state) => [state.name, expressionData(state.start)]),
    knobs: tree.knobs.map((knob) => [
      knob.name, numberData(knob.default), knob.expression && expressionData(knob.expression),
    ]), // prettier-ignore
    body: tree.body.map((line) => [line.targets, expressionData(line.value)]),
    result: expressionData(tree.result),
    flatten: tree.flatten,
  };
}

function numberData(value: number): Json {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return Object.is(value, -0) ? "-0" : value;
}

function expressionData(node: Expression): Json {
  if (node.kind === "number") return { number: numberData(node.value) };
  if (node.kind === "name") return { name: node.id };
  const data: Record<string, Json> = { op: node.op, arguments: node.arguments.map(expressionData) };
  if (node.over) data.over = node.over;
  if (node.options.length) data.options = node.options;
  return data;
}
