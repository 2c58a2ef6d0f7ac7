/** A source's tokens, read one after the other: what both statements and expressions are read by. */

import { PythonError, type Span } from "./nodes";
import { NEVER_CLOSED, tokens, type Token } from "./tokens";

export const KEYWORDS = new Set(
  ("False None True and as assert async await break class continue def del elif else except finally for from global " +
    "if import in is lambda nonlocal not or pass raise return try while with yield").split(" "),
);
const INDENTATION = { indent: "unexpected indent", dedent: "unexpected unindent" } as const;
const INDENTED = new Set<string>(Object.values(INDENTATION));
/** What Python meets later of these it leaves for the next time. */
const LEFT_ALONE = ["unindent does not match", "inconsistent use of tabs", "unexpected character after line", "unexpected EOF"];

export class TokenReader {
  protected readonly all: Token[];
  protected readonly cut: PythonError | null;
  protected at = 0;
  protected depth = 0;
  protected forgotten: Token | null = null;
  protected noting = false;
  protected late: PythonError | null = null;

  constructor(text: string) {
    const { tokens: all, error } = tokens(text);
    this.all = all;
    this.cut = error;
  }

  protected guarded<T>(read: () => T): T {
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
  protected first(raised: PythonError): PythonError {
    const { cut, forgotten } = this;
    const error =
      forgotten && raised.message === "invalid syntax" ? new PythonError(`${raised.message}. Perhaps you forgot a comma?`, forgotten.line, forgotten.start) : raised;
    if (!cut || INDENTED.has(error.message)) return error;
    if (this.at >= this.all.length) return cut;
    if (LEFT_ALONE.some((words) => cut.message.startsWith(words))) return error;
    if (!cut.message.endsWith(NEVER_CLOSED)) return cut;
    return error.line > cut.line ? cut : error;
  }

  protected peek(): Token {
    const token = this.all[this.at];
    if (token) return token;
    throw this.cut ?? new PythonError("invalid syntax", 1, 0);
  }

  protected fail(message = "invalid syntax", token: Span = this.peek()): never {
    const { kind } = this.peek();
    if (message === "invalid syntax" && (kind === "indent" || kind === "dedent")) message = INDENTATION[kind];
    throw new PythonError(message, token.line, token.start);
  }

  protected is(text: string): boolean {
    const token = this.peek();
    return (token.kind === "symbol" || (token.kind === "name" && KEYWORDS.has(text))) && token.text === text;
  }

  protected take(text: string): boolean {
    if (!this.is(text)) return false;
    this.at++;
    return true;
  }

  protected need(text: string): Token {
    if (!this.is(text)) this.fail(text === ":" ? "expected ':'" : "invalid syntax");
    return this.all[this.at++]!;
  }

  protected identifier(): Token {
    const token = this.peek();
    if (token.kind !== "name" || KEYWORDS.has(token.text)) this.fail();
    this.at++;
    return token;
  }

  protected from(first: Span): Span {
    const last = this.all[this.at - 1] ?? this.peek();
    return { line: first.line, start: first.start, endLine: last.endLine, end: last.end };
  }
}
