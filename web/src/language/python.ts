/** Python's grammar, as far as rules go: tokens to a syntax tree, or the place where the text stops being Python. */

import {
  PythonError, type Foreign, type Literal, type PyArgument, type PyExpression, type PyKeyword, type PyParameters,
  type PyStatement, type Span,
} from "./nodes"; // prettier-ignore
import { NEVER_CLOSED, tokens, type Token } from "./tokens";

const KEYWORDS = new Set(
  ("False None True and as assert async await break class continue def del elif else except finally for from global " +
    "if import in is lambda nonlocal not or pass raise return try while with yield").split(" "),
);
const COMPARISONS = new Set(["<", "<=", ">", ">=", "==", "!=", "in", "not in", "is", "is not"]);
const BINARY: string[][] = [["|"], ["^"], ["&"], ["<<", ">>"], ["+", "-"], ["*", "/", "//", "%", "@"]];
const AUGMENTED = new Set(["+=", "-=", "*=", "/=", "//=", "%=", "**=", "@=", "&=", "|=", "^=", ">>=", "<<="]);
const BLOCKS = new Set(["if", "for", "while", "try", "with", "class", "async", "elif", "else", "except", "finally"]);
const SIMPLE = new Set(["pass", "break", "continue", "global", "nonlocal", "del", "assert", "raise", "yield"]);
const INDENTATION = { indent: "unexpected indent", dedent: "unexpected unindent" } as const;
const INDENTED = new Set<string>(Object.values(INDENTATION));
/** What Python meets later of these it leaves for the next time. */
const LEFT_ALONE = ["unindent does not match", "inconsistent use of tabs", "unexpected character after line", "unexpected EOF"];
/** Python itself gives up on what nests deeper. */
const DEEPEST = 190;

/** Parses a module; throws PythonError. */
export function parsePython(text: string): PyStatement[] {
  return new Reader(text).module();
}

/** Parses one expression, such as the start of a state; throws PythonError. */
export function parseExpression(text: string): PyExpression {
  return new Reader(text).alone();
}

class Reader {
  private readonly all: Token[];
  private readonly cut: PythonError | null;
  private at = 0;
  private depth = 0;
  private forgotten: Token | null = null;
  private noting = false;
  private late: PythonError | null = null;

  constructor(text: string) {
    const { tokens: all, error } = tokens(text);
    this.all = all;
    this.cut = error;
  }

  module(): PyStatement[] {
    return this.guarded(() => {
      const body: PyStatement[] = [];
      while (this.peek().kind !== "end") this.statement(body);
      return body;
    });
  }

  alone(): PyExpression {
    return this.guarded(() => {
      const value = this.listed();
      if (this.peek().kind === "newline") this.at++;
      if (this.peek().kind !== "end") this.fail();
      return value;
    });
  }

  private guarded<T>(read: () => T): T {
    try {
      const result = read();
      if (this.cut) throw this.cut;
      if (this.late) throw this.late;
      return result;
    } catch (error) {
      throw error instanceof PythonError ? this.first(error) : error;
    }
  }

  /** Python looks on for what cannot be cut into tokens, and then for a bracket that was opened on an earlier line. */
  private first(raised: PythonError): PythonError {
    const { cut, forgotten } = this;
    const error =
      forgotten && raised.message === "invalid syntax" ? new PythonError(`${raised.message}. Perhaps you forgot a comma?`, forgotten.line, forgotten.start) : raised;
    if (!cut || INDENTED.has(error.message)) return error;
    if (this.at >= this.all.length) return cut;
    if (LEFT_ALONE.some((words) => cut.message.startsWith(words))) return error;
    if (!cut.message.endsWith(NEVER_CLOSED)) return cut;
    return error.line > cut.line ? cut : error;
  }

  private peek(): Token {
    const token = this.all[this.at];
    if (token) return token;
    throw this.cut ?? new PythonError("invalid syntax", 1, 0);
  }

  private fail(message = "invalid syntax", token: Span = this.peek()): never {
    const { kind } = this.peek();
    if (message === "invalid syntax" && (kind === "indent" || kind === "dedent")) message = INDENTATION[kind];
    throw new PythonError(message, token.line, token.start);
  }

