/** What the page shows, as data: all that a permalink, an undo and an export need. It knows no element. */

import type { Dtype } from "../engine/dtypes";

export interface RuleSetting {
  text: string;
  knobs: Record<string, number>;
}

export type SourceSetting =
  | { kind: "stream"; spec: string }
  | { kind: "values"; label: string; rows: number[][] }
  | { kind: "landscape"; spec: string; angle: number; start: number[] | null };

export interface Setting {
  rules: RuleSetting[];
  source: SourceSetting;
  steps: number;
  dtype: Dtype;
  /** The step that is looked at, from 1. */
  step: number;
  coordinate: number;
  lesson: string | null;
}

/** A rule that a shell brings with it: its name, its lines, what it is for and where it comes from. */
export interface LibraryRule {
  name: string;
  text: string;
  summary: string;
  paper: string;
}

export interface Given {
  setting: Setting;
  library: LibraryRule[];
  /** What stands above the page: a sentence that says what to try. */
  sentence: string | null;
  /** A page that holds one exercise and nothing else. */
  exercise: string | null;
  /** What a check by Python found: the sentence, for a subject beside its rule. */
  verdict: string | null;
}

const MOST_RULES = 3;
const MOST_TEXT = 20_000;
const DTYPES: readonly string[] = ["float64", "float32", "float16", "bfloat16"];

/** Data that somebody else may have written, made a setting; what cannot be is left as it is in `usual`. */
export function settingOf(data: unknown, usual: Setting): Setting {
  if (!isRecord(data)) return usual;
  const given = data;
  const rules = Array.isArray(given.rules) ? given.rules.map(ruleOf).filter((each) => each !== null).slice(0, MOST_RULES) : [];
  return {
    rules: rules.length ? rules : usual.rules,
    source: sourceOf(given.source) ?? usual.source,
    steps: within(given.steps, 1, 100_000, usual.steps),
    dtype: (DTYPES.includes(given.dtype as string) ? given.dtype : usual.dtype) as Dtype,
    step: within(given.step, 1, 100_000, usual.step),
    coordinate: within(given.coordinate, 0, 63, 0),
    lesson: typeof given.lesson === "string" ? given.lesson : null,
  };
}

function ruleOf(data: unknown): RuleSetting | null {
  if (!isRecord(data) || typeof data.text !== "string" || data.text.length > MOST_TEXT) return null;
  const knobs: Record<string, number> = {};
  for (const [name, value] of Object.entries(isRecord(data.knobs) ? data.knobs : {})) {
    const number = numberOf(value);
    if (number !== null && /^[A-Za-z_]\w*$/.test(name)) knobs[name] = number;
  }
  return { text: data.text, knobs };
}

function sourceOf(data: unknown): SourceSetting | null {
  if (!isRecord(data)) return null;
  if (data.kind === "stream" && typeof data.spec === "string") return { kind: "stream", spec: data.spec.slice(0, 500) };
  if (data.kind === "values" && Array.isArray(data.rows)) {
    const rows = data.rows.filter(Array.isArray).slice(0, 64).map((row) => row.slice(0, 100_000).map((value: unknown) => numberOf(value) ?? NaN));
    return rows.length ? { kind: "values", label: String(data.label ?? "drawn").slice(0, 80), rows } : null;
  }
  if (data.kind === "landscape" && typeof data.spec === "string") {
    const start = Array.isArray(data.start) ? data.start.slice(0, 64).map((value: unknown) => numberOf(value) ?? 0) : null;
    return { kind: "landscape", spec: data.spec.slice(0, 500), angle: numberOf(data.angle) ?? 0, start };
  }
  return null;
}

/** JSON has no nan and no inf: they travel as words. */
function numberOf(value: unknown): number | null {
  if (typeof value === "number") return value;
  return value === "nan" ? NaN : value === "inf" ? Infinity : value === "-inf" ? -Infinity : null;
}

function within(value: unknown, least: number, most: number, usual: number): number {
  return typeof value === "number" && Number.isFinite(value) ? Math.min(Math.max(Math.round(value), least), most) : usual;
}

function isRecord(data: unknown): data is Record<string, unknown> {
  return typeof data === "object" && data !== null && !Array.isArray(data);
}

export function settingText(setting: Setting): string {
  return JSON.stringify(setting, (_, value) =>
    typeof value === "number" && !Number.isFinite(value) ? (Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf") : value,
  );
}

const STORY_RIGHT = `def adam(x, g, t, m=0, v=0, *, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * ratio`;

const STORY_WRONG = `def wrong_adam(x, g, t, m=0, v=0, *, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m = m / (1 - beta1**t)
    v = v / (1 - beta2**t)
    ratio = m / (sqrt(v) + eps)
    return x - lr * ratio`;

export const STORY: Setting = {
  rules: [
    { text: STORY_RIGHT, knobs: {} },
    { text: STORY_WRONG, knobs: {} },
  ],
  source: { kind: "stream", spec: "constant:10" },
  steps: 60,
  dtype: "float64",
  step: 60,
  coordinate: 0,
  lesson: "story",
};

export const STORY_SENTENCE =
  "Both get the gradient 10 at every step. The right one moves by lr each time; the other stops. Drag beta1 and beta2, and watch which line answers.";

export const TRY = "Drag a slider, or type into a rule: the curves follow. Point at a curve, and every line shows its numbers.";
