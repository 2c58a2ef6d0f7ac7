/** Tours and exercises beside the page: their words, the question, what is said of the answer. */

import { exerciseJudged, EXERCISES, type Exercise } from "../lessons/exercises";
import type { Lesson } from "../lessons/lesson";
import { TOURS } from "../lessons/tours";
import { button, element, prose, replace } from "./elements";
import type { Result } from "./running";
import { STORY, type Setting } from "./setting";
import type { Store } from "./store";

const EXERCISE = "write:";

export class LessonView {
  readonly element = element("section", { class: "mhat-lesson", "aria-label": "Lesson" });
  private readonly pick = element("select", { "aria-label": "Lesson or exercise" });
  private readonly words = element("div", { class: "mhat-words" });
  private readonly verdict = element("p", { class: "mhat-verdict", role: "status", "aria-live": "polite" });
  private readonly hint = element("p", { class: "mhat-quiet", hidden: true });
  private begun: Setting | null = null;
  private shown: string | null | undefined;
  private readonly passed = new Set<string>();

  constructor(
    private readonly store: Store,
    private readonly only: string | null,
  ) {
    this.fillPick();
    this.pick.addEventListener("change", () => this.open(this.pick.value || null));
    const next = button("next", "the next lesson", () => this.next(), { class: "mhat-small" });
    const again = button("begin again", "the lesson from its beginning", () => this.open(this.store.setting.lesson), { class: "mhat-small" });
    const help = button("hint", "a hint", () => (this.hint.hidden = !this.hint.hidden), { class: "mhat-small" });
    this.element.append(element("div", { class: "mhat-bar" }, only ? null : element("label", {}, "lesson ", this.pick), again, only ? null : next, help), this.words, this.hint, this.verdict);
  }

  /** Opens a lesson: the page becomes what it begins with. */
  open(id: string | null): void {
    const [tour, exercise] = [tourOf(id), exerciseOf(id)];
    this.store.settle();
    if (tour) this.store.change({ ...STORY, ...tour.setting, coordinate: 0, lesson: id }, "lesson");
    else if (exercise) this.store.change({ ...STORY, rules: [{ text: exercise.begin, knobs: {} }], source: { kind: "stream", spec: "constant:10" }, lesson: id }, "lesson");
    else this.store.change({ lesson: null }, "lesson");
    this.begun = this.store.setting;
    this.store.settle();
  }

  show(result: Result): void {
    const { lesson: id } = result.setting;
    const [tour, exercise] = [tourOf(id), exerciseOf(id)];
    if (id !== this.shown) this.build(id, tour, exercise);
    this.begun ??= result.setting;
    const answer = tour ? tour.check(result, this.begun) : exercise ? this.judge(exercise, result) : null;
    this.verdict.className = answer ? `mhat-verdict ${answer.passed ? "mhat-right" : "mhat-not-yet"}` : "mhat-verdict";
    replace(this.verdict, ...(answer ? [answer.passed ? "✓ " : "", ...prose(answer.words)] : []));
    if (answer?.passed && id && !this.passed.has(id)) {
      this.passed.add(id);
      this.fillPick();
    }
  }

  private judge(exercise: Exercise, result: Result): { passed: boolean; words: string } | null {
    const judgement = exerciseJudged(exercise, result.setting.rules[0]!.text);
    if (!judgement) return null;
    const where = judgement.line !== null && !judgement.right && !judgement.sentence.startsWith("line ") ? ` (line ${judgement.line})` : "";
    return { passed: judgement.right, words: judgement.sentence + where };
  }

  private build(id: string | null, tour: Lesson | undefined, exercise: Exercise | undefined): void {
    this.shown = id;
    this.hint.hidden = true;
    this.hint.textContent = tour?.hint ?? "";
    this.pick.value = id ?? "";
    const paragraphs = (tour?.text ?? exercise?.text ?? []).map((text) => element("p", {}, ...prose(text)));
    const title = tour?.title ?? exercise?.title;
    replace(
      this.words,
      title ? element("h2", {}, title) : null,
      ...paragraphs,
      tour ? element("p", { class: "mhat-question" }, ...prose(tour.question)) : null,
    );
    if (exercise) replace(this.hint, ...prose("What was wrong is told with its line as you type; look at the numbers under each line."));
    else replace(this.hint, ...prose(tour?.hint ?? ""));
  }

  private next(): void {
    const ids = [...TOURS.map((tour) => tour.id), ...EXERCISES.map((exercise) => EXERCISE + exercise.id)];
    const at = ids.indexOf(this.store.setting.lesson ?? "");
    this.open(ids[(at + 1) % ids.length]!);
  }

  private fillPick(): void {
    const mark = (id: string): string => (this.passed.has(id) ? " ✓" : "");
    const value = this.store.setting.lesson ?? "";
    this.pick.replaceChildren(
      element("option", { value: "" }, "none: a free page"),
      element("optgroup", { label: "tours" }, ...TOURS.map(({ id, title }, i) => element("option", { value: id }, `${i + 1}. ${title}${mark(id)}`))),
      element("optgroup", { label: "exercises" }, ...EXERCISES.map(({ id, title }) => element("option", { value: EXERCISE + id }, title + mark(EXERCISE + id)))),
    );
    this.pick.value = value;
  }
}

function tourOf(id: string | null): Lesson | undefined {
  return TOURS.find((tour) => tour.id === id);
}

function exerciseOf(id: string | null): Exercise | undefined {
  return id?.startsWith(EXERCISE) ? EXERCISES.find((exercise) => exercise.id === id.slice(EXERCISE.length)) : undefined;
}

export function lessonOf(exercise: string): string {
  return EXERCISE + exercise;
}
