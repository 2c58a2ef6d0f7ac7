/** From text to tree: `mhat.language.parsing` in the browser, with its words. It executes nothing. */

import { ExpressionParser, TOO_DEEP } from "./expressions";
import { valueOf } from "./values";
import { checkNumbers } from "./limits";
import { PythonError, type PyArgument, type PyExpression, type PyStatement, type Span } from "./nodes";
import { ALSO_NAMES, OPERATIONS, RESERVED } from "./operations";
import { parseExpression, parsePython } from "./python";
import { Refusal } from "./refusal";
import { SourceText } from "./source";
import { GIVEN, INPUTS, namesIn, subexpressions, type Assignment, type Expression, type Knob, type Tree } from "./tree";

const STEP = "A rule is one update step; mhat runs the steps. Write each line of it as an assignment.";
const STATE = "What is carried from step to step is state: a positional argument with a default, `m=0`.";
const CURES: Record<string, string> = {
  for: STEP,
  while: STEP,
  if: "Choose a value with `a if condition else b` or `where(condition, a, b)`.",
  import: "Import outside of the rule; only the functions of mhat.ops can be called in it.",
  def: "Write the inner function's lines into the rule itself.",
  value: "Give the value a name, `name = ...`, or delete the line.",
  global: STATE,
  nonlocal: STATE,
  assert: "Delete the line; look at the variable in a trace instead.",
  raise: "Delete the line; a rule gives NaN where a value cannot be.",
  try: "Delete it; in a rule nothing raises, a division by zero gives an infinity or NaN.",
  with: "Delete the line.",
  pass: "Delete the line.",
  del: "Delete the line.",
};

type Function_ = PyStatement & { kind: "function" };

export interface Parsed {
  tree: Tree;
  doc: string;
  paper: string;
}

/** Parses the one function of a text; throws Refusal. */
export function parse(text: string): Parsed {
  return new RuleParser(new SourceText(text)).parsed();
}

class RuleParser {
  private readonly expressions: ExpressionParser;
  private readonly readable = new Map<string, string>();
  private called = new Set<string>();

  constructor(private readonly source: SourceText) {
    this.expressions = new ExpressionParser(source);
  }

  private refuse(node: Span, what: string, cure: string): never {
    throw new Refusal(what, cure, this.source.place(node));
  }

  parsed(): Parsed {
    const fn = this.function();
    this.called = new Set(callsIn(fn));
    const { inputs, states, knobs } = this.signature(fn);
    const doc = docstring(fn);
    const { body, result } = this.lines(fn, doc === null ? fn.body : fn.body.slice(1));
    const resultPlace = this.source.place(fn.body.at(-1)!);
    const tree: Tree = { name: fn.name, inputs, states, knobs, body, result, resultPlace, flatten: this.flatten(fn) };
    checkNumbers(tree);
    return { tree, doc: doc ?? "", paper: told(fn, "paper") ?? "" };
  }

  private function(): Function_ {
    let module: PyStatement[];
    this.characters();
    try {
      module = parsePython(this.source.text);
    } catch (error) {
      if (!(error instanceof PythonError)) throw error;
      const span = { line: error.line, start: error.start, endLine: error.line, end: error.start + 1 };
      this.refuse(span, `this is not Python: ${error.message}`, "Mend the line; a rule is a Python function.");
    }
    const functions = module.filter((node): node is Function_ => node.kind === "function");
    const others = module.filter((node) => node.kind !== "function" && node.kind !== "import");
    const first = module[0];
    const documented = first?.kind === "value" && isText(first.value) && others[0] === first;
    const stray = others[documented ? 1 : 0];
    if (stray)
      this.refuse(
        stray,
        `a rule is one function, and this is ${this.kind(stray)}`,
        "Write `def name(x, g, t, ...):` with one assignment a line and a `return` at the end.",
      );
    const [only, second] = functions;
    if (!only) throw new Refusal("there is no function in this text", "Write the rule as `def name(x, g, t, ...):`.", null);
    if (second) this.refuse(second, "a second function begins here", "Give each rule as a text of its own.");
    return only;
  }

