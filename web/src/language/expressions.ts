/** From a Python expression to one of the rule language, or a refusal: `mhat.language.expressions`, word for word. */

import type { PyExpression, PyKeyword, Span } from "./nodes";
import { MOST_ROUNDS, OPERATIONS, SETS, USUAL, type Definition } from "./operations";
import { Refusal, abridged, nearest } from "./refusal";
import type { SourceText } from "./source";
import { INPUTS, type Expression, type NumberNode, type Operation, type Place } from "./tree";

const BINARY: Record<string, string> = {
  "+": "add", "-": "sub", "*": "mul", "/": "div", "//": "floordiv", "%": "mod", "**": "pow", "@": "matmul",
}; // prettier-ignore
const COMPARISONS: Record<string, string> = { "<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne" };
const FUNCTION_CURES: Record<string, string> = {
  min: "Write `minimum(a, b)`.",
  max: "Write `maximum(a, b)`.",
  pow: "Write `a ** b`.",
  power: "Write `a ** b`.",
  square: "Write `a ** 2`.",
  rsqrt: "Write `1 / sqrt(a)`.",
  dot: "Write `sum(a * b)`, or `a @ b` for matrices.",
  float: "Numbers are doubles already; delete the call.",
  int: "Numbers are doubles; use `a // 1` to round down.",
};
const CURES: Record<string, string> = {
  subscript: "A rule sees whole tensors, each coordinate treated alike; use `where` to choose.",
  attribute: "Use plain names: inputs, states, knobs and variables.",
  lambda: "Write the expression itself.",
  list: "A value is a number or a tensor; there are no lists.",
  tuple: "A value is a number or a tensor; give each its own name.",
  comprehension: "A rule sees whole tensors; write the operation on the tensor itself.",
  walrus: "Write the assignment as a line of its own.",
};
const DEEPEST = 100;
export const TOO_DEEP = ["this expression nests too deeply", "Give its inner parts names, on lines of their own."] as const;

export class ExpressionParser {
  later: Set<string> = new Set();
  private readable: Map<string, string> = new Map();
  private where = "";
  private depth = 0;

  constructor(
    private readonly source: SourceText,
    private readonly shown: Place | null = null,
  ) {}

  parse(node: PyExpression, readable: Map<string, string>, where: string, results = 1): Expression {
    this.readable = readable;
    this.where = where;
    return this.expression(node, results);
  }

  private place(node: Span): Place {
    return this.shown ?? this.source.place(node);
  }

  private refuse(node: Span, what: string, cure: string): never {
    throw new Refusal(what, cure, this.place(node));
  }

  private typed(node: Span): string {
    return abridged(this.source.written(node).split(/\s+/).filter(Boolean).join(" "));
  }

  private expression(node: PyExpression, results = 1): Expression {
    if (this.depth >= DEEPEST) this.refuse(node, ...TOO_DEEP);
    this.depth++;
    try {
      return this.shallow(node, results);
    } finally {
      this.depth--;
    }
  }

  private shallow(node: PyExpression, results: number): Expression {
    switch (node.kind) {
      case "constant":
        return this.number(node);
      case "name":
        return this.name(node);
      case "unary":
        if (node.op === "+") return this.expression(node.operand);
        if (node.op === "~") this.refuse(node, "`~` is not in the rule language", "Write `not ...`, or `1 - ...`.");
        return this.operation(node, node.op === "not" ? "not" : "neg", [node.operand]);
      case "binary": {
        const op = BINARY[node.op];
        if (op) return this.operation(node, op, [node.left, node.right]);
        break;
      }
      case "logic": {
        const before = node.values.slice(0, -1);
        const left: PyExpression = before.length === 1 ? before[0]! : { ...node, values: before };
        return this.operation(node, node.op, [left, node.values.at(-1)!]);
      }
      case "compare": {
        if (node.ops.length > 1)
          this.refuse(node, `\`${this.typed(node)}\` is two comparisons in one`, "Write `a < b and b < c`.");
        const op = COMPARISONS[node.ops[0]!];
        if (!op)
          this.refuse(node, `\`${this.typed(node)}\` is not in the rule language`, "Compare with < <= > >= == or !=.");
        return this.operation(node, op, [node.first, node.others[0]!]);
      }
      case "choice":
        return this.operation(node, "where", [node.test, node.then, node.otherwise]);
      case "call":
        return this.call(node, results);
    }
    const kind = node.kind === "other" ? node.what : node.kind;
    let cure = CURES[kind] ?? "Use numbers, names, operators and the functions of mhat.ops.";
    if (node.kind === "binary" && node.op === "^")
      cure = `A power is written with **: ${this.typed(node.left)}**${this.typed(node.right)}.`;
    return this.refuse(node, `\`${this.typed(node)}\` is not in the rule language`, cure);
  }

