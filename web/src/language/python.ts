/** Python's grammar, as far as rules go: tokens to a syntax tree, or the place where the text stops being Python. */

import type { PyExpression, PyStatement } from "./nodes";
import { ExpressionReader } from "./pythonexpressions";
import { KEYWORDS } from "./tokenreader";
import type { Token } from "./tokens";

const AUGMENTED = new Set(["+=", "-=", "*=", "/=", "//=", "%=", "**=", "@=", "&=", "|=", "^=", ">>=", "<<="]);
const BLOCKS = new Set(["if", "for", "while", "try", "with", "class", "async", "elif", "else", "except", "finally"]);
const SIMPLE = new Set(["pass", "break", "continue", "global", "nonlocal", "del", "assert", "raise", "yield"]);

/** Parses a module; throws PythonError. */
export function parsePython(text: string): PyStatement[] {
  return new Reader(text).module();
}

/** Parses one expression, such as the start of a state; throws PythonError. */
export function parseExpression(text: string): PyExpression {
  return new Reader(text).alone();
}

class Reader extends ExpressionReader {
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

}

function isTarget(node: PyExpression): boolean {
  if (node.kind === "name" || node.kind === "attribute") return true;
  if (node.kind === "tuple") return node.items.every((item) => isTarget(item.kind === "starred" ? item.value : item));
  return node.kind === "other" && (node.what === "subscript" || node.what === "list");
}
