/** A slider for each knob of a rule, on the scale that suits it. */

import type { Knob } from "../language/tree";
import { shortest } from "../engine/arithmetic";
import { button, element } from "./elements";

/** A position from 0 to 1 for a value, and back. */
interface Scale {
  name: string;
  at: (value: number) => number;
  value: (at: number) => number;
}

const LEAST_REST = 1e-6;

/** Decay rates go by what is forgotten, 1 - beta; small numbers by their order of size; others evenly. */
export function scaleOf(knob: Pick<Knob, "name" | "default">): Scale {
  const usual = knob.default;
  if (isDecayRate(knob)) return beta;
  if (usual === 0) return even(0, 1);
  if (!Number.isFinite(usual)) return even(0, 10);
  const size = Math.abs(usual);
  if (size <= 0.2) return orders(size * 1e-4, Math.min(size * 1e4, Math.max(1, size * 100)), Math.sign(usual));
  if (Number.isInteger(usual) && size >= 2) return orders(Math.max(size / 100, 1), size * 10, Math.sign(usual), true);
  return usual > 0 ? even(0, Math.max(1, 2 * usual)) : even(2 * usual, 0);
}

function isDecayRate({ name, default: usual }: Pick<Knob, "name" | "default">): boolean {
  return usual >= 0.5 && usual < 1 && /^(beta|rho|momentum|decay|mu|gamma|alpha|nu)/.test(name);
}

/** 0 at the left, then 0.9, 0.99, 0.999 at even distances. */
const beta: Scale = {
  name: "1 - beta",
  at: (value) => Math.log(Math.min(Math.max(1 - value, LEAST_REST), 1)) / Math.log(LEAST_REST),
  value: (at) => {
    const rest = LEAST_REST ** at;
    return Number((1 - rest).toPrecision(Math.max(3, 3 - Math.floor(Math.log10(rest)))));
  },
};

function even(low: number, high: number): Scale {
  return { name: "linear", at: (value) => (value - low) / (high - low), value: (at) => Number((low + at * (high - low)).toPrecision(3)) };
}

function orders(low: number, high: number, sign: number, whole = false): Scale {
  const [from, to] = [Math.log(low), Math.log(high)];
  return {
    name: "log",
    at: (value) => (Math.log(Math.min(Math.max(Math.abs(value), low), high)) - from) / (to - from),
    value: (at) => {
      const value = sign * Math.exp(from + at * (to - from));
      return whole ? Math.round(value) : Number(value.toPrecision(3));
    },
  };
}

const NOTCHES = 1000;

export class KnobSliders {
  readonly element = element("div", { class: "mhat-knobs" });
  private rows: { knob: Knob; slider: HTMLInputElement; field: HTMLInputElement; scale: Scale }[] = [];
  private shape = "";

  constructor(
    private readonly label: string,
    private readonly turned: (name: string, value: number) => void,
    private readonly settled: () => void,
  ) {}

  show(knobs: readonly Knob[], values: Readonly<Record<string, number>>): void {
    const shape = JSON.stringify(knobs.map((knob) => [knob.name, String(knob.default)]));
    if (shape !== this.shape) this.build(knobs);
    this.shape = shape;
    for (const { knob, slider, field, scale } of this.rows) {
      const value = values[knob.name] ?? knob.default;
      const at = scale.at(value) * NOTCHES;
      if (document.activeElement !== slider || Math.abs(Number(slider.value) - at) > 1) slider.value = String(at);
      slider.setAttribute("aria-valuetext", `${knob.name} ${value}`);
      slider.title = `${knob.name} = ${value} (${scale.name} scale; double-click: ${knob.default})`;
      if (document.activeElement !== field) field.value = plain(value);
      slider.closest(".mhat-knob")!.classList.toggle("mhat-changed", value !== knob.default);
    }
  }

  private build(knobs: readonly Knob[]): void {
    this.rows = knobs.map((knob) => this.row(knob));
    this.element.replaceChildren(...this.rows.map((row) => row.slider.closest(".mhat-knob")!));
  }

  private row(knob: Knob): (typeof this.rows)[number] {
    const scale = scaleOf(knob);
    const slider = element("input", { type: "range", min: 0, max: NOTCHES, step: "any", "aria-label": `${knob.name} of ${this.label}`, "data-knob": knob.name });
    const field = element("input", { type: "text", inputmode: "decimal", class: "mhat-value", "aria-label": `value of ${knob.name} of ${this.label}` });
    const reset = (): void => {
      this.turned(knob.name, knob.default);
      this.settled();
    };
    slider.addEventListener("input", () => this.turned(knob.name, scale.value(Number(slider.value) / NOTCHES)));
    slider.addEventListener("change", () => this.settled());
    slider.addEventListener("dblclick", reset);
    field.addEventListener("change", () => {
      const value = Number(field.value);
      if (field.value.trim() !== "" && !Number.isNaN(value)) this.turned(knob.name, value);
      else field.value = plain(knob.default);
      this.settled();
    });
    element("div", { class: "mhat-knob" }, element("span", { class: "mhat-knob-name" }, knob.name), slider, field, button("↺", `back to ${plain(knob.default)}`, reset, { class: "mhat-small" }));
    return { knob, slider, field, scale };
  }
}

/** All digits where they are few: a decay rate of 0.99999 is not 1. */
function plain(value: number): string {
  const text = String(value);
  return text.length <= 9 ? text : shortest(value);
}
