/** What an expression of plain numbers comes to. */

import { MEANINGS } from "../engine/meanings";
import { productLength, type Expression } from "./tree";

export function valueOf(node: Expression, known: ReadonlyMap<string, number>): number {
  if (node.kind === "number") return node.value;
  if (node.kind === "name") return known.get(node.id) ?? NaN;
  const values = node.arguments.map((argument) => valueOf(argument, known));
  const length = productLength(node);
  if (length !== null) {
    let result = values[0]!;
    for (let i = 1; i < length; i++) result *= values[0]!;
    return result;
  }
  return MEANINGS[node.op]!(...values);
}
