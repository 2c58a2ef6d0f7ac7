/** The page: rules at one side, curves at the other, all of one setting. */

import { Colours, modeOf } from "./colours";
import { button, element, prose, replace } from "./elements";
import { LessonView } from "./lessonview";
import { Plots } from "./plots";
import { firstDifference, RuleCard } from "./rulecard";
import { run, type Result } from "./running";
import { settingOf, TRY, type Given, type Setting } from "./setting";
import { Sources } from "./sources";
import { dataOfLink, Store } from "./store";
import { Terrain } from "./terrain";
import { toolbar } from "./toolbar";

const MOST_RULES = 3;
const NEW_RULE = "def my_rule(x, g, *, lr=0.01):\n    return x - lr * g";
const PLAYED_MS = 4500;
const THINK_MS = 120;

export interface Shell {
  nonce: string | null;
  /** The page as one file, where the shell can give it. */
  page: ((setting: Setting) => string | Promise<string>) | null;
  /** Whether the address is the page's own to read and write. */
  address: boolean;
}

export class Page {
  readonly store: Store;
  result: Result;
  readonly timings: { parse: number; run: number; draw: number }[] = [];
  private cards: RuleCard[] = [];
  private readonly cardBox = element("div", { class: "mhat-cards" });
  private readonly sources: Sources;
  private readonly plots: Plots;
  private readonly terrain: Terrain;
  private readonly lesson: LessonView;
  private readonly bar: ReturnType<typeof toolbar>;
  private readonly stepSlider = element("input", { type: "range", min: 1, step: 1, "aria-label": "step", class: "mhat-step" });
  private readonly stepWords = element("output");
  private readonly coordinate = element("select", { "aria-label": "coordinate" });
  private readonly dtype = element("select", { "aria-label": "type of the numbers" });
  private readonly play: HTMLButtonElement;
  private readonly told = element("p", { class: "mhat-told", role: "status" });
  private readonly sentence = element("p", { class: "mhat-sentence" });
  private said = "";
  private colours: Colours;
  private asked = 0;
  private playing: number | null = null;
  private readonly observer: ResizeObserver;

