/** `name:value,key=value`, which names streams and landscapes; the same words as on the command line. */

import { nearest, Refusal } from "../language/refusal";

export interface Parameter {
  name: string;
  fallback: number | null;
  /** Whole numbers only, and no less than this. */
  whole?: number;
  /** Above zero. */
  positive?: true;
}

export type Arguments = Readonly<Record<string, number>>;

export interface Family<Made> {
  name: string;
  summary: string;
  parameters: readonly Parameter[];
  /** Any number of values, without names. */
  listed?: readonly number[];
  make: (given: Arguments, values: readonly number[]) => Made;
}

export interface Called<Made> {
  family: Family<Made>;
  given: Record<string, number>;
  values: number[];
}

const MOST_STEPS = 100_000;
const MOST_VALUES = 1000;

export function readNumber(text: string): number {
  const plain = text.trim().replace(/(?<=\d)_(?=\d)/g, "");
  const words: Record<string, number> = { inf: Infinity, "+inf": Infinity, "-inf": -Infinity, nan: NaN };
  const word = words[plain.toLowerCase()];
  if (word !== undefined) return word;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) throw new Refusal(`\`${text.trim()}\` is no number`, "Write a number: 10, 0.5, 1e-3.", null);
  return Number(plain);
}

export function checked(parameter: Parameter, value: number): number {
  const { name, whole, positive } = parameter;
  if (whole !== undefined && !(Number.isInteger(value) && value >= whole))
    throw new Refusal(`\`${name}\` is ${value}`, `Write a whole number, ${whole} or more.`, null);
  if (positive && !(value > 0 && Number.isFinite(value))) throw new Refusal(`\`${name}\` is ${value}`, "Write a finite number above 0.", null);
  return value;
}

const STEPS: Parameter = { name: "steps", fallback: 100, whole: 1 };

/** What a text calls; `what` says in messages what is looked for. */
export function called<Made>(spec: string, families: ReadonlyMap<string, Family<Made>>, what: string): Called<Made> {
  const colon = spec.indexOf(":");
  const name = (colon < 0 ? spec : spec.slice(0, colon)).trim();
  const family = families.get(name);
  if (!family) {
    const near = nearest(name, families.keys());
    throw new Refusal(`there is no ${what} \`${name}\``, near ? `Did you mean ${near}?` : `Choose one: ${[...families.keys()].join(", ")}.`, null);
  }
  const rest = colon < 0 ? "" : spec.slice(colon + 1);
  const given: Record<string, number> = {};
  const values: number[] = [];
  const known = what === "stream" ? [...family.parameters, STEPS] : family.parameters;
  for (const part of rest.trim() ? rest.split(",") : []) {
    const equals = part.indexOf("=");
    if (equals >= 0) {
      const key = part.slice(0, equals).trim();
      const parameter = known.find((each) => each.name === key);
      if (!parameter) throw new Refusal(`\`${name}\` has no argument \`${key}\``, `It has ${known.map((each) => each.name).join(", ") || "none"}.`, null);
      given[key] = checked(parameter, readNumber(part.slice(equals + 1)));
    } else if (family.listed) {
      values.push(readNumber(part));
      if (values.length > MOST_VALUES) throw new Refusal(`\`${name}\` has more than ${MOST_VALUES} values`, "Load them from a csv file.", null);
    } else {
      const parameter = family.parameters[Object.keys(given).length];
      if (!parameter) throw new Refusal(`\`${spec}\` gives \`${name}\` too many values`, `It takes ${family.parameters.map((each) => each.name).join(", ") || "none"}.`, null);
      given[parameter.name] = checked(parameter, readNumber(part));
    }
  }
  if (given.steps !== undefined && given.steps > MOST_STEPS)
    throw new Refusal(`${given.steps} steps are more than the page keeps`, `Ask for ${MOST_STEPS} at most.`, null);
  return { family, given, values };
}

/** All arguments, those not given as they are by themselves. */
export function filled<Made>({ family, given }: Called<Made>): Record<string, number> {
  const all: Record<string, number> = {};
  for (const { name, fallback } of family.parameters) all[name] = given[name] ?? fallback ?? NaN;
  if (given.steps !== undefined) all.steps = given.steps;
  return all;
}

/** The text that calls this again. */
export function written(name: string, given: Record<string, number>, values: readonly number[] = []): string {
  const parts = [...values.map(shortNumber), ...Object.entries(given).map(([key, value]) => `${key}=${shortNumber(value)}`)];
  return parts.length ? `${name}:${parts.join(",")}` : name;
}

export function shortNumber(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return String(value).replace("e+", "e");
}
