/** One rule: its editor with the numbers put in, its sliders, its laws. */

import { variables } from "../language/tree";
import { shortest, worked, type Worked } from "../engine/arithmetic";
import { button, element } from "./elements";
import { Editor } from "./editor";
import { Insight } from "./insight";
import { KnobSliders } from "./knobs";
import type { Colours } from "./colours";
import type { RuleResult } from "./running";
import type { LibraryRule } from "./setting";

export interface CardActions {
  typed: (text: string) => void;
  turned: (name: string, value: number) => void;
  settled: () => void;
  undo: () => void;
  redo: () => void;
  removed: (() => void) | null;
  library: () => readonly LibraryRule[];
  nonce: string | null;
}

export class RuleCard {
  readonly element = element("article", { class: "mhat-card" });
  private readonly name = element("b");
  private readonly pick = element("select", { "aria-label": "a rule of the library" });
  private readonly remove: HTMLButtonElement;
  private readonly editor: Editor;
  private readonly sliders: KnobSliders;
  private readonly insight: Insight;

  constructor(text: string, index: number, private readonly actions: CardActions) {
    const label = `rule ${index + 1}`;
    this.editor = new Editor(text, `text of ${label}`, { changed: actions.typed, undo: actions.undo, redo: actions.redo }, actions.nonce);
    this.sliders = new KnobSliders(label, actions.turned, actions.settled);
    this.insight = new Insight(actions.library, (whole) => {
      actions.typed(whole);
      actions.settled();
    });
    this.remove = button("×", `take away ${label}`, () => actions.removed?.(), { class: "mhat-small" });
    this.pick.addEventListener("change", () => {
      const rule = actions.library().find((each) => each.name === this.pick.value);
      this.pick.value = "";
      if (!rule) return;
      actions.settled();
      actions.typed(rule.text);
      actions.settled();
    });
    const dash = ["solid curves", "dashed curves", "dotted curves"][index];
    this.element.append(
      element("header", {}, this.name, element("span", { class: "mhat-quiet" }, ` ${dash} `), this.pick, this.remove),
      this.editor.element, this.sliders.element, this.insight.element,
    ); // prettier-ignore
  }

  show(result: RuleResult, colours: Colours, step: number, coordinate: number, differs: Set<string>): void {
    const { parsed, trace, refusal, setting } = result;
    this.editor.text = setting.text;
    this.fillPick();
    this.name.textContent = parsed?.tree.name ?? "no rule yet";
    this.remove.hidden = this.actions.removed === null;
    const lines = trace ? worked(trace, Math.min(step, trace.steps) - 1, Math.min(coordinate, trace.coordinates - 1)) : [];
    const lineColours = new Map<number, string>();
    if (parsed) {
      for (const name of variables(parsed.tree)) colours.of(name);
      for (const line of parsed.tree.body) if (line.place) lineColours.set(line.place.line, colours.of(line.targets[0]!));
      if (parsed.tree.resultPlace) lineColours.set(parsed.tree.resultPlace.line, colours.of("x"));
      this.sliders.show(parsed.tree.knobs, setting.knobs);
    }
    const first = lines.find((line) => line.line !== null && differs.has(line.target));
    const differing = new Set(first?.line ? [first.line] : []);
    this.editor.annotate({ colours: lineColours, worked: lines, differs: differing, refusal, colourOf: (name) => colours.of(name) });
  }

  /** What takes longer than a frame. */
  think(result: RuleResult): void {
    this.insight.show(result);
  }

  destroy(): void {
    this.editor.destroy();
  }

  private fillPick(): void {
    const library = this.actions.library();
    if (this.pick.options.length === library.length + 1) return;
    this.pick.hidden = library.length === 0;
    this.pick.replaceChildren(element("option", { value: "" }, "from the library ..."), ...library.map((rule) => element("option", { value: rule.name, title: rule.summary }, rule.name)));
  }
}

/** The first variable whose number differs between two rules at a step; nothing where none does. */
export function firstDifference(results: readonly RuleResult[], step: number, coordinate: number): Set<string> {
  const [one, other] = results.flatMap((result) => (result.trace ? [result.trace] : []));
  if (!one || !other) return new Set();
  const at = (trace: NonNullable<RuleResult["trace"]>): Worked[] => worked(trace, Math.min(step, trace.steps) - 1, Math.min(coordinate, trace.coordinates - 1));
  const theirs = new Map(at(other).map((line) => [line.target, line.value]));
  for (const { target, value } of at(one)) {
    const second = theirs.get(target);
    if (second !== undefined && shortest(second) !== shortest(value)) return new Set([target]);
  }
  return new Set();
}
