/**
 * The ways in which people get a rule wrong, each as another tree of the right rule with a sentence: tried one after
 * the other, the one that gives the same numbers is what somebody's code does. It knows no rule by name.
 */

import { expressionText } from "../language/printing";
import { namesIn, variables, type Assignment, type Expression, type Operation, type Tree } from "../language/tree";

export interface Edit {
  tree: Tree;
  /** What was done, said of the person's code, with the right rule's names. */
  sentence: string;
  /** The variable whose line it is. */
  target: string;
}

export function edits(tree: Tree): Edit[] {
  return [...storedBack(tree), ...uncorrected(tree), ...inExpressions(tree), ...signs(tree), ...order(tree)];
}

const number = (value: number): Expression => ({ kind: "number", value });
const named = (id: string): Expression => ({ kind: "name", id });
const applied = (op: string, ...args: Expression[]): Operation => ({ kind: "operation", op, arguments: args, over: null, options: [] });

function withBody(tree: Tree, body: Assignment[], result = tree.result): Tree {
  return { ...tree, body, result };
}

function replaced(node: Expression, name: string, by: Expression): Expression {
  if (node.kind === "name") return node.id === name ? by : node;
  if (node.kind === "number") return node;
  return { ...node, arguments: node.arguments.map((each) => replaced(each, name, by)) };
}

const isCarried = (tree: Tree, name: string): boolean => tree.states.some((state) => state.name === name);

/** Lines that make a new name of one state and the step, as bias corrections do. */
function corrections(tree: Tree): { i: number; line: Assignment; state: string }[] {
  return tree.body.flatMap((line, i) => {
    const { value, targets } = line;
    if (value.kind !== "operation" || value.op !== "div" || isCarried(tree, targets[0]!)) return [];
    const state = value.arguments[0]!;
    return state.kind === "name" && isCarried(tree, state.id) && namesIn(value.arguments[1]!).has("t") ? [{ i, line, state: state.id }] : [];
  });
}

function storedBack(tree: Tree): Edit[] {
  const found = corrections(tree);
  const sets = [...found.map((each) => [each]), ...(found.length > 1 ? [found] : [])];
  return sets.map((set) => {
    const made = set.reduce((now, { i, line, state }) => renamedFrom(now, i, line.targets[0]!, state), tree);
    const words = set.map(({ line, state }) => `the corrected \`${line.targets[0]}\` is stored back into \`${state}\``);
    return { tree: made, sentence: `${words.join(", and ")}: the next step averages onto the corrected value`, target: set[0]!.state };
  });
}

function renamedFrom(tree: Tree, at: number, from: string, to: string): Tree {
  const rename = (node: Expression): Expression => replaced(node, from, named(to));
  const body = tree.body.map((line, i) => (i < at ? line : { ...line, targets: line.targets.map((each) => (each === from ? to : each)), value: rename(line.value) }));
  return withBody(tree, body, rename(tree.result));
}

function uncorrected(tree: Tree): Edit[] {
  const found = corrections(tree);
  const sets = [...found.map((each) => [each]), ...(found.length > 1 ? [found] : [])];
  const without = sets.map((set) => {
    const body = tree.body.map((line, i) => {
      const here = set.find((each) => each.i === i);
      return here ? { ...line, value: named(here.state) } : line;
    });
    const words = set.map(({ line }) => `\`${line.targets[0]}\``).join(" and ");
    return { tree: withBody(tree, body), sentence: `the bias correction of ${words} is missing`, target: set[0]!.line.targets[0]! };
  });
  const late = found.flatMap(({ i, line }) =>
    ([["t - 1", applied("sub", named("t"), number(1)), "t counts from 0: the first correction divides by zero"], ["t + 1", applied("add", named("t"), number(1)), "t is one ahead: the first correction is that of the second step"], ["1", number(1), "the power of t is missing: the correction is the same at every step"]] as const).map(
      ([, power, sentence]) => ({
        tree: withBody(tree, tree.body.map((each, k) => (k === i || power.kind !== "number" ? { ...each, value: replaced(each.value, "t", power) } : each))),
        sentence: `in \`${line.targets[0]}\` ${sentence}`,
        target: line.targets[0]!,
      }),
    ),
  );
  return [...without, ...late];
}

type Change = { by: Expression; say: (before: string, after: string) => string };