  private is(text: string): boolean {
    const token = this.peek();
    return (token.kind === "symbol" || (token.kind === "name" && KEYWORDS.has(text))) && token.text === text;
  }

  private take(text: string): boolean {
    if (!this.is(text)) return false;
    this.at++;
    return true;
  }

  private need(text: string): Token {
    if (!this.is(text)) this.fail(text === ":" ? "expected ':'" : "invalid syntax");
    return this.all[this.at++]!;
  }

  private identifier(): Token {
    const token = this.peek();
    if (token.kind !== "name" || KEYWORDS.has(token.text)) this.fail();
    this.at++;
    return token;
  }

  private from(first: Span): Span {
    const last = this.all[this.at - 1] ?? this.peek();
    return { line: first.line, start: first.start, endLine: last.endLine, end: last.end };
  }

  // Statements

  private statement(body: PyStatement[]): void {
    const token = this.peek();
    if (token.kind === "indent") this.fail("unexpected indent");
    if (token.kind === "dedent") this.fail("unexpected unindent");
    if (this.is("@") || this.is("def")) return void body.push(this.function());
    if (token.kind === "name" && BLOCKS.has(token.text) && KEYWORDS.has(token.text)) return void body.push(this.block());
    for (;;) {
      body.push(this.simple());
      if (!this.take(";") || this.peek().kind === "newline") break;
    }
    if (this.peek().kind !== "newline") this.fail();
    this.at++;
  }

  private suite(): PyStatement[] {
    this.need(":");
    const body: PyStatement[] = [];
    if (this.peek().kind !== "newline") {
      for (;;) {
        body.push(this.simple());
        if (!this.take(";") || this.peek().kind === "newline") break;
      }
      if (this.peek().kind !== "newline") this.fail();
      this.at++;
      return body;
    }
    this.at++;
    if (this.peek().kind !== "indent") this.fail("expected an indented block");
    this.at++;
    while (this.peek().kind !== "dedent") {
      if (this.peek().kind === "end") return body;
      this.statement(body);
    }
    this.at++;
    return body;
  }

  private block(): PyStatement {
    const first = this.peek();
    const word = first.text;
    if (["elif", "else", "except", "finally"].includes(word)) this.fail();
    this.at++;
    if (word === "async") {
      if (this.is("def")) {
        this.function();
        return { ...this.from(first), kind: "foreign", word: "async" };
      }
      this.at++;
    }
    if (word === "if" || word === "while") this.named();
    else if (word === "class") { this.identifier(); if (this.is("(")) this.primary(); }
    else if (word === "for") { this.targets(); this.need("in"); this.listed(); }
    else if (word === "with") { do { this.expression(); if (this.take("as")) this.targets(); } while (this.take(",")); }
    this.suite();
    for (;;) {
      if (this.take("elif")) { this.named(); this.suite(); continue; }
      if (this.take("else") || this.take("finally")) { this.suite(); continue; }
      if (this.take("except")) {
        this.take("*");
        if (!this.is(":")) { this.listed(); if (this.take("as")) this.identifier(); }
        this.suite();
        continue;
      }
      break;
    }
    return { ...this.from(first), kind: "foreign", word };
  }

  private function(): PyStatement {
    const decorators: PyExpression[] = [];
    const outer = this.peek();
    while (this.take("@")) {
      decorators.push(this.named());
      if (this.peek().kind !== "newline") this.fail();
      this.at++;
    }
    if (this.is("class") || this.is("async")) {
      this.block();
      return { ...this.from(outer), kind: "foreign", word: "class" };
    }
    const first = this.need("def");
    const name = this.identifier().text;
    this.need("(");
    const parameters = this.parameters(")");
    this.need(")");
    if (this.take("->")) this.expression();
    const body = this.suite();
    return { ...this.from(first), kind: "function", name, decorators, parameters, body };
  }

