/** Gradients beforehand: by name, drawn, or from a file. */

import { Refusal } from "../language/refusal";
import { STREAMS, type Rows } from "./families";
import { called, filled } from "./spec";

export const USUAL_STEPS = 100;
const MOST_COORDINATES = 64;

/** The gradients that a text names, one row a coordinate; steps in the text lose against `steps`. */
export function named(spec: string, steps?: number): Rows {
  const call = called(spec, STREAMS, "stream");
  const given = filled(call);
  given.steps = steps ?? given.steps ?? USUAL_STEPS;
  const rows = call.family.make(given, call.values.length ? call.values : (call.family.listed ?? []));
  if (rows.length > MOST_COORDINATES) throw new Refusal(`${rows.length} coordinates are more than the page draws`, `Ask for ${MOST_COORDINATES} at most.`, null);
  return rows;
}

const MOST_BYTES = 8_000_000;

/** Columns of numbers, as a csv file holds them: a head or none, a column a coordinate, empty cells are NaN. */
export function fromCsv(text: string, name: string): Rows {
  if (text.length > MOST_BYTES) throw new Refusal(`\`${name}\` is larger than 8 MB`, "Load a part of it.", null);
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/).filter((line) => line.trim() !== "");
  const separator = [";", "\t", ","].find((each) => lines[0]?.includes(each)) ?? ",";
  const cells = lines.map((line) => line.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1")));
  const isHead = cells[0]?.some((cell) => cell !== "" && Number.isNaN(asNumber(cell, NaN)) && !/^nan$/i.test(cell)) ?? false;
  const head = isHead ? cells.shift()! : null;
  const width = Math.max(0, ...cells.map((line) => line.length));
  if (!cells.length || !width) throw new Refusal(`\`${name}\` has no numbers`, "Load a file with one column of numbers.", null);
  const chosen = columns(head, width);
  return chosen.map((column) =>
    Float64Array.from(cells, (line, i) => {
      const cell = line[column] ?? "";
      const value = asNumber(cell, undefined);
      if (value === undefined) throw new Refusal(`\`${name}\` has \`${cell}\` in line ${i + (head ? 2 : 1)}`, "Every cell has to be a number.", null);
      return value;
    }),
  );
}

/** A column called g (or grad...) alone where there is one; the step's number is no gradient. */
function columns(head: string[] | null, width: number): number[] {
  const all = Array.from({ length: Math.min(width, MOST_COORDINATES) }, (_, i) => i);
  if (!head) return all;
  const gradients = all.filter((i) => /^(g|g\d+|g\[.*\]|grad.*)$/i.test(head[i] ?? ""));
  return gradients.length ? gradients : all.filter((i) => !/^(step|t|iter.*|epoch)$/i.test(head[i] ?? ""));
}

function asNumber<T>(cell: string, otherwise: T): number | T {
  if (cell === "" || /^[+-]?nan$/i.test(cell)) return NaN;
  if (/^[+-]?inf(inity)?$/i.test(cell)) return cell.startsWith("-") ? -Infinity : Infinity;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(cell) ? Number(cell) : otherwise;
}