/** Every place of every line, with what people write there instead. */
function inExpressions(tree: Tree): Edit[] {
  const knobs = tree.knobs.map((knob) => knob.name);
  const made: Edit[] = [];
  const places: { name: string; value: Expression; put: (value: Expression) => Tree }[] = [
    ...tree.body.map((line, i) => ({
      name: line.targets[0]!,
      value: line.value,
      put: (value: Expression) => withBody(tree, tree.body.map((each, k) => (k === i ? { ...each, value } : each))),
    })),
    { name: "x", value: tree.result, put: (value) => withBody(tree, tree.body, value) },
  ];
  for (const { name, value, put } of places)
    for (const { node, rebuild } of within(value))
      for (const { by, say } of slips(node, knobs, tree)) {
        const tree2 = put(rebuild(by));
        made.push({ tree: tree2, sentence: `in \`${name}\` ${say(`\`${expressionText(node)}\``, `\`${expressionText(by)}\``)}`, target: name });
      }
  return made;
}

function* within(node: Expression, rebuild: (by: Expression) => Expression = (by) => by): Generator<{ node: Expression; rebuild: (by: Expression) => Expression }> {
  yield { node, rebuild };
  if (node.kind === "operation")
    for (const [i, argument] of node.arguments.entries())
      yield* within(argument, (by) => rebuild({ ...node, arguments: node.arguments.map((each, k) => (k === i ? by : each)) }));
}

const stands = (before: string, after: string): string => `${after} stands where ${before} should`;

function slips(node: Expression, knobs: readonly string[], tree: Tree): Change[] {
  if (node.kind === "name") {
    const others = knobs.includes(node.id) ? knobs.filter((name) => name !== node.id) : alike(node.id, tree);
    return others.map((other) => ({ by: named(other), say: stands }));
  }
  if (node.kind !== "operation") return [];
  const [a, b] = node.arguments as [Expression, Expression];
  const made: Change[] = [];
  const put = (by: Expression, say = stands): void => void made.push({ by, say });
  if (node.op === "mul") {
    put(a, (before) => `one factor of ${before} is missing`);
    put(b, (before) => `one factor of ${before} is missing`);
  }
  if (node.op === "pow") put(a, (before) => `the power of ${before} is missing`);
  if (node.op === "mul" && expressionText(a) === expressionText(b)) put(a, (before) => `the square of ${before} is missing`);
  if (node.op === "sqrt") put(a, (before) => `the root of ${before} is missing`);
  if (node.op === "add" || node.op === "sub") {
    put({ ...node, op: node.op === "add" ? "sub" : "add" }, (before, after) => `the sign is turned: ${after} stands where ${before} should`);
    if (node.op === "add") {
      put(a, (before, after) => `a part of ${before} is missing: ${after} stands alone`);
      put(b, (before, after) => `a part of ${before} is missing: ${after} stands alone`);
    }
    if (node.op === "sub" && a.kind === "number" && a.value === 1) put(b);
    if (node.op === "add" && a.kind === "operation" && a.op === "sqrt") put(applied("sqrt", applied("add", a.arguments[0]!, b)), () => `\`${expressionText(b)}\` is added under the root`);
    if (node.op === "add" && a.kind === "operation" && a.op === "mul" && b.kind === "operation" && b.op === "mul")
      put(applied("add", applied("mul", a.arguments[0]!, b.arguments[1]!), applied("mul", b.arguments[0]!, a.arguments[1]!)), () => "the two weights of the average are exchanged");
  }
  if (node.op === "div") put(a, (before) => `the division in ${before} is missing`);
  return made;
}

/** Other names that could stand there: states among states, what the lines made among that. */
function alike(id: string, tree: Tree): string[] {
  const states = tree.states.map((state) => state.name);
  const made = variables(tree).filter((name) => !states.includes(name));
  if (id === "g") return ["x", ...states];
  if (states.includes(id)) return states.filter((name) => name !== id);
  if (made.includes(id)) return [...made.filter((name) => name !== id), ...states];
  return [];
}

function signs(tree: Tree): Edit[] {
  const { result } = tree;
  if (result.kind !== "operation" || result.op !== "sub") return [];
  const [x, step] = result.arguments as [Expression, Expression];
  return [
    { tree: withBody(tree, tree.body, step), sentence: "what is returned is the step, and not `x` less the step", target: "x" },
    { tree: withBody(tree, tree.body, applied("sub", x, applied("div", step, number(2)))), sentence: "the step is half as long", target: "x" },
  ];
}

/** A line too late: what reads it has the value of the step before. */
function order(tree: Tree): Edit[] {
  return tree.body.flatMap((line, i) => {
    const name = line.targets[0]!;
    if (!isCarried(tree, name)) return [];
    const body = [...tree.body.slice(0, i), ...tree.body.slice(i + 1), line];
    const readers = tree.body.slice(i + 1).some((each) => namesIn(each.value).has(name)) || namesIn(tree.result).has(name);
    return readers ? [{ tree: withBody(tree, body), sentence: `\`${name}\` is updated after it is used: the step before's is read`, target: name }] : [];
  });
}