  constructor(
    readonly root: HTMLElement,
    private readonly given: Given,
    private readonly shell: Shell,
  ) {
    const linked = shell.address ? dataOfLink(location.hash) : null;
    this.store = new Store(linked ? settingOf(linked, given.setting) : given.setting, given.setting);
    this.colours = new Colours(modeOf(root));
    this.result = run(this.store.setting);
    this.sources = new Sources(() => this.store.setting, (patch, label) => this.store.change(patch, label), () => this.store.settle());
    this.plots = new Plots((step) => this.look(step), () => this.playing !== null);
    this.terrain = new Terrain((start) => this.moved(start), () => this.store.settle());
    this.lesson = new LessonView(this.store, given.exercise);
    this.play = button("▶", "let it run", () => (this.playing === null ? this.begin() : this.halt()));
    this.bar = toolbar({
      store: this.store, result: () => this.result, colours: () => this.colours, canvases: () => this.plots.canvases(),
      theme: () => this.otherTheme(), page: shell.page && (() => shell.page!(this.store.setting)), say: (words) => (this.told.textContent = words),
    }); // prettier-ignore
    this.build();
    this.store.subscribe((now, before) => this.changed(now, before));
    this.observer = new ResizeObserver(() => this.ask());
    this.observer.observe(this.plots.element);
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint());
    this.draw();
    this.lesson.show(this.result);
    if (!linked && !given.verdict && !window.matchMedia("(prefers-reduced-motion: reduce)").matches) this.begin();
  }

  destroy(): void {
    this.halt();
    if (this.thinking) clearTimeout(this.thinking);
    this.observer.disconnect();
    this.plots.destroy();
    for (const card of this.cards) card.destroy();
    this.root.replaceChildren();
  }

  private build(): void {
    const { given } = this;
    this.root.classList.add("mhat");
    this.sentence.classList.toggle("mhat-found", given.verdict !== null);
    this.stepSlider.addEventListener("input", () => this.look(Number(this.stepSlider.value)));
    this.dtype.append(...["float64", "float32", "float16", "bfloat16"].map((name) => element("option", { value: name }, name)));
    this.dtype.addEventListener("change", () => {
      this.store.change({ dtype: this.dtype.value as Setting["dtype"] }, "dtype");
      this.store.settle();
    });
    this.coordinate.addEventListener("change", () => this.store.look({ coordinate: Number(this.coordinate.value) }));
    this.plots.element.addEventListener("keydown", (event) => this.key(event));
    this.root.addEventListener("keydown", (event) => this.undoKey(event));
    // Who begins to write or to drag is not to be interrupted.
    this.cardBox.addEventListener("focusin", () => this.playing !== null && this.halt());
    const add = button("+ another rule", "another rule beside these", () => this.added(), { class: "mhat-add" });
    this.showSentence();
    replace(
      this.root,
      element(
        "header",
        { class: "mhat-head" },
        element("h1", {}, "m̂", element("span", {}, " mhat lab")),
        this.sentence,
        this.bar.element,
      ),
      this.told,
      element(
        "main",
        { class: "mhat-main" },
        element("div", { class: "mhat-left" }, this.lesson.element, this.cardBox, given.exercise ? null : add),
        element(
          "div",
          { class: "mhat-right-side" },
          this.sources.element,
          element("div", { class: "mhat-steps-bar" }, this.play, this.stepSlider, this.stepWords, element("label", {}, "coordinate ", this.coordinate), element("label", {}, "numbers ", this.dtype)),
          this.terrain.element,
          this.plots.element,
        ),
      ),
    );
  }

  /** Redraws at the next frame; many changes between two frames are one. */
  private ask(): void {
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => {
      this.asked = 0;
      this.draw();
    });
  }

  private changed(now: Setting, before: Setting): void {
    const looked = now.step !== before.step || now.coordinate !== before.coordinate;
    const same = now.rules === before.rules && now.source === before.source && now.steps === before.steps && now.dtype === before.dtype && now.lesson === before.lesson;
    if (!same && this.playing !== null) this.halt();
    if (looked && same) this.result = { ...this.result, setting: now };
    else this.stale = true;
    this.ask();
  }

  private stale = false;
  private thinking: ReturnType<typeof setTimeout> | null = null;
  private thought: Result["rules"] | null = null;

  private draw(): void {
    if (this.stale) this.result = run(this.store.setting);
    this.stale = false;
    const begun = performance.now();
    const { result } = this;
    const { setting } = result;
    this.colours = new Colours(modeOf(this.root));
    this.root.dataset.mode = this.colours.mode;
    const steps = Math.max(1, ...result.rules.map((rule) => rule.trace?.steps ?? 1));
    const step = Math.min(setting.step, steps);
    this.showSentence();
    this.showCards(step);
    const rows = result.source?.kind === "stream" ? result.source.gradients : null;
    this.sources.show(setting, result.refusal, rows);
    this.terrain.show(result, this.colours, step);
    this.plots.show(result, this.colours, step);
    this.thinkLater();
    this.showStep(step, steps, rows?.length ?? result.hill?.start.length ?? 1);
    this.bar.update();
    // Plots draw themselves in tasks of their own, right after this one.
    queueMicrotask(() => this.timings.push({ ...result.spent, draw: performance.now() - begun }));
    if (this.timings.length > 2000) this.timings.splice(0, 1000);
  }

  /** Laws, the nearest rule and the lesson's answer take longer than a frame: they follow when a drag pauses. */
  private thinkLater(): void {
    if (this.thought === this.result.rules) return;
    if (this.thinking) clearTimeout(this.thinking);
    this.thinking = setTimeout(() => {
      this.thought = this.result.rules;
      this.cards.forEach((card, i) => card.think(this.result.rules[i]!));
      this.lesson.show(this.result);
    }, THINK_MS);
  }

  /** The sentence of the story goes with its lesson: beside another it would say what is not to be seen. */
  private showSentence(): void {
    const { given } = this;
    const words = given.verdict ?? (given.sentence && this.store.setting.lesson !== given.setting.lesson ? TRY : given.sentence) ?? "";
    if (words === this.said) return;
    this.said = words;
    replace(this.sentence, ...prose(words));
  }

  private showCards(step: number): void {
    const { rules, setting } = this.result;
    if (this.cards.length !== rules.length) {
      for (const card of this.cards) card.destroy();
      this.cards = rules.map((rule, i) => this.card(rule.setting.text, i));
      this.cardBox.replaceChildren(...this.cards.map((card) => card.element));
    }
    const differs = firstDifference(rules, step, setting.coordinate);
    this.cards.forEach((card, i) => card.show(rules[i]!, this.colours, step, setting.coordinate, differs));
  }

  private card(text: string, i: number): RuleCard {
    return new RuleCard(text, i, {
      typed: (typed) => this.patch(i, { text: typed }, `type${i}`),
      turned: (name, value) => this.patch(i, { knobs: { ...this.store.setting.rules[i]!.knobs, [name]: value } }, `${name}${i}`),
      settled: () => this.store.settle(),
      undo: () => this.store.undo(),
      redo: () => this.store.redo(),
      removed: this.result.rules.length > 1 ? () => this.removed(i) : null,
      library: () => (this.given.exercise ? [] : this.given.library),
      nonce: this.shell.nonce,
    });
  }

  private patch(i: number, part: Partial<Setting["rules"][number]>, label: string): void {
    this.store.change({ rules: this.store.setting.rules.map((rule, k) => (k === i ? { ...rule, ...part } : rule)) }, label);
  }

  private added(): void {
    if (this.store.setting.rules.length >= MOST_RULES) {
      this.told.textContent = `The page shows ${MOST_RULES} rules at once: take one away first.`;
      return;
    }
    this.store.change({ rules: [...this.store.setting.rules, { text: NEW_RULE, knobs: {} }] }, "add");
    this.store.settle();
  }

  private removed(i: number): void {
    this.store.change({ rules: this.store.setting.rules.filter((_, k) => k !== i) }, "remove");
    this.store.settle();
  }

  private moved(start: number[]): void {
    const { source } = this.store.setting;
    if (source.kind === "landscape") this.store.change({ source: { ...source, start } }, "start");
  }

  private showStep(step: number, steps: number, coordinates: number): void {
    this.stepSlider.max = String(steps);
    if (document.activeElement !== this.stepSlider || Number(this.stepSlider.value) !== step) this.stepSlider.value = String(step);
    this.stepWords.textContent = `step ${step} of ${steps}`;
    this.dtype.value = this.store.setting.dtype;
    if (this.coordinate.options.length !== coordinates)
      this.coordinate.replaceChildren(...Array.from({ length: coordinates }, (_, c) => element("option", { value: String(c) }, String(c))));
    this.coordinate.value = String(Math.min(this.store.setting.coordinate, coordinates - 1));
    this.coordinate.parentElement!.hidden = coordinates === 1;
    this.play.textContent = this.playing === null ? "▶" : "❚❚";
  }

  private look(step: number): void {
    if (this.playing !== null) this.halt();
    const steps = Number(this.stepSlider.max);
    const next = Math.min(Math.max(step, 1), steps);
    if (next !== this.store.setting.step) this.store.look({ step: next });
  }

  private key(event: KeyboardEvent): void {
    const { step } = this.store.setting;
    const to = { ArrowLeft: step - 1, ArrowRight: step + 1, Home: 1, End: Number(this.stepSlider.max), PageUp: step - 10, PageDown: step + 10 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.look(to);
  }

  private undoKey(event: KeyboardEvent): void {
    const inside = event.target instanceof Element && event.target.closest(".cm-editor, input[type=text]");
    if (inside || !(event.ctrlKey || event.metaKey)) return;
    if (event.key === "z" && !event.shiftKey) this.store.undo();
    else if (event.key === "y" || (event.key === "z" && event.shiftKey)) this.store.redo();
    else return;
    event.preventDefault();
  }

  /** The story moves by itself: the chosen step runs from the first to the last. */
  private begin(): void {
    const steps = Math.max(1, ...this.result.rules.map((rule) => rule.trace?.steps ?? 1));
    const begun = performance.now();
    const frame = (now: number): void => {
      const share = Math.min(1, (now - begun) / PLAYED_MS);
      const step = Math.max(1, Math.round(share * steps));
      if (step !== this.store.setting.step) this.store.look({ step });
      if (share >= 1) this.halt();
      else this.playing = requestAnimationFrame(frame);
    };
    this.playing = requestAnimationFrame(frame);
    this.store.look({ step: 1 });
  }

  private halt(): void {
    if (this.playing !== null) cancelAnimationFrame(this.playing);
    this.playing = null;
    this.ask();
  }

  private otherTheme(): void {
    this.root.dataset.theme = modeOf(this.root) === "dark" ? "light" : "dark";
    this.repaint();
  }

  private repaint(): void {
    this.ask();
  }
}
