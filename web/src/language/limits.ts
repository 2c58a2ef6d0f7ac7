/** What a text may not say although its words are in the language: `mhat.language.limits`. */

import { scalarExpression } from "./inference";
import { OPERATIONS } from "./operations";
import { Refusal } from "./refusal";
import { allExpressions, variables, type Expression, type Tree } from "./tree";

const SIZES = ["rows", "columns", "size"];

export function checkNumbers(tree: Tree): void {
  for (const node of allExpressions(tree)) {
    if (node.kind !== "operation") continue;
    const definition = OPERATIONS.get(node.op)!;
    if (node.op === "leading" && !counts(node.arguments[1]!, tree))
      throw new Refusal(
        "`leading` is not told how many columns", "Write a whole number, or a knob.", node.arguments[1]!.place ?? null,
      ); // prettier-ignore
    definition.numbers.forEach((name, i) => {
      const argument = node.arguments[definition.arity + i];
      if (argument && !scalarExpression(argument, tree))
        throw new Refusal(
          `\`${name}\` of \`${node.op}\` is a tensor, and must be a number`, `Give a number or a knob: ${name}=1e-8.`,
          argument.place ?? null,
        ); // prettier-ignore
    });
    if (SIZES.includes(node.op) && scalarExpression(node.arguments[0]!, tree))
      throw new Refusal(
        `\`${node.op}\` asks for the size of a number`, `Give it a tensor: ${node.op}(x).`, node.place ?? null,
      ); // prettier-ignore
  }
}

function counts(node: Expression, tree: Tree): boolean {
  const assigned = new Set([...variables(tree), ...tree.states.map((state) => state.name)]);
  const value =
    node.kind === "number" ? node.value
    : node.kind === "name" && !assigned.has(node.id) ? (tree.knobs.find((knob) => knob.name === node.id)?.default ?? 0)
    : 0; // prettier-ignore
  return value >= 1 && value < 2 ** 31 && Number.isInteger(value);
}
