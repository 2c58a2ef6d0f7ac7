/** Python's expressions, as far as rules go, and the parameters that a lambda has as a function has them. */

import { PythonError, type Foreign, type Literal, type PyArgument, type PyExpression, type PyKeyword, type PyParameters } from "./nodes";
import { KEYWORDS, TokenReader } from "./tokenreader";
import type { Token } from "./tokens";

const COMPARISONS = new Set(["<", "<=", ">", ">=", "==", "!=", "in", "not in", "is", "is not"]);
const BINARY: string[][] = [["|"], ["^"], ["&"], ["<<", ">>"], ["+", "-"], ["*", "/", "//", "%", "@"]];
/** Python itself gives up on what nests deeper. */
const DEEPEST = 190;

export class ExpressionReader extends TokenReader {
  protected ends(): boolean {
    return this.peek().kind === "newline" || this.is(";");
  }

  protected yielded(): PyExpression {
    const first = this.peek();
    this.at++;
    if (!this.ends()) { this.take("from"); this.listed(); }
    return { ...this.from(first), kind: "other", what: "rest" };
  }

  protected parameters(closer: string): PyParameters {
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

  protected argument(closer: string): PyArgument {
    const token = this.identifier();
    if (closer === ")" && this.take(":")) this.expression();
    const span = this.from(token);
    const equals = this.peek();
    const isGiven = this.take("=");
    if (isGiven && (this.is(",") || this.is(closer))) this.fail("expected default value expression", equals);
    const fallback = isGiven ? this.expression() : null;
    return { ...span, name: token.text, fallback };
  }

  protected targets(): void {
    do { this.take("*"); this.binary(0); } while (this.take(",") && !this.is("in") && !this.is("="));
  }

  /** One expression, or several with commas: a tuple without brackets. */
  protected listed(): PyExpression {
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

  protected begins(): boolean {
    const now = this.peek();
    if (now.kind === "number" || now.kind === "text") return true;
    if (now.kind === "name") return !KEYWORDS.has(now.text) || ["not", "lambda", "None", "True", "False", "await"].includes(now.text);
    return now.kind === "symbol" && ["(", "[", "{", "-", "+", "~", "*", "..."].includes(now.text);
  }

  protected starredOr(read: () => PyExpression): PyExpression {
    const first = this.peek();
    if (!this.take("*")) return read();
    const value = this.binary(0);
    return { ...this.from(first), kind: "starred", value };
  }

  /** An expression, or a name with `:=`. */
  protected named(): PyExpression {
    const first = this.peek();
    const value = this.expression();
    if (!this.is(":=")) return value;
    if (value.kind !== "name") this.fail("cannot use assignment expressions with this");
    this.at++;
    this.expression();
    return { ...this.from(first), kind: "other", what: "walrus" };
  }

  protected expression(): PyExpression {
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
  protected noteForgotten(first: Token): void {
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
  protected besides(): boolean {
    const now = this.peek();
    if (now.kind === "name" || now.kind === "number" || now.kind === "text") return this.begins();
    return now.kind === "symbol" && ["{", "~", "..."].includes(now.text);
  }

  protected either(): PyExpression {
    return this.logic("or", () => this.logic("and", () => this.inverted()));
  }

  protected logic(op: "and" | "or", inner: () => PyExpression): PyExpression {
    const first = this.peek();
    const values = [inner()];
    while (this.take(op)) values.push(inner());
    return values.length === 1 ? values[0]! : { ...this.from(first), kind: "logic", op, values };
  }

  protected inverted(): PyExpression {
    const first = this.peek();
    if (!this.take("not")) return this.comparison();
    if (++this.depth > DEEPEST) this.fail("too many nested parentheses");
    const operand = this.inverted();
    this.depth--;
    return { ...this.from(first), kind: "unary", op: "not", operand };
  }

  protected comparison(): PyExpression {
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

  protected binary(tier: number): PyExpression {
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

  protected unary(): PyExpression {
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

  protected primary(): PyExpression {
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

  protected slices(): void {
    do {
      if (this.is("]")) break;
      if (!this.is(":")) this.starredOr(() => this.named());
      while (this.take(":")) if (!this.is(":") && !this.is("]") && !this.is(",")) this.expression();
    } while (this.take(","));
  }

  protected callArguments(): { args: PyExpression[]; keywords: PyKeyword[] } {
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

  protected comprehension(): void {
    while (this.is("for") || this.is("async")) {
      this.take("async");
      this.need("for");
      this.targets();
      this.need("in");
      this.either();
      while (this.take("if")) this.either();
    }
  }

  protected atom(): PyExpression {
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

  protected texts(): PyExpression {
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

  protected bracketed(first: Token): PyExpression {
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

  protected collection(first: Token, closer: string, what: Foreign): PyExpression {
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

function numberOf(written: string): Literal {
  const plain = written.replaceAll("_", "");
  if (/[jJ]$/.test(plain)) return { type: "other", written };
  if (/^0[xXoObB]/.test(plain)) return { type: "number", value: Number(BigInt(plain)), written };
  return { type: "number", value: Number(plain), written };
}
