/** A rule as papers print it. */

import { OPERATIONS } from "./operations";
import { numberText } from "./printing";
import type { Expression, Tree } from "./tree";

const GREEK = new Set("alpha beta gamma delta epsilon eta theta lambda mu nu rho sigma tau phi psi omega xi zeta kappa chi".split(" "));
const SPECIAL: Record<string, string> = { eps: "\\epsilon", lr: "\\eta", x: "x", weight_decay: "\\lambda", lamb: "\\lambda" };

export function latexOf(tree: Tree): string {
  const rows = tree.body.map((line) => `  ${line.targets.map(name).join(", ")} &\\leftarrow ${shown(line.value, 0)} \\\\`);
  return ["\\begin{align*}", ...rows, `  x &\\leftarrow ${shown(tree.result, 0)}`, "\\end{align*}", ""].join("\n");
}

function name(id: string): string {
  if (SPECIAL[id]) return SPECIAL[id];
  const hat = /^(\w+?)_(hat|bar)$/.exec(id);
  if (hat) return `\\${hat[2]}{${name(hat[1]!)}}`;
  const digits = /^([A-Za-z]+)(\d+)$/.exec(id);
  if (digits) return `${name(digits[1]!)}_{${digits[2]}}`;
  if (GREEK.has(id)) return `\\${id}`;
  const [first, ...rest] = id.split("_");
  if (rest.length && first) return `${name(first)}_{\\mathrm{${rest.join("\\_")}}}`;
  return id.length === 1 ? id : `\\mathrm{${id}}`;
}

function shown(node: Expression, least: number): string {
  if (node.kind === "number") return numberText(node.value).replace(/^(.*)e(-?\d+)$/, (_, a: string, b: string) => (a === "1" ? `10^{${b}}` : `${a} \\cdot 10^{${b}}`));
  if (node.kind === "name") return name(node.id);
  const [a, b, c] = node.arguments as [Expression, Expression, Expression];
  const { precedence, symbol, called, arity } = OPERATIONS.get(node.op)!;
  if (node.op === "div") return `\\frac{${shown(a, 0)}}{${shown(b, 0)}}`;
  if (node.op === "sqrt") return `\\sqrt{${shown(a, 0)}}`;
  if (node.op === "abs") return `\\left|${shown(a, 0)}\\right|`;
  if (node.op === "where") return `\\begin{cases} ${shown(b, 0)} & ${shown(a, 0)} \\\\ ${shown(c, 0)} & \\text{else} \\end{cases}`;
  if (node.op === "pow") return bracketed(`${shown(a, precedence + 1)}^{${shown(b, 0)}}`, precedence, least);
  if (called) return `\\operatorname{${node.op.replace(/_/g, "\\_")}}\\left(${node.arguments.map((each) => shown(each, 0)).join(", ")}\\right)`;
  if (arity === 1) return bracketed(`${symbol === "not" ? "\\lnot " : symbol}${shown(a, precedence)}`, precedence, least);
  const signs: Record<string, string> = { "*": "\\,", "<=": "\\le", ">=": "\\ge", "!=": "\\ne", "==": "=", and: "\\land", or: "\\lor", "%": "\\bmod" };
  return bracketed(`${shown(a, precedence)} ${signs[symbol] ?? symbol} ${shown(b, precedence + 1)}`, precedence, least);
}

function bracketed(text: string, strength: number, least: number): string {
  return strength < least ? `\\left(${text}\\right)` : text;
}