  private parameters(closer: string): PyParameters {
    const found: PyParameters = { positional: [], keywordOnly: [], star: null, stars: null };
    let place: PyArgument[] = found.positional;
    let slash = false;
    while (!this.is(closer)) {
      if (found.stars) this.fail("arguments cannot follow var-keyword argument");
      if (this.is("*") || this.is("**")) {
        const star = this.all[this.at++]!;
        if (star.text === "*" && place === found.keywordOnly) this.fail("* argument may appear only once", star);
        if (star.text === "*" && (this.is(",") || this.is(closer))) {
          if (!this.is(",") || this.all[this.at + 1]?.text === closer || this.all[this.at + 1]?.text === "**")
            this.fail("named arguments must follow bare *", star);
        } else {
          const argument = this.argument(closer);
          if (argument.fallback) this.fail("var-positional argument cannot have default value", star);
          if (star.text === "**") found.stars = argument;
          else found.star = argument;
        }
        if (star.text === "*") place = found.keywordOnly;
      } else if (this.is("/")) {
        if (slash || place !== found.positional || found.positional.length === 0) this.fail();
        slash = true;
        this.at++;
      } else {
        const argument = this.argument(closer);
        const ended = this.is(",") || this.is(closer);
        if (ended && place === found.positional && !argument.fallback && found.positional.at(-1)?.fallback)
          this.fail("parameter without a default follows parameter with a default", argument);
        place.push(argument);
      }
      if (!this.take(",")) break;
    }
    return found;
  }

  private argument(closer: string): PyArgument {
    const token = this.identifier();
    if (closer === ")" && this.take(":")) this.expression();
    const span = this.from(token);
    const equals = this.peek();
    const isGiven = this.take("=");
    if (isGiven && (this.is(",") || this.is(closer))) this.fail("expected default value expression", equals);
    const fallback = isGiven ? this.expression() : null;
    return { ...span, name: token.text, fallback };
  }

  private simple(): PyStatement {
    const first = this.peek();
    if (first.kind === "name" && SIMPLE.has(first.text)) {
      this.at++;
      if (first.text === "global" || first.text === "nonlocal") do this.identifier(); while (this.take(","));
      else if (first.text === "del") this.listed();
      else if (first.text === "assert") { this.expression(); if (this.take(",")) this.expression(); }
      else if (first.text === "raise" && !this.ends()) { this.expression(); if (this.take("from")) this.expression(); }
      else if (first.text === "yield" && !this.ends()) { this.take("from"); this.listed(); }
      return { ...this.from(first), kind: "foreign", word: first.text };
    }
    if (this.is("import") || this.is("from")) return this.imported();
    if (this.take("return")) {
      const value = this.ends() ? null : this.listed();
      return { ...this.from(first), kind: "return", value };
    }
    return this.assignment(first);
  }

  private ends(): boolean {
    return this.peek().kind === "newline" || this.is(";");
  }

  private imported(): PyStatement {
    const first = this.peek();
    const dotted = () => { do this.identifier(); while (this.take(".")); };
    if (this.take("from")) {
      while (this.take(".") || this.take("..."));
      if (!this.is("import")) dotted();
      this.need("import");
      if (!this.take("*")) {
        const bracket = this.take("(");
        do {
          if (bracket && this.is(")")) break;
          this.identifier();
          if (this.take("as")) this.identifier();
        } while (this.take(","));
        if (bracket) this.need(")");
      }
    } else {
      this.at++;
      do { dotted(); if (this.take("as")) this.identifier(); } while (this.take(","));
    }
    return { ...this.from(first), kind: "import" };
  }

  private assignment(first: Token): PyStatement {
    let value = this.listed();
    const now = this.peek();
    if (now.kind === "symbol" && AUGMENTED.has(now.text)) {
      if (!["name", "attribute"].includes(value.kind) && !(value.kind === "other" && value.what === "subscript"))
        this.fail("illegal expression for augmented assignment", value);
      this.at++;
      const right = this.listed();
      return { ...this.from(first), kind: "augment", target: value, op: now.text.slice(0, -1), value: right };
    }
    if (this.take(":")) {
      if (value.kind === "tuple" || !isTarget(value)) this.fail("illegal target for annotation", value);
      this.expression();
      const given = this.take("=") ? this.listed() : null;
      return { ...this.from(first), kind: "annotate", target: value, value: given };
    }
    const targets: PyExpression[] = [];
    while (this.take("=")) {
      if (!isTarget(value)) this.fail("cannot assign to this", value);
      targets.push(value);
      value = this.is("yield") ? this.yielded() : this.listed();
    }
    if (targets.length === 0) return { ...this.from(first), kind: "value", value };
    return { ...this.from(first), kind: "assign", targets, value };
  }

