/** What a tree says about itself: level, per-step states, shapes. `mhat.language.inference`, where the page needs it. */

import { OPERATIONS } from "./operations";
import { COUNTERS, allExpressions, namesIn, variables, type Expression, type Tree } from "./tree";

export type Level = "per coordinate" | "per tensor" | "per matrix";

export function levelOf(tree: Tree): Level {
  const kinds = new Set<string>();
  for (const node of allExpressions(tree)) if (node.kind === "operation") kinds.add(OPERATIONS.get(node.op)!.kind);
  return kinds.has("matrix") ? "per matrix" : kinds.has("reduction") ? "per tensor" : "per coordinate";
}

export function countersOf(tree: Tree): string[] {
  return COUNTERS.filter((name) => name !== "loss" || tree.inputs.includes("loss"));
}

/** States that depend on knobs and the step number alone, and that every line sets from what is per-step there. */
export function perStepStates(tree: Tree): Set<string> {
  const knobs = tree.knobs.map((knob) => knob.name);
  const allowed = new Set(["t", "n", ...(tree.inputs.includes("loss") ? ["loss"] : []), ...knobs]);
  const of = dependence(tree);
  const names = tree.states.map((state) => state.name);
  const states = new Set(names.filter((name) => [...of.get(name)!].every((base) => allowed.has(base))));
  for (;;) {
    const perStep = new Set([...allowed, "k", ...states]);
    const spoilt = new Set<string>();
    const carried = new Set(names.filter((name) => !states.has(name)));
    for (const line of tree.body) {
      const alone = isWithin(namesIn(line.value), perStep) && !line.targets.some((target) => carried.has(target));
      for (const target of line.targets) {
        if (alone) perStep.add(target);
        else {
          perStep.delete(target);
          if (states.has(target)) spoilt.add(target);
        }
      }
    }
    if (spoilt.size === 0) return states;
    for (const name of spoilt) states.delete(name);
  }
}

/** What each name depends on, through states from step to step too: inputs and knobs. */
function dependence(tree: Tree): Map<string, Set<string>> {
  const bases = [...new Set([...tree.inputs, ...tree.knobs.map((knob) => knob.name), "x", "g"])];
  const arrows = new Map<string, string[]>(bases.map((name) => [name, []]));
  arrows.set("x", ["return"]);
  const own = new Map<string, Set<string>>(bases.map((name) => [name, new Set([name])]));
  for (const state of tree.states) {
    own.set(state.name, new Set([...namesIn(state.start)].filter((name) => bases.includes(name))));
    arrows.set(state.name, []);
  }
  const latest = new Map<string, string>();
  tree.body.forEach((line, i) => {
    arrows.set(`#${i}`, [...namesIn(line.value)].map((name) => latest.get(name) ?? name));
    for (const target of line.targets) {
      const key = target === "x" || target === "g" ? `${target}_used` : target;
      arrows.set(key, [...(arrows.get(key) ?? []), `#${i}`]);
      latest.set(target, `#${i}`);
    }
  });
  arrows.set("return", [...namesIn(tree.result)].map((name) => latest.get(name) ?? name));
  const of = new Map<string, Set<string>>();
  for (const name of arrows.keys()) {
    const seen = new Set([name]);
    const waiting = [name];
    const found = new Set<string>();
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      for (const base of own.get(node) ?? []) found.add(base);
      for (const next of arrows.get(node) ?? [])
        if (!seen.has(next)) {
          seen.add(next);
          waiting.push(next);
        }
    }
    of.set(name, found);
  }
  return of;
}

export function isWithin(names: Set<string>, others: Set<string>): boolean {
  for (const name of names) if (!others.has(name)) return false;
  return true;
}

/** Which names are one number for the whole tensor, and not one a coordinate, as far as reductions go. */
export function scalars(tree: Tree): Set<string> {
  const known = new Map<string, boolean>([["x", false], ["g", false]]);
  for (const name of [...countersOf(tree), ...tree.knobs.map((knob) => knob.name)]) known.set(name, true);
  if (tree.inputs.includes("h")) known.set("h", false);
  for (const state of tree.states) known.set(state.name, isScalar(state.start, known));
  for (let changed = true; changed; ) {
    changed = false;
    for (const line of tree.body) {
      const scalar = isScalar(line.value, known);
      for (const target of line.targets) {
        const key = target === "x" || target === "g" ? `${target}_used` : target;
        const before = known.get(key) ?? true;
        if (before && !scalar && known.get(key) !== false) {
          known.set(key, false);
          changed = true;
        } else if (!known.has(key)) known.set(key, scalar);
      }
    }
  }
  return new Set([...known].filter(([, scalar]) => scalar).map(([name]) => name));
}

function isScalar(node: Expression, known: Map<string, boolean>): boolean {
  if (node.kind === "number") return true;
  if (node.kind === "name") return known.get(node.id) ?? true;
  const { kind } = OPERATIONS.get(node.op)!;
  if (kind === "reduction" || node.op === "rows" || node.op === "columns") return true;
  return node.arguments.every((argument) => isScalar(argument, known));
}

export function scalarExpression(node: Expression, tree: Tree): boolean {
  const names = scalars(tree);
  const known = new Map([...variables(tree), ...tree.states.map((state) => state.name), "x", "g", "h"].map((name) => [name, names.has(name)]));
  for (const name of names) known.set(name, true);
  return isScalar(node, known);
}
