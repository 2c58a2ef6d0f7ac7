/** Where gradients come from: picked and its arguments edited, drawn by hand, or loaded from a file. */

import { Refusal } from "../language/refusal";
import { LANDSCAPES } from "../landscapes/families";
import { STREAMS } from "../streams/families";
import { called, filled, readNumber, shortNumber, written } from "../streams/spec";
import { fromCsv, named } from "../streams/stream";
import { button, element } from "./elements";
import type { Setting, SourceSetting } from "./setting";

const DRAWN = "values:drawn";
const LOADED = "values:loaded";

export class Sources {
  readonly element = element("section", { class: "mhat-source", "aria-label": "Where the gradients come from" });
  private readonly pick = element("select", { "aria-label": "Stream or landscape" });
  private readonly fields = element("span", { class: "mhat-arguments" });
  private readonly steps = element("input", { type: "number", min: 1, max: 100_000, "aria-label": "steps", class: "mhat-steps" });
  private readonly file = element("input", { type: "file", accept: ".csv,.txt,text/csv", hidden: true, "aria-label": "a csv file of gradients" });
  private readonly problem = element("p", { class: "mhat-refusal", role: "alert", hidden: true });
  private readonly pad: DrawingPad;
  private shape = "";

  constructor(
    private readonly now: () => Setting,
    private readonly changed: (patch: Partial<Setting>, label: string) => void,
    private readonly settled: () => void,
  ) {
    const streams = [...STREAMS.values()].map(({ name, summary }) => element("option", { value: `stream:${name}`, title: summary }, name));
    const hills = [...LANDSCAPES.values()].map(({ name, summary }) => element("option", { value: `landscape:${name}`, title: summary }, name));
    this.pick.append(
      element("optgroup", { label: "streams" }, ...streams),
      element("optgroup", { label: "your own" }, element("option", { value: DRAWN }, "drawn by hand"), element("option", { value: LOADED }, "a csv file ...")),
      element("optgroup", { label: "landscapes" }, ...hills),
    );
    this.pick.addEventListener("change", () => this.picked(this.pick.value));
    this.steps.addEventListener("change", () => this.changedSteps());
    this.file.addEventListener("change", () => void this.load());
    this.pad = new DrawingPad(
      (rows) => this.changed({ source: { kind: "values", label: "drawn", rows } }, "draw"),
      () => this.settled(),
    );
    this.element.append(
      element("label", { class: "mhat-pick" }, "gradients: ", this.pick), this.fields,
      element("label", {}, "steps ", this.steps),
      button("draw", "draw the gradients with the mouse or a finger", () => this.picked(DRAWN), { class: "mhat-small" }),
      button("load", "load gradients from a csv file", () => this.file.click(), { class: "mhat-small" }),
      this.file, this.problem, this.pad.element,
    ); // prettier-ignore
  }

  show(setting: Setting, refusal: Refusal | null, rows: ArrayLike<number>[] | null): void {
    const { source } = setting;
    const name = source.kind === "values" ? (source.label === "drawn" ? DRAWN : LOADED) : `${source.kind}:${source.spec.split(":")[0]!.trim()}`;
    if (this.pick.value !== name) this.pick.value = name;
    if (document.activeElement !== this.steps) this.steps.value = String(setting.steps);
    this.problem.hidden = refusal === null;
    this.problem.textContent = refusal ? `${refusal.what}. ${refusal.cure}` : "";
    const shape = source.kind === "values" ? name : name + (source.kind === "landscape" ? source.angle : "") + source.spec;
    if (shape !== this.shape && !this.fields.contains(document.activeElement)) this.build(source);
    this.shape = shape;
    this.pad.element.hidden = !(source.kind === "values" && source.label === "drawn");
    if (!this.pad.element.hidden && rows) this.pad.show(rows[setting.coordinate] ?? rows[0]!, setting.steps);
  }

