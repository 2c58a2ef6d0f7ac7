/** A source cut into Python's tokens. It knows no grammar. */

import { PythonError, type Span } from "./nodes";

export type TokenKind = "name" | "number" | "text" | "symbol" | "newline" | "indent" | "dedent" | "end";

export type Token = Span & { kind: TokenKind; text: string; prefix?: string; value?: string; opener?: Token | null };

const SYMBOLS = [
  "**=", "//=", ">>=", "<<=", "...", "**", "//", ">>", "<<", "<=", ">=", "==", "!=", "->", "+=", "-=", "*=", "/=",
  "%=", "@=", "&=", "|=", "^=", ":=", "+", "-", "*", "/", "%", "@", "&", "|", "^", "~", "<", ">", "(", ")", "[", "]",
  "{", "}", ",", ":", ".", ";", "=", "$", "?", "!", "`",
]; // prettier-ignore
export const NEVER_CLOSED = "was never closed";
const CLOSERS: Record<string, string> = { ")": "(", "]": "[", "}": "{" };
const NAME_START = /[\p{ID_Start}_]/u;
const NAME = /[\p{ID_Start}_][\p{ID_Continue}]*/uy;
const NUMBER =
  /(?:0[xX](?:_?[\da-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:\d(?:_?\d)*)?\.\d(?:_?\d)*(?:[eE][+-]?\d(?:_?\d)*)?|\d(?:_?\d)*\.?(?:[eE][+-]?\d(?:_?\d)*)?)[jJ]?/y;
const TEXT_PREFIX = /(?:[rR][bB]?|[bB][rR]?|[uU]|[fF][rR]?|[rR][fF])(?=["'])/y;
const AFTER_NUMBER = /(?:and|else|for|if|in|is|or|not)/y;
const ESCAPES: Record<string, string> = {
  n: "\n", t: "\t", r: "\r", "\\": "\\", "'": "'", '"': '"', a: "\x07", b: "\b", f: "\f", v: "\v", "\n": "",
}; // prettier-ignore

/** Cuts a text into tokens; of what is no Python, the tokens before it and the error. */
export function tokens(text: string): { tokens: Token[]; error: PythonError | null } {
  const cutter = new Cutter(text);
  try {
    cutter.run();
    return { tokens: cutter.found, error: null };
  } catch (error) {
    if (error instanceof PythonError) return { tokens: cutter.found, error };
    throw error;
  }
}

class Cutter {
  readonly found: Token[] = [];
  private readonly lines: string[];
  private readonly indents = [0];
  private readonly tabless = [0];
  private readonly open: Token[] = [];
  private line = 0;
  private at = 0;

  constructor(text: string) {
    this.lines = text.split(/\r\n|\r|\n/);
  }

  run(): void {
    for (; this.line < this.lines.length; this.line++) {
      this.at = 0;
      this.wholeLine();
    }
    const last = this.open.at(-1);
    if (last) throw new PythonError(`'${last.text}' ${NEVER_CLOSED}`, last.line, last.start);
    this.line = this.lines.length;
    this.at = 0;
    for (; this.indents.length > 1; this.indents.pop()) this.push("dedent", "", 0);
    this.push("end", "", 0);
  }

  private get current(): string {
    return this.lines[this.line] ?? "";
  }

  private push(kind: TokenKind, text: string, length: number): Token {
    const token: Token = {
      kind, text, line: this.line + 1, start: this.at, endLine: this.line + 1, end: this.at + length,
      opener: this.open.at(-1) ?? null,
    }; // prettier-ignore
    this.found.push(token);
    this.at += length;
    return token;
  }

  private fail(message: string, start = this.at): never {
    throw new PythonError(message, this.line + 1, start);
  }

  private wholeLine(): void {
    const first = this.line;
    if (this.open.length === 0 && !this.indentation()) return;
    let continued = true;
    while (continued) {
      continued = false;
      for (;;) {
        while (/[ \t\f]/.test(this.current[this.at] ?? "")) this.at++;
        const character = this.current[this.at];
        if (character === undefined || character === "#") break;
        if (character === "\\") {
          if (this.at < this.current.length - 1) {
            this.at++;
            this.fail("unexpected character after line continuation character");
          }
          if (this.line + 1 >= this.lines.length || (this.line + 2 === this.lines.length && this.lines[this.line + 1] === ""))
            this.fail("unexpected EOF while parsing");
          this.line++;
          this.at = 0;
          continued = true;
          break;
        }
        this.token(character);
      }
      if (continued && this.open.length > 0) continued = true;
    }
    const anything = this.found.at(-1);
    if (this.open.length === 0 && anything && anything.kind !== "newline" && anything.endLine >= first + 1)
      this.push("newline", "", 0);
  }

  /** Handles how a line begins; false where it is blank. */
  private indentation(): boolean {
    let column = 0, tabless = 0;
    for (const character of this.current) {
      if (character === " ") { column++; tabless++; }
      else if (character === "\t") { column = (Math.floor(column / 8) + 1) * 8; tabless++; }
      else if (character === "\f") { column = 0; tabless = 0; }
      else break;
      this.at++;
    }
    const rest = this.current[this.at];
    if (rest === undefined || rest === "#") return false;
    if (rest === "\\" && this.at === this.current.length - 1) return true;
    const top = this.indents.at(-1)!;
    if (column === top) {
      if (tabless !== this.tabless.at(-1)) this.fail("inconsistent use of tabs and spaces in indentation");
      return true;
    }
    if (column > top) {
      if (tabless <= this.tabless.at(-1)!) this.fail("inconsistent use of tabs and spaces in indentation");
      this.indents.push(column);
      this.tabless.push(tabless);
      this.push("indent", "", 0);
      return true;
    }
    while (column < this.indents.at(-1)!) {
      this.indents.pop();
      this.tabless.pop();
      this.push("dedent", "", 0);
    }
    if (column !== this.indents.at(-1)) this.fail("unindent does not match any outer indentation level");
    if (tabless !== this.tabless.at(-1)) this.fail("inconsistent use of tabs and spaces in indentation");
    return true;
  }

  private matched(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    return pattern.exec(this.current)?.[0] ?? null;
  }

  private token(character: string): void {
    const prefix = this.matched(TEXT_PREFIX) ?? "";
    const quote = this.current[this.at + prefix.length];
    if (quote === '"' || quote === "'") return this.text(prefix, quote);
    if (/[0-9]/.test(character) || (character === "." && /[0-9]/.test(this.current[this.at + 1] ?? ""))) return this.number();
    const codePoint = String.fromCodePoint(this.current.codePointAt(this.at)!);
    if (NAME_START.test(codePoint)) {
      const name = this.matched(NAME)!;
      this.push("name", name, name.length).text = name.normalize("NFKC");
      return;
    }
    const symbol = SYMBOLS.find((each) => this.current.startsWith(each, this.at));
    if (symbol === undefined) this.fail("invalid character");
    const opener = CLOSERS[symbol];
    if (opener !== undefined) {
      const last = this.open.pop();
      if (!last) this.fail(`unmatched '${symbol}'`);
      if (last.text !== opener) this.fail(`closing parenthesis '${symbol}' does not match opening parenthesis '${last.text}'`);
    }
    const token = this.push("symbol", symbol, symbol.length);
    if ("([{".includes(symbol)) this.open.push(token);
  }

  private number(): void {
    const written = this.matched(NUMBER);
    if (!written) this.fail("invalid decimal literal");
    const after = this.current.slice(this.at + written.length);
    const leading = /^0[0-9_]*[1-9]/.test(written) && /^[0-9_]+$/.test(written);
    if (leading) this.fail("leading zeros in decimal integer literals are not permitted");
    const next = after[0] ?? "";
    if (next && (/[0-9_]/.test(next) || NAME_START.test(next))) {
      AFTER_NUMBER.lastIndex = 0;
      if (!AFTER_NUMBER.test(after)) this.fail("invalid decimal literal");
    }
    this.push("number", written, written.length);
  }

  private text(prefix: string, quote: string): void {
    const three = this.current.startsWith(quote.repeat(3), this.at + prefix.length);
    const mark = three ? quote.repeat(3) : quote;
    const [line, start] = [this.line, this.at];
    const raw = /r/i.test(prefix);
    let value = "";
    this.at += prefix.length + mark.length;
    for (;;) {
      if (this.current.startsWith(mark, this.at)) break;
      const character = this.current[this.at];
      if (character === undefined) {
        if (!three) throw new PythonError(`unterminated string literal (detected at line ${line + 1})`, line + 1, start);
        if (this.line + 1 >= this.lines.length) throw new PythonError(`unterminated triple-quoted string literal (detected at line ${this.lines.length})`, line + 1, start);
        value += "\n";
        this.line++;
        this.at = 0;
        continue;
      }
      if (character === "\\") {
        const escaped = this.current[this.at + 1];
        if (escaped === undefined) {
          if (this.line + 1 >= this.lines.length) throw new PythonError(`unterminated string literal (detected at line ${line + 1})`, line + 1, start);
          if (raw) value += "\\\n";
          this.line++;
          this.at = 0;
          continue;
        }
        value += raw ? character + escaped : (ESCAPES[escaped] ?? character + escaped);
        this.at += 2;
        continue;
      }
      value += character;
      this.at++;
    }
    this.at += mark.length;
    this.found.push({
      kind: "text", text: mark, prefix: prefix.toLowerCase(), value, line: line + 1, start, endLine: this.line + 1,
      end: this.at, opener: this.open.at(-1) ?? null,
    }); // prettier-ignore
  }
}
