/**
 * A rule as closures over a table of values: no text is made, none is run as code.
 *
 * Sub-expressions of knobs and counters alone are computed in double precision and then entered, as in
 * `mhat.engines.program`. A value is a number, or one number a coordinate where a rule looks at its whole tensor.
 */

import { countersOf, isWithin, levelOf, perStepStates, scalars, type Level } from "../language/inference";
import { OPERATIONS } from "../language/operations";
import { Refusal } from "../language/refusal";
import { namesIn, productLength, subexpressions, variables, type Expression, type Tree } from "../language/tree";
import { ENTERING, ROUNDINGS, type Dtype, type Rounding } from "./dtypes";
import { MEANINGS, type Meaning } from "./meanings";
import { reduce } from "./reductions";

export type Value = number | Float64Array;
export type Table = Value[];
type Compiled = (table: Table) => Value;

interface Line {
  targets: number[];
  compute: Compiled;
  /** Whether it is one number a step. */
  alone: boolean;
  value: Expression;
}

export class Program {
  readonly level: Level;
  readonly slots = new Map<string, number>();
  readonly lines: Line[];
  readonly starts: { name: string; slot: number; compute: Compiled }[];
  readonly perStep: Set<string>;
  private readonly result: Compiled;
  private readonly spread: number[];
  private readonly derived: { slot: number; name: string; reads: Set<string>; compute: Compiled }[];
  private readonly rounded: Rounding | null;
  private readonly entering: Rounding | null;

  constructor(
    readonly tree: Tree,
    readonly dtype: Dtype = "float64",
  ) {
    this.level = levelOf(tree);
    if (this.level === "per matrix")
      throw new Refusal(
        `${tree.name} is a rule per matrix, and this page computes rules per coordinate and per tensor`,
        `See it with Python: mhat trace ${tree.name}.`,
        null,
      );
    this.rounded = ROUNDINGS[dtype];
    this.entering = ENTERING[dtype];
    const knobs = tree.knobs.map((knob) => knob.name);
    for (const name of ["x", "g", "t", "k", "n", "loss", "h", ...knobs, ...tree.states.map((state) => state.name), ...variables(tree)])
      if (!this.slots.has(name)) this.slots.set(name, this.slots.size);
    const perStep = new Set([...countersOf(tree), ...knobs]);
    const own = perStepStates(tree);
    this.derived = tree.knobs.flatMap((knob) =>
      knob.expression
        ? [{ slot: this.slot(knob.name), name: knob.name, reads: namesIn(knob.expression), compute: this.stepValue(knob.expression) }]
        : [],
    );
    this.starts = tree.states.map((state) => ({
      name: state.name,
      slot: this.slot(state.name),
      compute: own.has(state.name) ? this.stepValue(state.start) : this.stored(state.start, perStep),
    }));
    for (const name of own) perStep.add(name);
    const carried = new Set(tree.states.map((state) => state.name).filter((name) => !own.has(name)));
    this.lines = tree.body.map((line) => {
      const within = isWithin(namesIn(line.value), perStep);
      const alone = within && !line.targets.some((target) => carried.has(target));
      const compute = alone ? this.stepValue(line.value) : within ? this.stored(line.value, perStep) : this.tensorValue(line.value, perStep);
      for (const target of line.targets) if (alone) perStep.add(target); else perStep.delete(target);
      return { targets: line.targets.map((target) => this.slot(target)), compute, alone, value: line.value };
    });
    this.result = this.stored(tree.result, perStep);
    this.perStep = perStep;
    const numbers = scalars(tree);
    this.spread = this.level === "per coordinate" ? [] : [...carried].filter((name) => !numbers.has(name)).map((name) => this.slot(name));
  }

  slot(name: string): number {
    return this.slots.get(name)!;
  }

  /** A table with knobs in place; those that follow others do, unless they are given themselves. */
  table(given: Readonly<Record<string, number>>): Table {
    const table: Table = new Array(this.slots.size).fill(0);
    for (const knob of this.tree.knobs) table[this.slot(knob.name)] = given[knob.name] ?? knob.default;
    const told = new Set(Object.keys(given));
    for (const { slot, name, reads, compute } of this.derived)
      if (!told.has(name) && [...reads].some((read) => told.has(read))) {
        table[slot] = compute(table);
        told.add(name);
      }
    table[this.slot("k")] = 1;
    table[this.slot("n")] = 1;
    return table;
  }

  /** Sets the states before step 1; the table holds x and the first g. */
  start(table: Table): void {
    const values = this.starts.map(({ compute }) => compute(table));
    this.starts.forEach(({ slot }, i) => (table[slot] = values[i]!));
  }