  private characters(): void {
    const found = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.exec(this.source.text);
    if (!found) return;
    const before = this.source.text.slice(0, found.index).split("\n");
    const start = before.at(-1)!.length;
    const code = found[0].charCodeAt(0).toString(16).padStart(found[0] === "\0" ? 2 : 4, "0");
    this.refuse(
      { line: before.length, start, endLine: before.length, end: start + 1 },
      `this is not Python: no source may hold the character '\\${found[0] === "\0" ? "x" : "u"}${code}'`,
      "Delete the character; a rule is a Python function.",
    );
  }

  private flatten(fn: Function_): string | null {
    for (const decorator of fn.decorators) {
      const keyword = decorator.kind === "call" ? decorator.keywords.find((each) => each.name === "flatten") : undefined;
      if (!keyword || keyword.value.kind !== "constant") continue;
      const { literal } = keyword.value;
      if (literal.type === "other" && literal.written === "None") return null;
      if (literal.type === "text" && (literal.value === "first" || literal.value === "last")) return literal.value;
      const value = this.source.written(keyword.value).replaceAll('"', "'");
      this.refuse(
        keyword,
        `\`flatten=${value}\` is not known`,
        'Write flatten="first" (all axes but the first together), or flatten="last" (all axes but the last together).',
      );
    }
    return null;
  }

  private signature(fn: Function_): Pick<Tree, "inputs" | "states" | "knobs"> {
    const { positional, keywordOnly, star, stars } = fn.parameters;
    for (const [mark, argument] of [["*", star], ["**", stars]] as const)
      if (argument)
        this.refuse(argument, `\`${mark}${argument.name}\` is not in the rule language`, "Name every state and every knob.");
    const plain = positional.filter((argument) => !argument.fallback).length;
    this.nameArguments(positional, plain, keywordOnly);
    const inputs: string[] = [];
    for (const argument of positional.slice(0, plain)) {
      if (!INPUTS.includes(argument.name))
        this.refuse(
          argument,
          `\`${argument.name}\` is no input (inputs are ${INPUTS.join(", ")}) and has no start value`,
          `Write \`${argument.name}=0\` if it is state, or put it after \`*\` with a default if it is a knob.`,
        );
      inputs.push(argument.name);
    }
    const allowed = new Map([...this.readable].filter(([, kind]) => kind === "knob"));
    allowed.set("x", "input").set("g", "input");
    const states = positional.slice(plain).map((argument) => ({ name: argument.name, start: this.start(argument, allowed) }));
    const knobs: Knob[] = [];
    for (const argument of keywordOnly) knobs.push(this.knob(argument, new Map(knobs.map((knob) => [knob.name, knob.default]))));
    return { inputs, states, knobs };
  }

  private nameArguments(positional: PyArgument[], plain: number, knobs: PyArgument[]): void {
    [...positional, ...knobs].forEach((argument, i) => {
      const kind = i < plain ? "input" : i < positional.length ? "state" : "knob";
      if (kind !== "input" && INPUTS.includes(argument.name) && !GIVEN.includes(argument.name))
        this.refuse(
          argument,
          `\`${argument.name}\` is an input and takes no default`,
          `Write \`${argument.name}\` alone, before the states, or choose another name.`,
        );
      this.free(argument, argument.name, kind);
      if (this.readable.has(argument.name))
        this.refuse(argument, `\`${argument.name}\` is in the signature twice`, "Keep one of the two.");
      this.readable.set(argument.name, kind);
    });
  }

  private start(argument: PyArgument, allowed: Map<string, string>): Expression {
    const where = `the start of \`${argument.name}\``;
    const node = argument.fallback!;
    if (!isText(node)) return this.expressions.parse(node, new Map(), where);
    return this.text(node, allowed, where, 'knobs, x and the first g, such as "g**2"');
  }

  private text(node: PyExpression, allowed: Map<string, string>, where: string, over: string): Expression {
    const place = this.source.place(node);
    const written = node.kind === "constant" && node.literal.type === "text" ? node.literal.value.trim() : "";
    let inner: PyExpression;
    try {
      inner = parseExpression(written);
    } catch (error) {
      if (!(error instanceof PythonError)) throw error;
      throw new Refusal(
        `${where} is not an expression: ${error.message}`, `Write a number, or an expression over ${over}.`, place,
      ); // prettier-ignore
    }
    return new ExpressionParser(new SourceText(written), place).parse(inner, allowed, where);
  }