  private build(source: SourceSetting): void {
    if (source.kind === "values") {
      this.fields.replaceChildren(element("span", { class: "mhat-quiet" }, source.label === "drawn" ? "draw in the field below" : source.label));
      return;
    }
    const fields = this.argumentFields(source);
    if (source.kind === "landscape") {
      const turn = element("input", { type: "range", min: 0, max: 90, step: 1, value: String(source.angle), "aria-label": "turn the hill, degrees", "data-knob": "turn" });
      turn.addEventListener("input", () => {
        const { source: current } = this.now();
        if (current.kind === "landscape") this.changed({ source: { ...current, angle: Number(turn.value) } }, "turn");
      });
      turn.addEventListener("change", () => this.settled());
      fields.push(element("label", { class: "mhat-turn" }, "turned ", turn));
    }
    this.fields.replaceChildren(...fields);
  }

  private argumentFields(source: Exclude<SourceSetting, { kind: "values" }>): HTMLElement[] {
    const families = source.kind === "stream" ? STREAMS : LANDSCAPES;
    let call;
    try {
      call = called<unknown>(source.spec, families, source.kind);
    } catch {
      return [];
    }
    const { family } = call;
    if (family.listed) {
      const values = call.values.length ? call.values : family.listed;
      const field = element("input", { type: "text", value: values.map(shortNumber).join(", "), "aria-label": `values of ${family.name}` });
      field.addEventListener("change", () => this.written(`${family.name}:${field.value}`, source));
      return [field];
    }
    const all = filled(call);
    return family.parameters
      .filter((parameter) => parameter.name !== "seed" || family.parameters.length < 5)
      .map((parameter) => {
        const value = all[parameter.name]!;
        const field = element("input", { type: "text", inputmode: "decimal", class: "mhat-argument", value: Number.isNaN(value) && parameter.fallback === null ? "" : shortNumber(value), "aria-label": `${parameter.name} of ${family.name}` });
        field.addEventListener("change", () => {
          const given = { ...call.given };
          if (field.value.trim() === "") delete given[parameter.name];
          else
            try {
              given[parameter.name] = readNumber(field.value);
            } catch (error) {
              this.say(error);
              return;
            }
          this.written(written(family.name, given), source);
        });
        return element("label", {}, `${parameter.name} `, field);
      });
  }

  private written(spec: string, source: Exclude<SourceSetting, { kind: "values" }>): void {
    this.changed({ source: { ...source, spec } }, "arguments");
    this.settled();
  }

  private picked(value: string): void {
    this.settled();
    if (value === LOADED) this.file.click();
    else if (value === DRAWN) this.changed({ source: { kind: "values", label: "drawn", rows: [this.asDrawn()] } }, "source");
    else {
      const [kind, name] = value.split(":") as ["stream" | "landscape", string];
      this.changed({ source: kind === "stream" ? { kind, spec: name } : { kind, spec: name, angle: 0, start: null } }, "source");
    }
    this.settled();
  }

  /** Drawing goes on from what is there. */
  private asDrawn(): number[] {
    const { source, steps } = this.now();
    if (source.kind === "values") return source.rows[0]!;
    if (source.kind === "landscape") return Array(steps).fill(1);
    try {
      return Array.from(named(source.spec, steps)[0]!);
    } catch {
      return Array(steps).fill(1);
    }
  }

  private changedSteps(): void {
    const steps = Math.round(Number(this.steps.value));
    if (!(steps >= 1 && steps <= 100_000)) {
      this.say(new Refusal(`${this.steps.value || "nothing"} steps`, "Write a whole number from 1 to 100000.", null));
      return;
    }
    const { source } = this.now();
    const drawn = source.kind === "values" && source.label === "drawn" ? { source: { ...source, rows: source.rows.map((row) => lengthened(row, steps)) } } : {};
    this.changed({ steps, step: Math.min(this.now().step, steps), ...drawn }, "steps");
    this.settled();
  }

  private async load(): Promise<void> {
    const chosen = this.file.files?.[0];
    if (!chosen) return;
    try {
      const rows = fromCsv(await chosen.text(), chosen.name).map((row) => Array.from(row));
      const steps = rows[0]!.length;
      this.changed({ source: { kind: "values", label: chosen.name, rows }, steps, step: Math.min(this.now().step, steps) }, "load");
      this.settled();
    } catch (error) {
      this.say(error);
    }
    this.file.value = "";
  }

