"""A rule as a header of C99: a struct of what is carried, and a function that takes a step. It compiles nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mhat.exports import heading
from mhat.exports.arrays import matrix_operations, mixes_tensors
from mhat.exports.compiled import Body, Dialect
from mhat.exports.export import Export
from mhat.exports.helpers.c import helpers_of
from mhat.exports.settings import in_one_array
from mhat.exports.values import BEFORE, Kind, starting_values, state_kinds, stepping_values
from mhat.language.definition import Rule
from mhat.language.inference import reductions_over_all
from mhat.language.tree import EVALUATION
from mhat.notation.decimals import exact
from mhat.ops.table import OPERATIONS
from mhat.printers.base import Printed
from mhat.printers.c import CPrinter

KEYWORDS = (
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern",
    "float", "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed",
    "sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "bool",
    "true", "false",
)  # fmt: skip
TAKEN = (*KEYWORDS, "x", "g", "h", "t", "i", "state", "knobs", "size", "REAL", "NAN", "INFINITY", "I", "complex")
INDENT = "    "


def lacking(rule: Rule, language: str = "C") -> str | None:
    """Say what of a rule a function over arrays of numbers cannot do."""
    matrices = sorted(matrix_operations(rule), key=lambda op: op in ("rows", "columns"))
    if matrices:
        return f"it has `{OPERATIONS[matrices[0]].symbol}`, and {language} has no matrices of its own"
    if mixes_tensors(rule):
        return "it has reductions over a tensor beside those over all tensors, and the function is given one array"
    asked = [name for name in ("k", "n") if name in rule.tree.inputs]
    return f"it reads `{asked[0]}`, which tensor it is or how many there are" if asked else None


class _C(Dialect):
    """How C writes bodies."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(rule)
        self.prefix, self.real = f"{rule.name}_", f"{rule.name}_real"
        kinds = state_kinds(rule)
        kept = {f"{name}{BEFORE}": self.target(name) for name in kinds}
        arrays = {f"{name}{BEFORE}": f"{name}[i]" for name in ("x", "g", "h")}
        knobs = {name: self.knob(name) for name in rule.knobs if self.is_knob(name)}
        self.texts = {**kept, **arrays, **knobs, "size": "size"}

    def printer(self, among_arrays: bool, steps: Iterable[str], enter: object) -> CPrinter:
        return CPrinter(frozenset(steps), self.texts, enter, self.prefix, self.real, among_arrays)  # type: ignore[arg-type]

    def constant(self, real: bool, name: str, text: str, comment: str = "") -> str:
        said = f" /* {comment} */" if comment else ""
        return f"const {self.real if real else 'double'} {name} = {text};{said}"

    def entered(self, text: str) -> Printed:
        plain = text.replace("_", "").replace("->", "").isalnum()
        return Printed(f"({self.real}){text}" if plain else f"({self.real})({text})")

    def loop(self, lines: list[str]) -> Iterator[str]:
        yield "for (size_t i = 0; i < size; i++) {"
        yield from (f"{INDENT}{line}" for line in lines)
        yield "}"

    def begun(self, name: str, op: str) -> str:
        if op == "largest":
            return f"{self.real} {name} = -INFINITY;"
        return f"struct {self.prefix}sum {name};\n{self.prefix}begin(&{name});"

    def gathered(self, name: str, op: str, text: str) -> list[str]:
        if op == "largest":
            return [f"{name} = {self.prefix}larger({name}, {text});"]
        if op != "norm":
            return [f"{self.prefix}push(&{name}, 0, {text});"]
        return [f"const {self.real} {name}_i = {text};", f"{self.prefix}push(&{name}, 0, {name}_i * {name}_i);"]

    def total(self, name: str, op: str) -> str:
        total = f"{self.prefix}total(&{name})"
        texts = {"largest": f"{name} + 0", "mean": f"{total} / ({self.real})size", "norm": f"sqrt({total})"}
        return texts.get(op, total)

    def target(self, name: str) -> str:
        if name == "x":
            return "x[i]"
        each = name == EVALUATION or state_kinds(self.rule).get(name) == Kind.EACH
        return f"state->{field(name)}{'[i]' if each else ''}"

    def knob(self, name: str) -> str:
        return f"knobs->{field(name)}"


