/** Expressions and rules as text again, and with numbers in the place of names. */

import { OPERATIONS } from "./operations";
import { productLength, type Expression, type Operation, type Tree } from "./tree";

/** What stands for a name: itself, or its value at a step. */
export type Naming = (id: string, node: Expression) => string | null;

interface Printed {
  text: string;
  strength: number;
}

const ATOM = 100;
const NEGATE = OPERATIONS.get("neg")?.precedence ?? 7;
const OR = OPERATIONS.get("or")?.precedence ?? 1;

export function expressionText(node: Expression, naming: Naming = (id, each) => (each.kind === "name" ? id : null)): string {
  if (node.kind === "operation" && node.op === "where") {
    const [condition, first, second] = node.arguments as [Expression, Expression, Expression];
    return `${enclosed(print(first, naming), OR)} if ${enclosed(print(condition, naming), OR)} else ${print(second, naming).text}`;
  }
  return print(node, naming).text;
}

/** A double as people write it, so that it reads back exactly. */
export function numberText(value: number): string {
  if (Number.isNaN(value)) return "0 / 0";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0";
  const plain = String(value);
  const [significand, exponent] = value.toExponential().split("e") as [string, string];
  const scientific = `${significand}e${Number(exponent)}`;
  if (plain.includes("e")) return scientific;
  return Math.abs(value) < 0.01 || Math.abs(value) >= 1e5 ? (scientific.length <= plain.length ? scientific : plain) : plain;
}

function print(node: Expression, naming: Naming): Printed {
  if (node.kind === "number") return signed(naming("", node) ?? numberText(node.value));
  if (node.kind === "name") return signed(naming(node.id, node) ?? node.id);
  const definition = OPERATIONS.get(node.op)!;
  if (definition.called || node.op === "where") return { text: `${node.op}(${inner(node, naming)})`, strength: ATOM };
  if (definition.arity === 1) {
    const word = /[a-z]/.test(definition.symbol) ? `${definition.symbol} ` : definition.symbol;
    return { text: word + enclosed(print(node.arguments[0]!, naming), definition.precedence), strength: definition.precedence };
  }
  return binary(node, definition.precedence, definition.symbol, naming);
}

function binary(node: Operation, strength: number, symbol: string, naming: Naming): Printed {
  const [left, right] = node.arguments.map((each) => print(each, naming)) as [Printed, Printed];
  const power = node.op === "pow";
  const comparing = OPERATIONS.get(node.op)!.kind === "comparison";
  const first = enclosed(left, power || comparing ? strength + 1 : strength);
  const exponent = productLength(node);
  if (power) return { text: `${first}**${exponent ?? enclosed(right, NEGATE)}`, strength };
  return { text: `${first} ${symbol} ${enclosed(right, strength + 1)}`, strength };
}

function inner(node: Operation, naming: Naming): string {
  const parts = node.arguments.map((each) => print(each, naming).text);
  if (node.over) parts.push(`over="${node.over}"`);
  for (const [name, value] of node.options) parts.push(`${name}=${typeof value === "string" ? `"${value}"` : value}`);
  return parts.join(", ");
}

function signed(text: string): Printed {
  if (text.includes(" ")) return { text, strength: 6 };
  return { text, strength: text.startsWith("-") ? NEGATE : ATOM };
}

function enclosed({ text, strength }: Printed, least: number): string {
  return strength < least ? `(${text})` : text;
}

/** The whole rule, as a person would write it. */
export function ruleText(tree: Tree): string {
  const states = tree.states.map((state) => `${state.name}=${startText(state.start)}`);
  const knobs = tree.knobs.map((knob) => `${knob.name}=${knob.expression ? `"${expressionText(knob.expression)}"` : numberText(knob.default)}`);
  const all = [...tree.inputs, ...states, ...(knobs.length ? ["*", ...knobs] : [])];
  const head = `def ${tree.name}(${all.join(", ")}):`;
  const body = tree.body.map((line) => `${line.targets.join(", ")} = ${expressionText(line.value)}`);
  return [head, ...[...body, `return ${expressionText(tree.result)}`].map((line) => `    ${line}`)].join("\n");
}

function startText(start: Expression): string {
  const text = expressionText(start);
  const plain = start.kind === "operation" && start.op === "neg" ? start.arguments[0]! : start;
  return plain.kind === "number" ? text : `"${text}"`;
}