  private operation(
    node: Span, op: string, args: PyExpression[], over: "all" | null = null, options: [string, string | number][] = [],
  ): Operation {
    const made = args.map((argument) => this.expression(argument));
    return { kind: "operation", op, arguments: made, over, options, place: this.place(node) };
  }

  private number(node: PyExpression & { kind: "constant" }): NumberNode {
    const { literal } = node;
    if (literal.type === "truth")
      this.refuse(node, `\`${literal.value ? "True" : "False"}\` is not a number`, `Write ${Number(literal.value)}.`);
    if (literal.type !== "number")
      this.refuse(
        node,
        `\`${this.typed(node)}\` is not a number`,
        "Write a number; text is allowed only as the start of a state, or the default of a knob.",
      );
    if (!Number.isFinite(literal.value))
      this.refuse(node, `\`${this.typed(node)}\` is beyond the largest double`, "Write `inf`, or a smaller one.");
    return { kind: "number", value: literal.value, place: this.place(node) };
  }

  private name(node: PyExpression & { kind: "name" }): Expression {
    if (node.id === "inf") return { kind: "number", value: Infinity, place: this.place(node) };
    if (!this.readable.has(node.id)) this.refuse(node, ...this.unreadable(node.id));
    return { kind: "name", id: node.id, place: this.place(node) };
  }

  private unreadable(name: string): [string, string] {
    if (this.where !== "the line" && this.where !== "the return") {
      const known = [...this.readable.keys()].join(", ");
      return [
        `${this.where} may not read \`${name}\``,
        known ? `It may read ${known}.` : 'Write a number, or text such as "lr" for an expression.',
      ];
    }
    if (this.later.has(name))
      return [
        `\`${name}\` is read before it is assigned`,
        `Assign it on an earlier line, or make it state: \`${name}=0\` in the signature.`,
      ];
    if (INPUTS.includes(name)) return [`\`${name}\` is not in the signature`, `Add the input \`${name}\` to it.`];
    if (OPERATIONS.has(name)) return [`\`${name}\` is a function`, `Call it: \`${name}(...)\`.`];
    const near = nearest(name, this.readable.keys());
    const hint = near ? `Did you mean \`${near}\`? ` : "";
    return [
      `\`${name}\` is not known here`,
      `${hint}A rule reads its inputs, states, knobs and earlier variables; make a constant a knob.`,
    ];
  }

  private call(node: PyExpression & { kind: "call" }, results: number): Operation {
    const name = this.functionName(node.callee);
    const definition = OPERATIONS.get(name)!;
    const reduction = definition.kind === "reduction";
    const over = reduction ? this.over(node) : null;
    const { numbers, options } = reduction ? { numbers: [], options: [] } : this.keywords(node, definition);
    if (node.args.some((argument) => argument.kind === "starred"))
      this.refuse(node, "`*` is not in the rule language", "Write the arguments one by one.");
    if (node.args.length !== definition.arity) {
      const given = `${node.args.length} argument${node.args.length === 1 ? "" : "s"}`;
      this.refuse(node, `\`${name}\` is called with ${given}`, `${name} takes ${definition.arity}: ${definition.sentence}`);
    }
    if (definition.results !== results)
      this.refuse(
        node,
        definition.results > 1 ? `\`${name}\` gives ${definition.results} values` : "this gives one value",
        "Write `values, vectors = eigh(a)` or `q, r = qr(a)` as a line of its own.",
      );
    return this.operation(node, name, [...node.args, ...numbers], over, options);
  }