def field(name: str) -> str:
    """Name a field of a struct: a word of the language gets an underscore behind."""
    return f"{name}_" if name in KEYWORDS else name


def write(rule: Rule) -> str:
    """Write the text of a header with one function, named as the rule is."""
    asked, rule = rule, in_one_array(rule)
    dialect = _C(rule)
    body = "\n".join([*_starting(rule, dialect), *_stepping(rule, dialect)])
    helpers = helpers_of(body, dialect.prefix, dialect.real)
    guard = f"{rule.name.upper()}_H"
    parts = [
        _about(asked), f"#ifndef {guard}", f"#define {guard}", "", "#include <math.h>", "#include <stddef.h>",
        "#include <tgmath.h>", "", "/* The type of the arrays: double, or float with -DREAL=float. */", "#ifndef REAL",
        "#define REAL double", "#endif", f"typedef REAL {dialect.real};", "", *_knobs(rule, dialect), "",
        *_state(rule, dialect), "", *(line for helper in helpers for line in (helper, "")), body, "", "#endif", "",
    ]  # fmt: skip
    return "\n".join(line.rstrip() for line in "\n".join(parts).split("\n"))


def _about(rule: Rule) -> str:
    about, over = heading.about(rule), reductions_over_all(rule.tree)
    lines = [
        heading.title_of(rule, "C99"), "", *about, *([""] if about else []), *heading.checked(rule, "compiled"), "",
        "Numbers of the step are computed in double, all else in the type of the arrays. Compile it without",
        "-ffast-math and with -ffp-contract=off: then a double has the same bits on every machine.",
        *(["All parameters are one array: sums and norms over all tensors run over it."] if over else []), "",
        "The rule:", "", *(f"{INDENT}{line}" for line in heading.pseudo_code(rule)), "", *first_steps(rule),
    ]  # fmt: skip
    safe = [line.replace("*/", "* /").replace("/*", "/ *") for line in lines]
    return "\n".join(["/*", *(f" * {line}" for line in safe), " */"])


