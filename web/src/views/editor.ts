/** A rule to write in: each line in the colour of its curve, its numbers under it, a refusal where it stands. */

import { Compartment, EditorState, RangeSetBuilder, StateEffect, StateField, type Extension, type Range } from "@codemirror/state";
import { Decoration, EditorView, keymap, lineNumbers, WidgetType, type DecorationSet } from "@codemirror/view";
import type { Worked } from "../engine/arithmetic";
import { shortest } from "../engine/arithmetic";
import { tokens } from "../language/tokens";
import type { Refusal } from "../language/refusal";

export interface Annotation {
  /** By line of the text, from 1: its colour. */
  colours: Map<number, string>;
  worked: Worked[];
  /** Lines whose numbers are the first to differ from another rule's. */
  differs: Set<number>;
  refusal: Refusal | null;
  colourOf: (variable: string) => string;
}

const annotate = StateEffect.define<Annotation>();
const KEYWORDS = new Set(["def", "return", "if", "else", "and", "or", "not"]);
const MOST_SHOWN = 88;
/** As the style has it: known before it is measured, so that nothing jumps. */
const NUMBERS_HEIGHT = 17;

class Numbers extends WidgetType {
  constructor(
    private readonly text: string,
    private readonly colour: string,
    private readonly differs: boolean,
  ) {
    super();
  }

  override get estimatedHeight(): number {
    return NUMBERS_HEIGHT;
  }

  override eq(other: Numbers): boolean {
    return other.text === this.text && other.colour === this.colour && other.differs === this.differs;
  }

  override toDOM(): HTMLElement {
    const line = document.createElement("div");
    this.fill(line);
    return line;
  }

  /** The element is kept while a slider moves: only its words change. */
  override updateDOM(line: HTMLElement): boolean {
    this.fill(line);
    return true;
  }

  private fill(line: HTMLElement): void {
    line.className = this.differs ? "mhat-numbers mhat-differs" : "mhat-numbers";
    line.style.color = this.colour;
    // Where it is too long, the result stays in sight.
    const cut = this.text.lastIndexOf(" = ");
    const [put, result] = [document.createElement("span"), document.createElement("span")];
    [put.textContent, result.textContent] = [this.text.slice(0, cut), this.text.slice(cut)];
    line.replaceChildren(put, result);
    line.title = this.differs ? `${this.text} (the first line whose numbers differ)` : this.text;
  }
}

class Message extends WidgetType {
  constructor(private readonly text: string) {
    super();
  }

  override eq(other: Message): boolean {
    return other.text === this.text;
  }

  override toDOM(): HTMLElement {
    const line = document.createElement("div");
    line.className = "mhat-refusal";
    line.setAttribute("role", "alert");
    line.textContent = this.text;
    return line;
  }
}