  private knob(argument: PyArgument, earlier: Map<string, number>): Knob {
    const node = argument.fallback;
    if (!node)
      this.refuse(argument, `the knob \`${argument.name}\` has no default`, `Write \`${argument.name}=...\` with a number.`);
    const where = `the default of \`${argument.name}\``;
    if (!isText(node)) {
      const value = this.expressions.parse(node, new Map(), where);
      this.noTensor(value, node);
      return { name: argument.name, default: valueOf(value, new Map()), expression: null };
    }
    const allowed = new Map([...earlier.keys()].map((name) => [name, "knob"]));
    const value = this.text(node, allowed, where, 'earlier knobs, such as "sqrt(beta2)"');
    this.noTensor(value, node);
    return { name: argument.name, default: valueOf(value, earlier), expression: namesIn(value).size ? value : null };
  }

  private noTensor(value: Expression, node: Span): void {
    for (const part of subexpressions(value)) {
      if (part.kind !== "operation") continue;
      const { kind } = OPERATIONS.get(part.op)!;
      if (kind === "reduction" || kind === "matrix")
        this.refuse(node, `\`${part.op}\` works on a tensor, and this is a number`, "Write the number.");
    }
  }

  private lines(fn: Function_, statements: PyStatement[]): { body: Assignment[]; result: Expression } {
    this.expressions.later = new Set(statements.flatMap(targetsOf));
    const last = statements.at(-1);
    if (last?.kind !== "return")
      this.refuse(
        last ?? fn, `\`${fn.name}\` does not end with a return`, "End it with the new parameter: `return x - lr * ...`.",
      ); // prettier-ignore
    const body: Assignment[] = [];
    for (const statement of statements.slice(0, -1)) {
      if (statement.kind === "return")
        this.refuse(statement, "a return before the last line", "A rule has one return, its last line.");
      const line = this.assignment(statement);
      body.push(line);
      for (const target of line.targets) if (!this.readable.has(target)) this.readable.set(target, "variable");
    }
    return { body, result: this.result(last) };
  }

  private result(statement: PyStatement & { kind: "return" }): Expression {
    const { value } = statement;
    if (!value) this.refuse(statement, "the return gives nothing", "Return the new parameter.");
    if (value.kind === "tuple")
      this.refuse(
        value,
        "a rule returns the new parameter alone",
        "Write `return x - ...`; state is carried on by its name and need not be returned.",
      );
    return this.expressions.parse(value, this.readable, "the return");
  }

  private assignment(statement: PyStatement): Assignment {
    const place = this.source.place(statement);
    if (statement.kind === "augment") {
      const name = this.target(statement.target);
      const left: PyExpression = { ...span(statement.target), kind: "name", id: name };
      const value: PyExpression = { ...span(statement), kind: "binary", op: statement.op, left, right: statement.value };
      return { targets: [name], value: this.value(value), place };
    }
    if (statement.kind === "annotate") {
      if (!statement.value) {
        const name = this.source.written(statement.target);
        this.refuse(statement, `\`${name}\` gets no value`, `Write \`${name} = ...\`, or delete the line.`);
      }
      return { targets: [this.target(statement.target)], value: this.value(statement.value), place };
    }
    if (statement.kind !== "assign") {
      const word = statement.kind === "function" ? "def" : statement.kind === "foreign" ? statement.word : statement.kind;
      const cure = CURES[word] ?? "A rule is assignments, one a line, and one final return.";
      this.refuse(statement, `${this.kind(statement)} is not in the rule language`, cure);
    }
    if (statement.targets.length > 1)
      this.refuse(statement, "two assignments on one line", "Write one assignment a line.");
    const target = statement.targets[0]!;
    if (target.kind === "tuple") return this.several(statement, target);
    return { targets: [this.target(target)], value: this.value(statement.value), place };
  }