  private yielded(): PyExpression {
    const first = this.peek();
    this.at++;
    if (!this.ends()) { this.take("from"); this.listed(); }
    return { ...this.from(first), kind: "other", what: "rest" };
  }

  // Expressions

  private targets(): void {
    do { this.take("*"); this.binary(0); } while (this.take(",") && !this.is("in") && !this.is("="));
  }

  /** One expression, or several with commas: a tuple without brackets. */
  private listed(): PyExpression {
    const first = this.peek();
    const one = this.starredOr(() => this.named());
    if (!this.is(",")) {
      // Python says so once all is read.
      if (one.kind === "starred") this.late ??= new PythonError("can't use starred expression here", one.line, one.start);
      return one;
    }
    const items = [one];
    while (this.take(",")) {
      if (!this.begins()) break;
      items.push(this.starredOr(() => this.named()));
    }
    return { ...this.from(first), kind: "tuple", items };
  }

  private begins(): boolean {
    const now = this.peek();
    if (now.kind === "number" || now.kind === "text") return true;
    if (now.kind === "name") return !KEYWORDS.has(now.text) || ["not", "lambda", "None", "True", "False", "await"].includes(now.text);
    return now.kind === "symbol" && ["(", "[", "{", "-", "+", "~", "*", "..."].includes(now.text);
  }

  private starredOr(read: () => PyExpression): PyExpression {
    const first = this.peek();
    if (!this.take("*")) return read();
    const value = this.binary(0);
    return { ...this.from(first), kind: "starred", value };
  }

  /** An expression, or a name with `:=`. */
  private named(): PyExpression {
    const first = this.peek();
    const value = this.expression();
    if (!this.is(":=")) return value;
    if (value.kind !== "name") this.fail("cannot use assignment expressions with this");
    this.at++;
    this.expression();
    return { ...this.from(first), kind: "other", what: "walrus" };
  }

  private expression(): PyExpression {
    if (++this.depth > DEEPEST) this.fail("too many nested parentheses");
    const first = this.peek();
    try {
      if (this.take("lambda")) {
        this.parameters(":");
        this.need(":");
        this.expression();
        return { ...this.from(first), kind: "other", what: "lambda" };
      }
      const then = this.either();
      this.noteForgotten(first);
      if (!this.take("if")) return then;
      const test = this.either();
      if (!this.take("else")) this.fail("expected 'else' after 'if' expression", then);
      const otherwise = this.expression();
      return { ...this.from(first), kind: "choice", test, then, otherwise };
    } finally {
      this.depth--;
    }
  }

  /** Two expressions side by side within brackets: Python asks whether a comma was forgotten, at the first of them. */
  private noteForgotten(first: Token): void {
    if (this.forgotten || this.noting || !this.all[this.at]?.opener || !this.besides()) return;
    const [at, depth, last] = [this.at, this.depth, this.all[this.at - 1]!];
    if (last === first && first.kind === "name" && this.peek().kind === "text") return;
    this.noting = true;
    try {
      this.expression();
      if (this.all[this.at - 1]?.opener) this.forgotten = first;
    } catch (error) {
      if (!(error instanceof PythonError)) throw error;
    } finally {
      [this.at, this.depth, this.noting] = [at, depth, false];
    }
  }

  /** Whether what comes next begins an expression, and cannot go on with the one before. */
  private besides(): boolean {
    const now = this.peek();
    if (now.kind === "name" || now.kind === "number" || now.kind === "text") return this.begins();
    return now.kind === "symbol" && ["{", "~", "..."].includes(now.text);
  }

  private either(): PyExpression {
    return this.logic("or", () => this.logic("and", () => this.inverted()));
  }

  private logic(op: "and" | "or", inner: () => PyExpression): PyExpression {
    const first = this.peek();
    const values = [inner()];
    while (this.take(op)) values.push(inner());
    return values.length === 1 ? values[0]! : { ...this.from(first), kind: "logic", op, values };
  }