  private functionName(node: PyExpression): string {
    const name = node.kind === "attribute" ? node.name : node.kind === "name" ? node.id : "";
    const typed = this.typed(node);
    const known = [...OPERATIONS].filter(([key, each]) => each.called || key === "where").map(([key]) => key);
    if (known.includes(name)) {
      if ([name, `ops.${name}`, `mhat.ops.${name}`].includes(typed)) return name;
      this.refuse(node, `\`${typed}\` is not in the rule language`, `Write \`${name}(...)\`, from mhat.ops.`);
    }
    const near = nearest(name, known);
    const suggestion = near ? `Did you mean \`${near}\`?` : `The functions are ${known.sort().join(", ")}.`;
    return this.refuse(node, `there is no function \`${typed}\``, FUNCTION_CURES[name] ?? suggestion);
  }

  private over(node: PyExpression & { kind: "call" }): "all" | null {
    let over: "all" | null = null;
    for (const keyword of node.keywords) {
      if (keyword.name !== "over") this.noKeyword(node, keyword, 'A reduction may have over="all", over all tensors.');
      const literal = keyword.value.kind === "constant" ? keyword.value.literal : null;
      const value = literal?.type === "text" ? literal.value : null;
      if (value !== "all" && value !== "tensor")
        this.refuse(keyword, `\`${this.typed(keyword)}\` is not known`, 'Write over="all", or leave it out.');
      over = value === "all" ? "all" : null;
    }
    return over;
  }

  private keywords(node: PyExpression & { kind: "call" }, definition: Definition) {
    const given = new Map<string, PyExpression>();
    const known = [...definition.words, ...definition.numbers];
    for (const keyword of node.keywords) {
      if (keyword.name === null || !known.includes(keyword.name)) {
        const cure = known.length ? `It may have ${known.map((name) => `${name}=`).join(", ")}.` : "Give it by position.";
        this.noKeyword(node, keyword, cure);
      }
      given.set(keyword.name, keyword.value);
    }
    let options: [string, string | number][] = definition.words
      .filter((name) => given.has(name))
      .map((name) => [name, name === "set" ? this.coefficients(given.get(name)!) : this.rounds(given.get(name)!)]);
    const set = String(new Map(options).get("set") ?? USUAL);
    const usual: Record<string, string | number> = { set: USUAL, rounds: SETS.get(set) ?? 0 };
    options = options.filter(([name, value]) => value !== usual[name]);
    const numbers = definition.numbers.filter((name) => given.has(name)).map((name) => given.get(name)!);
    return { numbers, options };
  }

  private noKeyword(node: PyExpression & { kind: "call" }, keyword: PyKeyword, cure: string): never {
    const name = this.functionName(node.callee);
    return this.refuse(keyword, `\`${name}\` takes no argument \`${keyword.name ?? "None"}\``, cure);
  }

  private coefficients(node: PyExpression): string {
    const value = node.kind === "constant" && node.literal.type === "text" ? node.literal.value : null;
    if (value !== null && SETS.has(value)) return value;
    const near = value === null ? null : nearest(value, SETS.keys());
    const hint = near ? `Did you mean "${near}"? ` : "";
    const known = [...SETS.keys()].map((name) => `"${name}"`).join(", ");
    return this.refuse(node, `there is no set of coefficients \`${this.typed(node)}\``, `${hint}There are ${known}.`);
  }

  private rounds(node: PyExpression): number {
    const value = node.kind === "constant" && node.literal.type === "number" ? node.literal : null;
    if (value && /^[\d_xXoObB]+$/.test(value.written) && value.value >= 1 && value.value <= MOST_ROUNDS) return value.value;
    return this.refuse(
      node, `\`rounds=${this.typed(node)}\` counts no rounds`, `Write a whole number from 1 to ${MOST_ROUNDS}.`,
    ); // prettier-ignore
  }
}
