"""A rule as a module of Rust: a struct of knobs and of what is carried, with a method that takes a step.

It compiles nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mhat.exports import c, heading
from mhat.exports.compiled import Body, Dialect
from mhat.exports.export import Export
from mhat.exports.helpers.rust import helpers_of
from mhat.exports.settings import in_one_array
from mhat.exports.values import BEFORE, Kind, starting_values, state_kinds, stepping_values
from mhat.language.definition import Rule
from mhat.language.inference import reductions_over_all
from mhat.language.tree import EVALUATION
from mhat.ops.table import NEGATE
from mhat.printers.base import Printed
from mhat.printers.rust import RustPrinter

KEYWORDS = (
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern", "false",
    "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return",
    "self", "static", "struct", "super", "trait", "true", "type", "unsafe", "use", "where", "while", "abstract",
    "become", "box", "do", "final", "macro", "override", "priv", "try", "typeof", "unsized", "virtual", "yield",
    "gen",
)  # fmt: skip
HELPERS = (
    "power", "ipow", "product", "multiply", "two_to", "modulo", "floordiv", "min", "max", "clip", "sign", "square",
    "cube", "fourth", "larger",
)  # fmt: skip
TAKEN = (*KEYWORDS, *HELPERS, "x", "g", "h", "t", "i", "size", "f32", "f64", "Real", "Sum")
INDENT = "    "


def lacking(rule: Rule) -> str | None:
    """Say what of a rule a function over slices of numbers cannot do."""
    return c.lacking(rule, "Rust")


class _Rust(Dialect):
    """How Rust writes bodies."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(rule)
        self.starting = False  # what begins at zero is made so
        kept = {f"{name}{BEFORE}": self.target(name) for name in state_kinds(rule)}
        arrays = {f"{name}{BEFORE}": f"{name}[i]" for name in ("x", "g", "h")}
        knobs = {name: self.knob(name) for name in rule.knobs if self.is_knob(name)}
        self.texts = {**kept, **arrays, **knobs, "size": "size"}

    def printer(self, among_arrays: bool, steps: Iterable[str], enter: object) -> RustPrinter:
        return RustPrinter(frozenset(steps), self.texts, enter, "", "Real", among_arrays)  # type: ignore[arg-type]

    def constant(self, real: bool, name: str, text: str, comment: str = "") -> str:
        said = f" // {comment}" if comment else ""
        return f"let {name}: {'Real' if real else 'f64'} = {text};{said}"

    def entered(self, text: str) -> Printed:
        plain = text.replace("_", "").replace(".", "").isalnum()
        return Printed(f"{text} as Real" if plain else f"({text}) as Real", NEGATE)

    def loop(self, lines: list[str]) -> Iterator[str]:
        lines = [line for line in lines if not (self.starting and line.endswith("[i] = 0.0;"))]
        if not lines:
            return
        yield "for i in 0..size {"
        yield from (f"{INDENT}{line}" for line in lines)
        yield "}"

    def begun(self, name: str, op: str) -> str:
        return f"let mut {name}: Real = -Real::INFINITY;" if op == "largest" else f"let mut {name} = Sum::new();"

    def gathered(self, name: str, op: str, text: str) -> list[str]:
        if op == "largest":
            return [f"{name} = larger({name}, {text});"]
        if op != "norm":
            return [f"{name}.push(0, {text});"]
        return [f"let {name}_i: Real = {text};", f"{name}.push(0, {name}_i * {name}_i);"]

    def total(self, name: str, op: str) -> str:
        total = f"{name}.total()"
        texts = {"largest": f"{name} + 0.0", "mean": f"{total} / (size as Real)", "norm": f"{total}.sqrt()"}
        return texts.get(op, total)

    def target(self, name: str) -> str:
        if name == "x":
            return "x[i]"
        each = name == EVALUATION or state_kinds(self.rule).get(name) == Kind.EACH
        return f"self.{field(name)}{'[i]' if each else ''}"

    def knob(self, name: str) -> str:
        return f"self.{field(name)}"


def field(name: str) -> str:
    """Name a field of a struct: a word of the language gets an underscore behind."""
    return f"{name}_" if name in (*KEYWORDS, "t") else name


def write(rule: Rule) -> str:
    """Write the text of a module with one struct, named as the rule is."""
    asked, rule = rule, in_one_array(rule)
    dialect = _Rust(rule)
    methods = [*_starting(rule, dialect), *_stepping(rule, dialect)]
    name = heading.spoken_name(rule)
    text = "\n".join(f"{INDENT}{part}" if part else "" for line in methods for part in line.split("\n"))
    parts = [
        *_about(asked), "", "/// The type of the arrays: f64 or f32.", "pub type Real = f64;", "",
        *_struct(rule, name), "", *_default(rule, name), "", f"impl {name} {{", text, "}",
        *(line for helper in helpers_of(text) for line in ("", helper)), "",
    ]  # fmt: skip
    return "\n".join(line.rstrip() for line in "\n".join(parts).split("\n"))


def _about(rule: Rule) -> Iterator[str]:
    about, over = heading.about(rule), reductions_over_all(rule.tree)
    lines = [
        heading.title_of(rule, "Rust"), "", *about, *([""] if about else []), *heading.checked(rule, "compiled"), "",
        "Numbers of the step are computed in f64, all else in `Real`; an f64 has the same bits on every machine.",
        *(["All parameters are one slice: sums and norms over all tensors run over it."] if over else []), "",
        "The rule:", "", "```text", *heading.pseudo_code(rule), "```", "", "```text", *c.first_steps(rule), "```",
    ]  # fmt: skip
    return (f"//! {line}" for line in lines)