  private inverted(): PyExpression {
    const first = this.peek();
    if (!this.take("not")) return this.comparison();
    if (++this.depth > DEEPEST) this.fail("too many nested parentheses");
    const operand = this.inverted();
    this.depth--;
    return { ...this.from(first), kind: "unary", op: "not", operand };
  }

  private comparison(): PyExpression {
    const start = this.peek();
    const first = this.binary(0);
    const ops: string[] = [];
    const others: PyExpression[] = [];
    for (;;) {
      let op = this.peek().kind === "symbol" || this.peek().kind === "name" ? this.peek().text : "";
      const next = this.all[this.at + 1]?.text;
      if (op === "not" && next === "in") op = "not in";
      if (op === "is" && next === "not") op = "is not";
      if (!COMPARISONS.has(op)) break;
      this.at += op.includes(" ") ? 2 : 1;
      ops.push(op);
      others.push(this.binary(0));
    }
    return ops.length === 0 ? first : { ...this.from(start), kind: "compare", first, ops, others };
  }

  private binary(tier: number): PyExpression {
    const ops = BINARY[tier];
    if (!ops) return this.unary();
    const first = this.peek();
    let left = this.binary(tier + 1);
    while (this.peek().kind === "symbol" && ops.includes(this.peek().text)) {
      const op = this.peek().text;
      this.at++;
      const right = this.binary(tier + 1);
      left = { ...this.from(first), kind: "binary", op, left, right };
    }
    return left;
  }

  private unary(): PyExpression {
    const first = this.peek();
    if (first.kind === "symbol" && ["-", "+", "~"].includes(first.text)) {
      if (++this.depth > DEEPEST) this.fail("too many nested parentheses");
      this.at++;
      const operand = this.unary();
      this.depth--;
      return { ...this.from(first), kind: "unary", op: first.text as "-", operand };
    }
    const base = this.take("await") ? this.primary() : this.primary();
    if (!this.take("**")) return base;
    const right = this.unary();
    return { ...this.from(first), kind: "binary", op: "**", left: base, right };
  }

  private primary(): PyExpression {
    const first = this.peek();
    let value = this.atom();
    for (;;) {
      if (this.take(".")) {
        const name = this.identifier().text;
        value = { ...this.from(first), kind: "attribute", of: value, name };
      } else if (this.is("(")) {
        const { args, keywords } = this.callArguments();
        value = { ...this.from(first), kind: "call", callee: value, args, keywords };
      } else if (this.take("[")) {
        this.slices();
        this.need("]");
        value = { ...this.from(first), kind: "other", what: "subscript" };
      } else return value;
    }
  }

  private slices(): void {
    do {
      if (this.is("]")) break;
      if (!this.is(":")) this.starredOr(() => this.named());
      while (this.take(":")) if (!this.is(":") && !this.is("]") && !this.is(",")) this.expression();
    } while (this.take(","));
  }

  private callArguments(): { args: PyExpression[]; keywords: PyKeyword[] } {
    this.need("(");
    const args: PyExpression[] = [];
    const keywords: PyKeyword[] = [];
    while (!this.is(")")) {
      const first = this.peek();
      if (this.take("**")) {
        const value = this.expression();
        keywords.push({ ...this.from(first), name: null, value });
      } else if (first.kind === "name" && this.all[this.at + 1]?.text === "=" && this.all[this.at + 1]?.kind === "symbol") {
        const name = this.identifier().text;
        this.at++;
        const value = this.expression();
        if (keywords.some((keyword) => keyword.name === name)) this.fail(`keyword argument repeated: ${name}`, first);
        keywords.push({ ...this.from(first), name, value });
      } else {
        const value = this.starredOr(() => this.named());
        if (this.is("for") || this.is("async")) {
          if (args.length + keywords.length) this.fail("Generator expression must be parenthesized", value);
          this.comprehension();
          args.push({ ...this.from(first), kind: "other", what: "comprehension" });
          break;
        }
        if (keywords.length && value.kind !== "starred")
          this.fail("positional argument follows keyword argument", this.all[this.at - 1]!);
        args.push(value);
      }
      if (!this.take(",")) break;
    }
    this.need(")");
    return { args, keywords };
  }