  /** Takes one step; gives the new x, and leaves the table with what the lines assigned. */
  step(table: Table): Value {
    const x = table[0]!;
    if (typeof x !== "number")
      for (const slot of this.spread) {
        const value = table[slot]!;
        if (typeof value === "number") table[slot] = new Float64Array(x.length).fill(value);
      }
    for (const line of this.lines) table[line.targets[0]!] = line.compute(table);
    return this.result(table);
  }

  /** What the tensors' arithmetic sees of a variable that is one number a step. */
  entered(name: string, value: Value): Value {
    return this.entering && this.perStep.has(name) && typeof value === "number" ? this.entering(value) : value;
  }

  /** An expression as it is computed on a given line, for the arithmetic that is shown. */
  value(node: Expression, perStep: Set<string>): Compiled {
    return isWithin(namesIn(node), perStep) ? this.enteredValue(node) : this.tensorValue(node, perStep);
  }

  private stored(node: Expression, perStep: Set<string>): Compiled {
    if (!isWithin(namesIn(node), perStep)) return this.tensorValue(node, perStep);
    const inner = this.enteredValue(node);
    const { rounded } = this;
    return rounded ? (table) => rounded(inner(table) as number) : inner;
  }

  private enteredValue(node: Expression): Compiled {
    const inner = this.stepValue(node);
    const { entering } = this;
    if (!entering) return inner;
    if (node.kind === "number") {
      const constant = entering(node.value);
      return () => constant;
    }
    return (table) => entering(inner(table) as number);
  }

  private stepValue(node: Expression): Compiled {
    return this.leaf(node) ?? this.applied(node, (argument) => this.stepValue(argument), null);
  }

  private tensorValue(node: Expression, perStep: Set<string>): Compiled {
    if (node.kind === "number") return this.enteredValue(node);
    return this.leaf(node) ?? this.applied(node, (argument) => this.value(argument, perStep), this.rounded);
  }

  private leaf(node: Expression): Compiled | null {
    if (node.kind === "number") {
      const { value } = node;
      return () => value;
    }
    if (node.kind === "name") {
      const slot = this.slot(node.id);
      return (table) => table[slot]!;
    }
    return null;
  }

  private applied(node: Expression, inner: (argument: Expression) => Compiled, rounded: Rounding | null): Compiled {
    if (node.kind !== "operation") throw new Error("not an operation");
    const length = productLength(node);
    const args = (length ? node.arguments.slice(0, 1) : node.arguments).map(inner);
    if (OPERATIONS.get(node.op)!.kind === "reduction") {
      const argument = args[0]!;
      return (table) => {
        const value = argument(table);
        return reduce(node.op, typeof value === "number" ? [value] : value, rounded);
      };
    }
    const whole = this.level !== "per coordinate" && [...subexpressions(node)].some((part) => part.kind === "name");
    const meaning = length ? product(length, rounded) : roundedMeaning(MEANINGS[node.op]!, rounded);
    return whole ? onTensors(meaning, args) : onNumbers(node.op, meaning, args, rounded);
  }
}

function roundedMeaning(meaning: Meaning, rounded: Rounding | null): Meaning {
  return rounded ? (...values) => rounded(meaning(...values)) : meaning;
}

function product(length: number, rounded: Rounding | null): Meaning {
  return (value) => {
    let result = value!;
    for (let i = 1; i < length; i++) {
      result = result * value!;
      if (rounded) result = rounded(result);
    }
    return result;
  };
}

type Numeric = (table: Table) => number;

/** The common operations stand in closures of their own: a call less, and what they compute is known to the engine. */
function onNumbers(op: string, meaning: Meaning, args: Compiled[], rounded: Rounding | null): Compiled {
  const [a, b, c] = args as [Numeric, Numeric, Numeric];
  if (!rounded && args.length === 2) {
    if (op === "add") return (table) => a(table) + b(table);
    if (op === "sub") return (table) => a(table) - b(table);
    if (op === "mul") return (table) => a(table) * b(table);
    if (op === "div") return (table) => a(table) / b(table);
  }
  if (args.length === 1) return (table) => meaning(a(table));
  if (args.length === 2) return (table) => meaning(a(table), b(table));
  return (table) => meaning(a(table), b(table), c(table));
}

function onTensors(meaning: Meaning, args: Compiled[]): Compiled {
  return (table) => {
    const values = args.map((argument) => argument(table));
    const long = values.find((value) => typeof value !== "number") as Float64Array | undefined;
    if (!long) return meaning(...(values as number[]));
    const made = new Float64Array(long.length);
    for (let i = 0; i < made.length; i++) made[i] = meaning(...values.map((value) => (typeof value === "number" ? value : value[i]!)));
    return made;
  };
}