  private say(error: unknown): void {
    if (!(error instanceof Refusal)) throw error;
    this.problem.hidden = false;
    this.problem.textContent = `${error.what}. ${error.cure}`;
  }
}

function lengthened(row: number[], steps: number): number[] {
  return Array.from({ length: steps }, (_, i) => row[i] ?? row.at(-1) ?? 0);
}

/** A field to draw gradients in, with the mouse, a finger or the arrow keys. */
class DrawingPad {
  private readonly canvas = element("canvas", { class: "mhat-pad", tabindex: 0, "aria-label": "Draw the gradients here; left and right choose a step, up and down change its gradient" });
  readonly element = element("div", { class: "mhat-drawing" }, this.canvas);
  private values: number[] = [];
  private last: { i: number; value: number } | null = null;
  private chosen = 0;
  private range = 2;

  constructor(
    private readonly drawn: (rows: number[][]) => void,
    private readonly settled: () => void,
  ) {
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.last = null;
      this.draw(event);
    });
    this.canvas.addEventListener("pointermove", (event) => event.buttons && this.draw(event));
    this.canvas.addEventListener("pointerup", () => this.settled());
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  show(values: ArrayLike<number>, steps: number): void {
    this.values = lengthened(Array.from(values), steps);
    const largest = this.values.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
    if (largest > this.range || largest < this.range / 20) this.range = Math.max(largest * 1.4, 1e-3);
    const scale = window.devicePixelRatio || 1;
    const [width, height] = [this.element.clientWidth || 600, 110];
    if (this.canvas.width !== Math.round(width * scale)) {
      [this.canvas.width, this.canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
      this.canvas.style.height = `${height}px`;
    }
    this.paint(scale);
  }

  private paint(scale: number): void {
    const context = this.canvas.getContext("2d")!;
    const { width, height } = this.canvas;
    const style = getComputedStyle(this.canvas);
    context.clearRect(0, 0, width, height);
    context.strokeStyle = style.getPropertyValue("--grid");
    context.strokeRect(0, height / 2, width, 0);
    context.strokeStyle = style.color;
    context.lineWidth = 2 * scale;
    context.beginPath();
    this.values.forEach((value, i) => context.lineTo(((i + 0.5) / this.values.length) * width, height / 2 - (value / this.range) * (height / 2)));
    context.stroke();
    if (document.activeElement === this.canvas) context.fillRect(((this.chosen + 0.5) / this.values.length) * width - scale, 0, 2 * scale, height);
    context.fillStyle = style.color;
    context.font = `${11 * scale}px system-ui, sans-serif`;
    context.fillText(String(Number(this.range.toPrecision(3))), 4 * scale, 12 * scale);
    context.fillText(String(-Number(this.range.toPrecision(3))), 4 * scale, height - 4 * scale);
  }

  private draw(event: PointerEvent): void {
    const box = this.canvas.getBoundingClientRect();
    const i = Math.min(Math.max(Math.floor(((event.clientX - box.left) / box.width) * this.values.length), 0), this.values.length - 1);
    const value = Number(((0.5 - (event.clientY - box.top) / box.height) * 2 * this.range).toPrecision(3));
    const from = this.last ?? { i, value };
    const values = [...this.values];
    const distance = Math.max(1, Math.abs(i - from.i));
    for (let k = 0; k <= distance; k++) {
      const share = k / distance;
      values[Math.round(from.i + (i - from.i) * share)] = from.value + (value - from.value) * share;
    }
    this.last = { i, value };
    this.drawn([values]);
  }

  private key(event: KeyboardEvent): void {
    const along = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const up = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (along === undefined && up === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (along !== undefined) {
      this.chosen = Math.min(Math.max(this.chosen + along, 0), this.values.length - 1);
      this.paint(window.devicePixelRatio || 1);
      return;
    }
    const values = [...this.values];
    values[this.chosen] = Number((values[this.chosen]! + up! * this.range * 0.05).toPrecision(3));
    this.drawn([values]);
  }
}
