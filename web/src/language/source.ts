/** What was typed, its indentation undone, and how a place in it is named. */

import type { Span } from "./nodes";
import type { Place } from "./tree";

export class SourceText {
  readonly lines: string[];
  private readonly indent: string;
  readonly text: string;

  constructor(whole: string) {
    this.lines = whole.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/);
    const first = this.lines.find((line) => line.trim() !== "") ?? "";
    this.indent = first.slice(0, first.length - first.trimStart().length);
    this.text = this.lines.map((line) => (line.startsWith(this.indent) ? line.slice(this.indent.length) : line)).join("\n");
  }

  place(node: Span): Place {
    const moved = this.moved(node.line);
    const whole = this.lines[Math.min(Math.max(node.line, 1), this.lines.length) - 1] ?? "";
    const column = Math.min(node.start + moved, whole.length) + 1;
    const end = node.endLine > node.line ? whole.length : Math.min(node.end + moved, whole.length);
    return { line: Math.min(node.line, this.lines.length), column, endColumn: Math.max(end, column) + 1 };
  }

  /** The part of the text that a node was made of. */
  written(node: Span): string {
    const lines = this.text.split("\n").slice(node.line - 1, node.endLine);
    const last = lines.length - 1;
    lines[last] = (lines[last] ?? "").slice(0, node.end);
    lines[0] = (lines[0] ?? "").slice(node.start);
    return lines.join("\n");
  }

  private moved(line: number): number {
    return (this.lines[line - 1] ?? "").startsWith(this.indent) ? this.indent.length : 0;
  }
}
