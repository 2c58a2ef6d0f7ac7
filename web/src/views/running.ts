/** From a setting to traces: parsed once per text, run once per change. It draws nothing. */

import { trace, type Source, type Trace } from "../engine/tracing";
import { parse, type Parsed } from "../language/parsing";
import { Refusal } from "../language/refusal";
import { LANDSCAPES } from "../landscapes/families";
import { turned, type Landscape } from "../landscapes/landscape";
import { called, filled } from "../streams/spec";
import { named } from "../streams/stream";
import type { RuleSetting, Setting, SourceSetting } from "./setting";

export interface RuleResult {
  setting: RuleSetting;
  parsed: Parsed | null;
  trace: Trace | null;
  refusal: Refusal | null;
}

export interface Result {
  setting: Setting;
  source: Source | null;
  hill: Landscape | null;
  refusal: Refusal | null;
  rules: RuleResult[];
  /** Milliseconds, for the benchmark. */
  spent: { parse: number; run: number };
}

const parsedTexts = new Map<string, Parsed | Refusal>();
const MOST_KEPT = 500;

export function parsedOf(text: string): Parsed | Refusal {
  const known = parsedTexts.get(text);
  if (known) return known;
  const made = attempt(() => parse(text));
  if (parsedTexts.size >= MOST_KEPT) parsedTexts.clear();
  parsedTexts.set(text, made);
  return made;
}

export function hillOf(source: SourceSetting & { kind: "landscape" }): Landscape {
  const call = called(source.spec, LANDSCAPES, "landscape");
  return turned(call.family.make(filled(call), call.values), source.angle);
}

export function sourceOf(setting: Setting): { source: Source; hill: Landscape | null; start: number[] | number } {
  const { source, steps } = setting;
  if (source.kind === "landscape") {
    const hill = hillOf(source);
    const start = source.start && source.start.length === hill.start.length ? source.start : hill.start;
    return { source: { kind: "landscape", hill, steps }, hill, start };
  }
  const gradients = source.kind === "stream" ? named(source.spec, steps) : source.rows.map((row) => Float64Array.from(row.slice(0, steps)));
  return { source: { kind: "stream", gradients }, hill: null, start: 0 };
}

let cached: { key: SourceSetting; steps: number; made: ReturnType<typeof sourceOf> } | null = null;

export function run(setting: Setting): Result {
  const result: Result = { setting, source: null, hill: null, refusal: null, rules: [], spent: { parse: 0, run: 0 } };
  const begun = performance.now();
  const parsed = setting.rules.map((rule) => parsedOf(rule.text));
  const read = performance.now();
  let made: ReturnType<typeof sourceOf> | null = null;
  if (cached && cached.key === setting.source && cached.steps === setting.steps) made = cached.made;
  else {
    const tried = attempt(() => sourceOf(setting));
    if (tried instanceof Refusal) result.refusal = tried;
    else cached = { key: setting.source, steps: setting.steps, made: (made = tried) };
  }
  if (made) [result.source, result.hill] = [made.source, made.hill];
  result.rules = setting.rules.map((rule, i) => ranOnce(rule, parsed[i]!, made, setting));
  result.spent = { parse: read - begun, run: performance.now() - read };
  return result;
}

const ranBefore = new WeakMap<RuleSetting, { made: object | null; dtype: string; result: RuleResult }>();

/** A rule that nobody touched is not run again: a setting is never changed in place. */
function ranOnce(rule: RuleSetting, parsed: Parsed | Refusal, made: ReturnType<typeof sourceOf> | null, setting: Setting): RuleResult {
  const before = ranBefore.get(rule);
  if (before && before.made === made && before.dtype === setting.dtype) return before.result;
  const result = ran(rule, parsed, made, setting);
  ranBefore.set(rule, { made, dtype: setting.dtype, result });
  return result;
}

function ran(rule: RuleSetting, parsed: Parsed | Refusal, made: ReturnType<typeof sourceOf> | null, setting: Setting): RuleResult {
  if (parsed instanceof Refusal) return { setting: rule, parsed: null, trace: null, refusal: parsed };
  if (!made) return { setting: rule, parsed, trace: null, refusal: null };
  const names = new Set(parsed.tree.knobs.map((knob) => knob.name));
  const knobs = Object.fromEntries(Object.entries(rule.knobs).filter(([name]) => names.has(name)));
  const traced = attempt(() => trace(parsed.tree, { source: made.source, knobs, start: made.start, dtype: setting.dtype }));
  if (traced instanceof Refusal) return { setting: rule, parsed, trace: null, refusal: traced };
  return { setting: rule, parsed, trace: traced, refusal: null };
}

function attempt<T>(make: () => T): T | Refusal {
  try {
    return make();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}