def _struct(rule: Rule, name: str) -> Iterator[str]:
    yield f"/// {rule.name}: its knobs, and what a step hands to the next one."
    yield "#[derive(Clone, Debug)]"
    yield f"pub struct {name} {{"
    for knob in rule.tree.knobs:
        kind, more = ("f64", "") if knob.expression is None else ("Option<f64>", "; None: made of the others")
        yield f"{INDENT}/// {rule.meaning(knob.name).sentence}{more}"
        yield f"{INDENT}pub {field(knob.name)}: {kind},"
    yield f"{INDENT}/// How many steps were taken."
    yield f"{INDENT}pub t: u64,"
    for state, carried in state_kinds(rule).items():
        yield f"{INDENT}pub {field(state)}: {('f64', 'Real', 'Vec<Real>')[carried]},"
    if EVALUATION in rule.variables:
        yield f"{INDENT}/// Where the parameters are to be evaluated."
        yield f"{INDENT}pub {EVALUATION}: Vec<Real>,"
    yield "}"


def _default(rule: Rule, name: str) -> Iterator[str]:
    printer = RustPrinter(among_arrays=False)
    yield f"impl Default for {name} {{"
    yield f"{INDENT}fn default() -> Self {{"
    yield f"{INDENT * 2}{name} {{"
    for knob in rule.tree.knobs:
        text = "None" if knob.expression is not None else printer.number(knob.default).text
        yield f"{INDENT * 3}{field(knob.name)}: {text},"
    yield f"{INDENT * 3}t: 0,"
    for state, kind in state_kinds(rule).items():
        yield f"{INDENT * 3}{field(state)}: {'Vec::new()' if kind == Kind.EACH else '0.0'},"
    yield from [f"{INDENT * 3}{EVALUATION}: Vec::new(),"] if EVALUATION in rule.variables else []
    yield f"{INDENT * 2}}}"
    yield f"{INDENT}}}"
    yield "}"


def _inputs(rule: Rule, changed: str) -> str:
    arguments = ["&mut self", f"x: &{changed}[Real]", "g: &[Real]"]
    arguments += ["loss: f64"] if "loss" in rule.tree.inputs else []
    arguments += ["h: &[Real]"] if "h" in rule.tree.inputs else []
    return ", ".join(arguments)


def _taken(rule: Rule) -> set[str]:
    return {*TAKEN, *rule.tree.inputs}


def _derived(rule: Rule, dialect: _Rust, body: list[str]) -> Iterator[str]:
    """Write the knobs that are made of others, unless they are told, where a body reads them."""
    printer = dialect.printer(False, rule.knobs, None)
    for knob in rule.tree.knobs:
        if knob.expression is not None and any(re.search(rf"\b{knob.name}\b", line) for line in body):
            yield f"let {knob.name} = {dialect.knob(knob.name)}.unwrap_or({printer.expression(knob.expression)});"


def _starting(rule: Rule, dialect: _Rust) -> Iterator[str]:
    kinds = state_kinds(rule)
    if not kinds:
        return
    dialect.starting = True
    body = Body(starting_values(rule, _taken(rule)), dialect, _taken(rule), kinds).lines()
    dialect.starting = False
    body = [*_derived(rule, dialect, body), *body]
    yield f"fn start({_inputs(rule, '')}) {{"
    yield from _function(rule, body, [name for name, kind in kinds.items() if kind == Kind.EACH])
    yield "}"
    yield ""


def _stepping(rule: Rule, dialect: _Rust) -> Iterator[str]:
    kinds = {**state_kinds(rule), "x": Kind.EACH, EVALUATION: Kind.EACH}
    body = Body(stepping_values(rule, _taken(rule)), dialect, _taken(rule), kinds).lines()
    body = [*_derived(rule, dialect, body), *body]
    yield "/// Take one step: `x` moves in place."
    yield f"pub fn step({_inputs(rule, 'mut ')}) {{"
    yield f'{INDENT}assert_eq!(x.len(), g.len(), "x and g are of different lengths");'
    given = ", ".join(["x", "g", *(name for name in ("loss", "h") if name in rule.tree.inputs)])
    if rule.tree.states:
        yield f"{INDENT}if self.t == 0 {{"
        yield f"{INDENT * 2}self.start({given});"
        yield f"{INDENT}}}"
    yield f"{INDENT}self.t += 1;"
    counted = any(re.search(r"(?<!\.)\bt\b", re.sub(r"//.*", "", line)) for line in body)
    yield from [f"{INDENT}let t = self.t as f64;"] if counted else []
    yield from _function(rule, body, [EVALUATION] if EVALUATION in rule.variables else [])
    yield "}"


def _function(rule: Rule, lines: list[str], made: list[str]) -> Iterator[str]:
    """Indent the lines of a function; `made`: what gets as many numbers as x has before."""
    text = "\n".join(lines)
    read = re.sub(r"//.*", "", text)
    sized = bool(made) or re.search(r"\bsize\b", read) is not None
    yield from [f"{INDENT}let size = x.len();"] if sized else []
    yield from (f"{INDENT}self.{field(name)} = vec![0.0; size];" for name in made)
    for name in (*(() if sized else ("x",)), "g", *(each for each in ("loss", "h") if each in rule.tree.inputs)):
        if re.search(rf"(?<!\.)\b{name}\b", read) is None:
            yield f"{INDENT}let _ = {name};"
    yield from (f"{INDENT}{line}" for line in text.split("\n") if line)


EXPORT = Export("rust", "Rust", ".rs", write, lacking)
