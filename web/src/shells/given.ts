/** What a shell hands to the page, read from data that may be anybody's. */

import { lessonOf } from "../views/lessonview";
import { settingOf, STORY, STORY_SENTENCE, TRY, type Given, type LibraryRule } from "../views/setting";
import { EXERCISES } from "../lessons/exercises";

export function givenOf(data: unknown): Given {
  const given = (typeof data === "object" && data !== null ? data : {}) as Record<string, unknown>;
  const own = given.setting !== undefined && given.setting !== null;
  const exercise = EXERCISES.find((each) => each.id === given.exercise) ?? null;
  const usual = own ? { ...STORY, lesson: null } : STORY;
  let setting = settingOf(given.setting, usual);
  if (exercise) setting = { ...STORY, rules: [{ text: exercise.begin, knobs: {} }], lesson: lessonOf(exercise.id) };
  return {
    setting,
    library: Array.isArray(given.library) ? given.library.filter(isRule) : [],
    sentence: exercise ? null : own ? TRY : STORY_SENTENCE,
    exercise: exercise?.id ?? null,
    verdict: typeof given.verdict === "string" ? given.verdict : null,
  };
}

function isRule(data: unknown): data is LibraryRule {
  const rule = data as Partial<LibraryRule> | null;
  return typeof rule?.name === "string" && typeof rule.text === "string";
}