  private value(node: PyExpression): Expression {
    return this.expressions.parse(node, this.readable, "the line");
  }

  private several(statement: PyStatement & { kind: "assign" }, target: PyExpression & { kind: "tuple" }): Assignment {
    const value = this.expressions.parse(statement.value, this.readable, "the line", target.items.length);
    if (value.kind !== "operation" || OPERATIONS.get(value.op)!.results !== target.items.length)
      this.refuse(
        statement,
        "several names are assigned at once",
        "Only `values, vectors = eigh(a)` and `q, r = qr(a)` give two; write one assignment a line.",
      );
    const targets = target.items.map((item) => this.target(item));
    if (new Set(targets).size < targets.length)
      this.refuse(target, "one name is assigned twice", "Give each of the two values a name of its own.");
    return { targets, value, place: this.source.place(statement) };
  }

  private target(node: PyExpression): string {
    if (node.kind !== "name")
      this.refuse(
        node,
        `\`${this.source.written(node)}\` cannot be assigned to in a rule`,
        "Assign to a plain name: a rule sees whole tensors, each coordinate treated alike.",
      );
    const kind = this.readable.get(node.id);
    if (kind === "knob")
      this.refuse(node, `the knob \`${node.id}\` is assigned`, "Give the changed value a name of its own.");
    if (["t", "k", "n"].includes(node.id) || (GIVEN.includes(node.id) && kind === "input"))
      this.refuse(node, `the input \`${node.id}\` is assigned`, "Give the changed value a name of its own.");
    this.free(node, node.id, "variable");
    return node.id;
  }

  private free(node: Span, name: string, kind: string): void {
    const reserved = name === "rule" && kind === "knob" ? undefined : RESERVED.get(name);
    const taken = reserved ?? (OPERATIONS.has(name) ? "is a function of mhat.ops" : "");
    if (taken && (this.called.has(name) || !ALSO_NAMES.has(name)))
      this.refuse(node, `\`${name}\` ${taken}`, "Choose another name.");
  }

  private kind(node: PyStatement): string {
    if (node.kind === "value") return "a value without a name";
    if (node.kind === "function") return node.decorators.length ? "`@rule`" : "`def`";
    if (node.kind === "foreign") return `\`${node.word}\``;
    return `\`${(this.source.written(node).split(/\s+/)[0] ?? "").replace(/:$/, "")}\``;
  }
}

function span(node: Span): Span {
  return { line: node.line, start: node.start, endLine: node.endLine, end: node.end };
}

function isText(node: PyExpression): boolean {
  return node.kind === "constant" && node.literal.type === "text";
}

function docstring(fn: Function_): string | null {
  const first = fn.body[0];
  if (first?.kind !== "value" || first.value.kind !== "constant" || first.value.literal.type !== "text") return null;
  return first.value.literal.value.trim();
}

function told(fn: Function_, name: string): string | null {
  for (const decorator of fn.decorators) {
    const value = decorator.kind === "call" ? decorator.keywords.find((each) => each.name === name)?.value : undefined;
    if (value?.kind === "constant" && value.literal.type === "text") return value.literal.value;
  }
  return null;
}

function targetsOf(statement: PyStatement): string[] {
  const targets =
    statement.kind === "assign" ? statement.targets
    : statement.kind === "augment" || statement.kind === "annotate" ? [statement.target]
    : []; // prettier-ignore
  return targets.flatMap((target) => [...pyNames(target)]);
}

function* pyNames(node: PyExpression): Generator<string> {
  if (node.kind === "name") yield node.id;
  if (node.kind === "tuple") for (const item of node.items) yield* pyNames(item);
  if (node.kind === "starred") yield* pyNames(node.value);
}

/** The plain functions that a function calls, wherever in it. */
function* callsIn(node: unknown): Generator<string> {
  if (Array.isArray(node)) {
    for (const each of node) yield* callsIn(each);
  } else if (node && typeof node === "object") {
    const call = node as { kind?: string; callee?: PyExpression };
    if (call.kind === "call" && call.callee?.kind === "name") yield call.callee.id;
    for (const each of Object.values(node)) yield* callsIn(each);
  }
}

export { TOO_DEEP };
