/** A card beside a rule: the laws it keeps, the rule of the library that is nearest, and what differs from it. */

import { tried } from "../engine/laws";
import { compared, type Difference } from "../language/differences";
import type { Tree } from "../language/tree";
import { Refusal } from "../language/refusal";
import { button, element, prose } from "./elements";
import { parsedOf, type RuleResult } from "./running";
import type { LibraryRule } from "./setting";

const LEAST_SCORE = 0.34;

interface Nearest {
  rule: LibraryRule;
  tree: Tree;
  score: number;
  differences: Difference[];
}

export function nearestRule(tree: Tree, library: readonly LibraryRule[]): Nearest | null {
  let best: Nearest | null = null;
  for (const rule of library) {
    const parsed = parsedOf(rule.text);
    if (parsed instanceof Refusal) continue;
    const { score, differences } = compared(tree, parsed.tree);
    const own = score + (rule.name === tree.name ? 0.01 : 0) - 0.02 * Math.abs(parsed.tree.knobs.length - tree.knobs.length);
    if (!best || own > best.score) best = { rule, tree: parsed.tree, score: own, differences };
  }
  return best && best.score >= LEAST_SCORE ? best : null;
}

/** What a difference is, in words: what a corrected moment stored back looks like is said by its name. */
export function sentenceOf({ line, mine, theirs }: Difference, tree: Tree): string {
  const states = new Set(tree.states.map((state) => state.name));
  const [target, value] = mine.split(" = ") as [string, string | undefined];
  const other = theirs.split(" = ");
  if (line !== null && value && states.has(target) && other[1] !== undefined && other[0] !== target && other[1].startsWith(`${target} /`))
    return `Your line ${line} stores the corrected \`${target}\` back into \`${target}\`: the next step averages onto it.`;
  if (line !== null && mine && theirs) return `Your line ${line} is \`${mine}\`; there it is \`${theirs}\`.`;
  if (line !== null && mine) return `Your line ${line}, \`${mine}\`, is not in it.`;
  return `It has a line more: \`${theirs}\`.`;
}

export class Insight {
  readonly element = element("details", { class: "mhat-insight" });
  private readonly summary = element("summary");
  private readonly body = element("div");
  private key = "";

  constructor(
    private readonly library: () => readonly LibraryRule[],
    private readonly replaced: (text: string) => void,
  ) {
    this.element.append(this.summary, this.body);
  }

  show(result: RuleResult): void {
    const { parsed, setting } = result;
    const key = JSON.stringify([setting.text, setting.knobs]);
    if (key === this.key) return;
    this.key = key;
    if (!parsed) {
      this.summary.replaceChildren("laws: not before the rule can be read");
      this.body.replaceChildren();
      return;
    }
    const laws = attempt(() => tried(parsed.tree, result.trace?.knobs ?? {})) ?? [];
    const nearest = nearestRule(parsed.tree, this.library());
    const broken = laws.filter((law) => !law.kept).length;
    const near = !nearest ? "" : nearest.differences.length ? `  ·  nearest: ${nearest.rule.name}` : `  ·  this is ${nearest.rule.name}`;
    this.summary.replaceChildren(`laws: ${laws.length - broken} kept, ${broken} not${near}`);
    this.body.replaceChildren(...this.nearestParts(nearest, parsed.tree), this.laws(laws));
  }

  private nearestParts(nearest: Nearest | null, tree: Tree): Node[] {
    if (!nearest || !nearest.differences.length) return nearest?.rule.paper ? [element("p", { class: "mhat-quiet" }, nearest.rule.paper)] : [];
    const { differences, rule } = nearest;
    const lines = differences.slice(0, 6).map((each) => element("li", {}, ...prose(sentenceOf(each, tree))));
    return [
      element("p", {}, "From ", element("b", {}, rule.name), differences.length > 6 ? ` it differs in ${differences.length} lines:` : " it differs so:"),
      element("ul", {}, ...lines),
      button(`write it as ${rule.name}`, `replace this text by ${rule.name} of the library`, () => this.replaced(rule.text)),
    ];
  }

  private laws(laws: ReturnType<typeof tried>): HTMLElement {
    const rows = laws.map((law) =>
      element("li", { class: law.kept ? "mhat-kept" : "mhat-broken", title: law.intuition }, element("b", {}, `${law.kept ? "✓" : "✗"} ${law.name}`), law.kept ? "" : `: ${law.seen}`),
    );
    return element("div", {}, element("ul", { class: "mhat-laws" }, ...rows), element("p", { class: "mhat-quiet" }, "Tried here on a few runs of 40 steps; `mhat explain` proves or refutes them."));
  }
}

function attempt<T>(make: () => T): T | null {
  try {
    return make();
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}