function decorated(state: EditorState, annotation: Annotation): DecorationSet {
  const made: Range<Decoration>[] = [];
  const { doc } = state;
  const { refusal } = annotation;
  for (const [number, colour] of annotation.colours)
    if (number <= doc.lines) made.push(Decoration.line({ class: "mhat-line", attributes: { style: `--line: ${colour}` } }).range(doc.line(number).from));
  const shown = new Set<number>();
  for (const each of refusal ? [] : annotation.worked) {
    if (each.line === null || each.line > doc.lines || shown.has(each.line)) continue;
    shown.add(each.line);
    const text = `${each.target} = ${each.put} = ${shortest(each.value)}`;
    const cut = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}... = ${shortest(each.value)}` : text;
    const widget = new Numbers(cut, annotation.colourOf(each.target), annotation.differs.has(each.line));
    made.push(Decoration.widget({ widget, block: true, side: 1 }).range(doc.line(each.line).to));
  }
  if (refusal) {
    const line = doc.line(Math.min(Math.max(refusal.place?.line ?? 1, 1), doc.lines));
    const from = Math.min(line.from + (refusal.place ? refusal.place.column - 1 : 0), line.to);
    const to = Math.min(line.from + (refusal.place ? refusal.place.endColumn - 1 : 0), line.to);
    if (to > from) made.push(Decoration.mark({ class: "mhat-wrong" }).range(from, to));
    else made.push(Decoration.line({ class: "mhat-wrong-line" }).range(line.from));
    made.push(Decoration.widget({ widget: new Message(`line ${line.number}: ${refusal.what}. ${refusal.cure}`), block: true, side: 1 }).range(line.to));
  }
  return Decoration.set(made, true);
}

const annotations = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(value, transaction) {
    for (const effect of transaction.effects) if (effect.is(annotate)) return decorated(transaction.state, effect.value);
    return value.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** Words of the language in their colours, from the page's own tokens. */
function highlighted(state: EditorState): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  const { doc } = state;
  for (const token of tokens(doc.toString()).tokens) {
    const kind = token.kind === "name" && KEYWORDS.has(token.text) ? "keyword" : token.kind === "number" || token.kind === "text" ? token.kind : null;
    if (!kind || token.line > doc.lines || token.endLine > doc.lines) continue;
    const [from, to] = [doc.line(token.line).from + token.start, doc.line(token.endLine).from + token.end];
    if (to > from && to <= doc.length) builder.add(from, to, Decoration.mark({ class: `mhat-${kind}` }));
  }
  return builder.finish();
}

const highlighting = StateField.define<DecorationSet>({
  create: highlighted,
  update: (value, transaction) => (transaction.docChanged ? highlighted(transaction.state) : value),
  provide: (field) => EditorView.decorations.from(field),
});

export interface EditorActs {
  changed: (text: string) => void;
  /** The page's own undo: typed text is part of it. */
  undo: () => void;
  redo: () => void;
}

/** A new line with the blanks that the one before begins with; after a colon four more. */
function brokenLine(view: EditorView): boolean {
  const { state } = view;
  const line = state.doc.lineAt(state.selection.main.from);
  const before = line.text.slice(0, state.selection.main.from - line.from);
  const blanks = /^\s*/.exec(before)![0] + (before.trimEnd().endsWith(":") ? "    " : "");
  view.dispatch(state.replaceSelection(state.lineBreak + blanks), { scrollIntoView: true, userEvent: "input" });
  return true;
}

export class Editor {
  readonly element: HTMLElement;
  private readonly view: EditorView;
  private readonly looks = new Compartment();
  private quiet = false;
  private last = "";

  constructor(text: string, label: string, acts: EditorActs, nonce: string | null) {
    const extensions: Extension[] = [
      lineNumbers(),
      keymap.of([
        { key: "Enter", run: brokenLine },
        { key: "Mod-z", run: () => (acts.undo(), true), preventDefault: true },
        { key: "Mod-y", run: () => (acts.redo(), true), preventDefault: true },
        { key: "Mod-Shift-z", run: () => (acts.redo(), true), preventDefault: true },
      ]),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", autocapitalize: "off", autocorrect: "off" }),
      highlighting,
      annotations,
      this.looks.of([]),
      EditorView.updateListener.of((update) => {
        if (update.docChanged && !this.quiet) acts.changed(update.state.doc.toString());
      }),
    ];
    if (nonce) extensions.push(EditorView.cspNonce.of(nonce));
    this.view = new EditorView({ state: EditorState.create({ doc: text, extensions }) });
    this.element = this.view.dom;
  }

  get text(): string {
    return this.view.state.doc.toString();
  }

  /** Another text, from outside: an undo, a lesson, a picked rule. */
  set text(text: string) {
    if (text === this.text) return;
    this.quiet = true;
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text } });
    this.quiet = false;
  }

  annotate(annotation: Annotation): void {
    const key = annotationKey(annotation);
    if (key === this.last) return;
    this.last = key;
    this.view.dispatch({ effects: annotate.of(annotation) });
  }

  focus(): void {
    this.view.focus();
  }

  destroy(): void {
    this.view.destroy();
  }
}

function annotationKey({ colours, worked, differs, refusal }: Annotation): string {
  return JSON.stringify([[...colours], worked.map((each) => [each.line, each.put, shortest(each.value)]), [...differs], refusal?.message ?? null, refusal?.place ?? null]);
}