def first_steps(rule: Rule) -> Iterator[str]:
    """Give the first steps with their numbers, for a comment."""
    example = heading.example_of(rule)
    yield f"The first steps in double, by the stream {heading.STREAM}, rounded to {heading.PLACES} places:"
    yield ""
    rows = [["g", *[name for name in ("loss", "h") if name in rule.tree.inputs], "x after"]]
    rows += [["", *[""] * (len(rows[0]) - 2), example.said(example.x)]]
    for g, others, x in zip(example.gradients, example.others, example.after, strict=True):
        told = [exact(value) if name == "loss" else example.said(value) for name, value in others.items()]
        rows.append([example.said(g), *told, example.said(x)])
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    yield from (
        INDENT + "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _knobs(rule: Rule, dialect: _C) -> Iterator[str]:
    if not rule.knobs:
        return
    yield f"struct {dialect.prefix}knobs {{"
    for knob in rule.tree.knobs:
        more = "; NAN: made of the others" if knob.expression is not None else ""
        yield f"{INDENT}double {field(knob.name)}; /* {rule.meaning(knob.name).sentence}{more} */"
    yield "};"
    yield ""
    values = ["NAN" if knob.expression is not None else dialect.printer(False, (), None).number(knob.default).text
              for knob in rule.tree.knobs]  # fmt: skip
    yield f"static const struct {dialect.prefix}knobs {dialect.prefix}defaults = {{{', '.join(values)}}};"


def _state(rule: Rule, dialect: _C) -> Iterator[str]:
    yield "/* What a step hands to the next one: begin with zeros, and arrays as long as x for the pointers. */"
    yield f"struct {dialect.prefix}state {{"
    yield f"{INDENT}double t; /* how many steps were taken */"
    for name, kind in state_kinds(rule).items():
        types = {Kind.STEP: "double ", Kind.SINGLE: f"{dialect.real} ", Kind.EACH: f"{dialect.real} *"}
        yield f"{INDENT}{types[kind]}{field(name)};"
    if EVALUATION in rule.variables:
        yield f"{INDENT}{dialect.real} *{EVALUATION}; /* where the parameters are to be evaluated */"
    yield "};"


def _inputs(rule: Rule, dialect: _C) -> list[str]:
    arguments = [f"struct {dialect.prefix}state *state"]
    arguments += [f"const struct {dialect.prefix}knobs *knobs"] if rule.knobs else []
    arguments += ["size_t size", f"{dialect.real} *x", f"const {dialect.real} *g"]
    arguments += ["double loss"] if "loss" in rule.tree.inputs else []
    return arguments + ([f"const {dialect.real} *h"] if "h" in rule.tree.inputs else [])


def _taken(rule: Rule) -> set[str]:
    return {*TAKEN, *(name for name in rule.tree.inputs)}


def _derived(rule: Rule, dialect: _C, body: list[str]) -> Iterator[str]:
    """Write the knobs that are made of others, unless they are told, where a body reads them."""
    printer = dialect.printer(False, rule.knobs, None)
    for knob in rule.tree.knobs:
        if knob.expression is not None and any(re.search(rf"\b{knob.name}\b", line) for line in body):
            told = dialect.knob(knob.name)
            text = printer.expression(knob.expression)
            yield f"const double {knob.name} = isnan({told}) ? {text} : {told};"


def _starting(rule: Rule, dialect: _C) -> Iterator[str]:
    if not rule.tree.states:
        return
    values = starting_values(rule, _taken(rule))
    lines = Body(values, dialect, _taken(rule), state_kinds(rule)).lines()
    yield f"static inline void {dialect.prefix}start("
    yield from _arguments(_inputs(rule, dialect))
    yield ") {"
    yield from _function(rule, [*_derived(rule, dialect, lines), *lines])
    yield "}"
    yield ""


def _stepping(rule: Rule, dialect: _C) -> Iterator[str]:
    values = stepping_values(rule, _taken(rule))
    kinds = {**state_kinds(rule), "x": Kind.EACH, EVALUATION: Kind.EACH}
    lines = Body(values, dialect, _taken(rule), kinds).lines()
    yield "/* Take one step: x and the state are changed in place. */"
    yield f"static inline void {rule.name}_step("
    yield from _arguments(_inputs(rule, dialect))
    yield ") {"
    if rule.tree.states:
        yield f"{INDENT}if (state->t == 0) {dialect.prefix}start({', '.join(_names_of_inputs(rule))});"
    yield f"{INDENT}state->t += 1;"
    lines = [*_derived(rule, dialect, lines), *lines]
    counted = any(re.search(r"(?<!->)\bt\b", re.sub(r"/\*.*?\*/", "", line)) for line in lines)
    yield from [f"{INDENT}const double t = state->t;"] if counted else []
    yield from _function(rule, lines)
    yield "}"


def _names_of_inputs(rule: Rule) -> list[str]:
    names = ["state", *(["knobs"] if rule.knobs else []), "size", "x", "g"]
    return [*names, *(name for name in ("loss", "h") if name in rule.tree.inputs)]


def _function(rule: Rule, lines: list[str]) -> Iterator[str]:
    """Indent the lines of a function, and say which arguments it does not read, so that no compiler has to."""
    text = "\n".join(lines)
    read = re.sub(r"/\*.*?\*/", "", text)
    unread = [name for name in _names_of_inputs(rule) if re.search(rf"(?<!->)\b{name}\b", read) is None]
    yield from (f"{INDENT}(void){name};" for name in unread)
    yield from (f"{INDENT}{line}" for line in text.split("\n"))


def _arguments(arguments: list[str]) -> Iterator[str]:
    yield f"{INDENT}{', '.join(arguments)}"


EXPORT = Export("c", "C", ".h", write, lacking)