  private comprehension(): void {
    while (this.is("for") || this.is("async")) {
      this.take("async");
      this.need("for");
      this.targets();
      this.need("in");
      this.either();
      while (this.take("if")) this.either();
    }
  }

  private atom(): PyExpression {
    const first = this.peek();
    if (first.kind === "number") {
      this.at++;
      return { ...this.from(first), kind: "constant", literal: numberOf(first.text) };
    }
    if (first.kind === "text") return this.texts();
    if (first.kind === "name") {
      if (first.text === "True" || first.text === "False") {
        this.at++;
        return { ...this.from(first), kind: "constant", literal: { type: "truth", value: first.text === "True" } };
      }
      if (first.text === "None") {
        this.at++;
        return { ...this.from(first), kind: "constant", literal: { type: "other", written: "None" } };
      }
      this.identifier();
      return { ...this.from(first), kind: "name", id: first.text };
    }
    if (this.take("...")) return { ...this.from(first), kind: "constant", literal: { type: "other", written: "..." } };
    if (this.take("(")) return this.bracketed(first);
    if (this.take("[")) return this.collection(first, "]", "list");
    if (this.take("{")) return this.collection(first, "}", "rest");
    return this.fail();
  }

  private texts(): PyExpression {
    const first = this.peek();
    let value = "", bytes = false, formatted = false;
    while (this.peek().kind === "text") {
      const token = this.peek();
      bytes ||= token.prefix!.includes("b");
      formatted ||= token.prefix!.includes("f");
      value += token.value!;
      this.at++;
    }
    if (formatted) return { ...this.from(first), kind: "other", what: "rest" };
    const literal: Literal = bytes ? { type: "other", written: "bytes" } : { type: "text", value };
    return { ...this.from(first), kind: "constant", literal };
  }

  private bracketed(first: Token): PyExpression {
    if (++this.depth > DEEPEST) this.fail("too many nested parentheses", first);
    if (this.take(")")) { this.depth--; return { ...this.from(first), kind: "tuple", items: [] }; }
    if (this.is("yield")) {
      const value = this.yielded();
      this.need(")");
      this.depth--;
      return value;
    }
    const value = this.starredOr(() => this.named());
    if (this.is("for") || this.is("async")) {
      this.comprehension();
      this.need(")");
      this.depth--;
      return { ...this.from(first), kind: "other", what: "comprehension" };
    }
    if (this.is(",")) {
      const items = [value];
      while (this.take(",")) {
        if (this.is(")")) break;
        items.push(this.starredOr(() => this.named()));
      }
      this.need(")");
      this.depth--;
      return { ...this.from(first), kind: "tuple", items };
    }
    if (value.kind === "starred") this.fail("cannot use starred expression here", value);
    this.need(")");
    this.depth--;
    return value;
  }

  private collection(first: Token, closer: string, what: Foreign): PyExpression {
    if (++this.depth > DEEPEST) this.fail("too many nested parentheses", first);
    let kind = what;
    while (!this.is(closer)) {
      if (!this.take("**")) this.starredOr(() => this.named());
      else this.binary(0);
      if (closer === "}" && this.take(":")) this.expression();
      if (this.is("for") || this.is("async")) {
        this.comprehension();
        if (closer === "]") kind = "comprehension";
        break;
      }
      if (!this.take(",")) break;
    }
    this.need(closer);
    this.depth--;
    return { ...this.from(first), kind: "other", what: kind };
  }
}

function isTarget(node: PyExpression): boolean {
  if (node.kind === "name" || node.kind === "attribute") return true;
  if (node.kind === "tuple") return node.items.every((item) => isTarget(item.kind === "starred" ? item.value : item));
  return node.kind === "other" && (node.what === "subscript" || node.what === "list");
}

function numberOf(written: string): Literal {
  const plain = written.replaceAll("_", "");
  if (/[jJ]$/.test(plain)) return { type: "other", written };
  if (/^0[xXoObB]/.test(plain)) return { type: "number", value: Number(BigInt(plain)), written };
  return { type: "number", value: Number(plain), written };
}
