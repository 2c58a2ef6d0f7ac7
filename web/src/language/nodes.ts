/** Python's syntax tree, as much of it as rules can meet: what is no part of a rule keeps its kind and place. */

export interface Span {
  /** From 1. */
  line: number;
  /** Characters before it, from 0. */
  start: number;
  endLine: number;
  end: number;
}

export type Literal =
  | { type: "number"; value: number; written: string }
  | { type: "text"; value: string }
  | { type: "truth"; value: boolean }
  | { type: "other"; written: string };

export type PyExpression = Span &
  (
    | { kind: "constant"; literal: Literal }
    | { kind: "name"; id: string }
    | { kind: "unary"; op: "+" | "-" | "~" | "not"; operand: PyExpression }
    | { kind: "binary"; op: string; left: PyExpression; right: PyExpression }
    | { kind: "logic"; op: "and" | "or"; values: PyExpression[] }
    | { kind: "compare"; first: PyExpression; ops: string[]; others: PyExpression[] }
    | { kind: "choice"; test: PyExpression; then: PyExpression; otherwise: PyExpression }
    | { kind: "call"; callee: PyExpression; args: PyExpression[]; keywords: PyKeyword[] }
    | { kind: "attribute"; of: PyExpression; name: string }
    | { kind: "tuple"; items: PyExpression[] }
    | { kind: "starred"; value: PyExpression }
    | { kind: "other"; what: Foreign }
  );

export type Foreign = "subscript" | "lambda" | "list" | "comprehension" | "walrus" | "rest";

export type PyKeyword = Span & { name: string | null; value: PyExpression };

export type PyArgument = Span & { name: string; fallback: PyExpression | null };

export interface PyParameters {
  positional: PyArgument[];
  keywordOnly: PyArgument[];
  star: PyArgument | null;
  stars: PyArgument | null;
}

export type PyStatement = Span &
  (
    | { kind: "assign"; targets: PyExpression[]; value: PyExpression }
    | { kind: "augment"; target: PyExpression; op: string; value: PyExpression }
    | { kind: "annotate"; target: PyExpression; value: PyExpression | null }
    | { kind: "return"; value: PyExpression | null }
    | { kind: "value"; value: PyExpression }
    | { kind: "import" }
    | PyFunction
    | { kind: "foreign"; word: string }
  );

export interface PyFunction {
  kind: "function";
  name: string;
  decorators: PyExpression[];
  parameters: PyParameters;
  body: PyStatement[];
}

export class PythonError extends Error {
  constructor(
    message: string,
    readonly line: number,
    readonly start: number,
  ) {
    super(message);
  }
}
