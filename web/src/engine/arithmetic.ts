/** Every line of a rule with the numbers of one step put in: `m = 0.9 * 4.1 + 0.1 * 10 = 4.69`. */

import { expressionText } from "../language/printing";
import { variables, type Expression } from "../language/tree";
import { Program, type Table, type Value } from "./program";
import { traced, type Trace } from "./tracing";

export interface Worked {
  /** Line of the text, from 1. */
  line: number | null;
  target: string;
  /** The right side with numbers in the place of names. */
  put: string;
  value: number;
}

/** `i` counts steps from 0; `c` is a coordinate. */
export function worked(trace: Trace, i: number, c: number): Worked[] {
  const { tree } = trace;
  const program = programOf(trace);
  const table = before(trace, program, i, c);
  const shown: Worked[] = [];
  const naming = (id: string, node: Expression): string | null => {
    if (node.kind === "number") return shortest(node.value);
    return shortest(at(table[program.slot(id)]!, c));
  };
  for (const [index, line] of program.lines.entries()) {
    const assignment = tree.body[index]!;
    const put = expressionText(assignment.value, naming);
    table[line.targets[0]!] = line.compute(table);
    const value = at(table[line.targets[0]!]!, c);
    shown.push({ line: assignment.place?.line ?? null, target: assignment.targets[0]!, put, value });
  }
  shown.push({ line: tree.resultPlace?.line ?? null, target: "x", put: expressionText(tree.result, naming), value: trace.variables.get("x")![c]![i]! });
  return shown;
}

const programs = new WeakMap<Trace, Program>();

function programOf(trace: Trace): Program {
  const known = programs.get(trace) ?? new Program(trace.tree, trace.dtype);
  programs.set(trace, known);
  return known;
}

/** The table as it stood when step `i` began. */
function before(trace: Trace, program: Program, i: number, c: number): Table {
  const { tree, variables: rows } = trace;
  const whole = program.level !== "per coordinate";
  const column = (name: string, at: number): Value => {
    if (!whole) return rows.get(name)![c]![at]!;
    return Float64Array.from(rows.get(name)!, (row) => row[at]!);
  };
  const table = program.table(trace.knobs);
  table[program.slot("t")] = i + 1;
  if (trace.loss) table[program.slot("loss")] = trace.loss[i]!;
  table[program.slot("x")] = whole ? trace.start : trace.start[c]!;
  table[program.slot("g")] = column("g", 0);
  program.start(table);
  table[program.slot("g")] = column("g", i);
  if (i > 0) {
    table[program.slot("x")] = column("x", i - 1);
    for (const name of variables(tree)) {
      const slot = program.slot(name);
      const earlier = column(traced(name), i - 1);
      table[slot] = whole && program.perStep.has(name) && typeof earlier !== "number" ? earlier[0]! : earlier;
    }
  }
  return table;
}

function at(value: Value, c: number): number {
  return typeof value === "number" ? value : (value[c] ?? value[0]!);
}

/** A number for people: five digits, none that says nothing. */
export function shortest(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const rounded = Number(value.toPrecision(5));
  if (size >= 1e-4 && size < 1e7) return String(rounded);
  const [significand, exponent] = rounded.toExponential().split("e") as [string, string];
  return `${significand}e${Number(exponent)}`;
}
