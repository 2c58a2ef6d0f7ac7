"""A rule as an optimizer of PyTorch: one class derived from torch.optim.Optimizer. It imports no torch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mhat.exports import heading
from mhat.exports.arrays import (
    INDENT,
    Lines,
    coefficient_sets,
    constant_start,
    defaults_of,
    lines_of,
    own_names,
    python_docstring,
    scalar_helpers,
    signature_of,
    sizes_written,
    start_kind,
    without_blank_ends,
)
from mhat.exports.export import Export
from mhat.exports.helpers.torch import HELPERS, LOOK, SWAP
from mhat.exports.over_all import Total, names_at, needed_lines, read_outside, totals_of
from mhat.language.definition import Rule
from mhat.language.inference import Level
from mhat.language.tree import EVALUATION, Expression, State
from mhat.printers.scalars import Facts
from mhat.printers.torch import TorchPrinter

# What a file means by these; a rule's own name gets an underscore behind.
TAKEN = (
    "torch", "math", "self", "state", "group", "p", "closure", "params", "maximize", "entries", "super", "abs", "min",
    "max", "float", "int", "len", "bool", "Tensor", "Optimizer",
)  # fmt: skip


# A line of several assignments is no longer than this.
SHORT = 80


def lacking(rule: Rule) -> str | None:
    """Say what of a rule an optimizer of torch cannot do."""
    if "h" in rule.tree.inputs:
        return "it reads `h`, and an optimizer of torch is given gradients alone"
    asked = [name for name in ("k", "n") if name in rule.tree.inputs]
    return f"it reads `{asked[0]}`, which tensor it is or how many there are" if asked else None


@dataclass(frozen=True)
class _File:
    """What all parts of a file need: the rule, its lines, how names are written, what is over all tensors."""

    rule: Rule
    lines: Lines
    names: dict[str, str]
    totals: list[Total]

    def name(self, name: str) -> str:
        return self.names.get(name, name)

    @property
    def class_name(self) -> str:
        return heading.spoken_name(self.rule)

    @property
    def parameter(self) -> str:
        """What a loop calls a parameter: x, unless the rule sees it otherwise or assigns x."""
        own = self.rule.level is Level.MATRIX or "x" in self.rule.variables or "g" not in self.rule.tree.inputs
        return "p" if own else "x"


def write(rule: Rule) -> str:
    """Write the text of a module with one class, named as the rule is."""
    names = {name: f"{name}_" for name in TAKEN if name in own_names(rule)}
    names |= {"loss": "loss_now"} if "loss" in rule.tree.inputs else {}
    totals = totals_of(rule)
    lines = lines_of(
        rule,
        lambda numbers, facts, over_all: TorchPrinter(numbers, facts, rule.shapes, names, over_all),
        lambda like, number: f"torch.full_like({names.get(like, like)}, {number})",
        lambda text: f"{text}.clone()" if text.isidentifier() else f"({text}).clone()",
        lambda place: names_at(totals, place),
    )
    file = _File(rule, lines, names, totals)
    body = [
        *_docstring(file), "", *_constructor(file), "", *_step(file),
        *([LOOK] if totals else []), *([SWAP] if EVALUATION in rule.variables else []),
    ]  # fmt: skip
    text = "\n".join(f"{INDENT}{line}" if line else "" for part in body for line in part.split("\n"))
    helpers = [*(source for name, source in HELPERS.items() if f"{name}(" in text), *scalar_helpers(text)]
    mathematics = ["import math"] if "math." in text + "".join(helpers) else []
    constants = [*coefficient_sets(rule)]
    constants = ["", *constants] if constants else []
    head = [
        *python_docstring(_about(rule)), "", "from __future__ import annotations", "", *mathematics,
        "from collections.abc import Callable, Iterable", "from typing import Any", "", "import torch",
        "from torch import Tensor", "from torch.optim import Optimizer", *constants, "", "",
        f"class {file.class_name}(Optimizer):", text,
    ]  # fmt: skip
    return without_blank_ends([*head, *(line for helper in helpers for line in ("", "", helper))])


def _about(rule: Rule) -> list[str]:
    about = heading.about(rule)
    checked = heading.checked(rule, "imported")
    return [
        heading.title_of(rule, "PyTorch"), "", *about, *([""] if about else []), *checked, "", "The rule:", "",
        *(f"{INDENT}{line}" for line in heading.pseudo_code(rule)),
    ]  # fmt: skip


def _docstring(file: _File) -> list[str]:
    rule = file.rule
    example = heading.example_of(rule)
    said = [f"{rule.name} as an optimizer of torch: `params` are tensors, named tensors, or groups of them.", ""]
    if rule.level is Level.MATRIX:
        flatten = {"first": "all axes but the first", "last": "all axes but the last"}.get(rule.tree.flatten or "")
        more = f"; of tensors with more dimensions {flatten} are taken together" if flatten else ""
        said += [*heading.filled(f"It takes matrices{more}. Give biases and gains to another optimizer."), ""]
    if "loss" in rule.tree.inputs:
        said += ["It reads the loss: `step` is given a closure.", ""]
    if EVALUATION in rule.variables:
        said += ["The parameters to evaluate and to save are others than those in training: call `eval()` before, and",
                 "`train()` after.", ""]  # fmt: skip
    closures = [f"lambda: torch.tensor({others['loss']})" if "loss" in others else "" for others in example.others]
    rows = [g.tolist() for g in example.gradients]
    listed = [f"({row}, {closure})" if closure else f"{row}" for row, closure in zip(rows, closures, strict=True)]
    each, call = ("g, closure", "closure") if closures[0] else ("g", "")
    said += [
        *(f"{name}: {rule.meaning(name).sentence}" for name in rule.knobs),
        "maximize: climb instead of descending", "",
        f"The first steps by the stream {heading.STREAM}, rounded to {heading.PLACES} places:", "",
        f">>> x = torch.tensor({example.x.tolist()}, dtype=torch.float64, requires_grad=True)",
        f">>> optimizer = {file.class_name}([x])",
        ">>> steps = [", *(f"...     {row}," for row in listed), "... ]",
        f">>> for {each} in steps:",
        "...     x.grad = torch.tensor(g, dtype=torch.float64)",
        f"...     _ = optimizer.step({call})",
        '...     print(*(f"{value:.8g}" for value in x.flatten().tolist()))',
        *(example.said(x) for x in example.after),
    ]  # fmt: skip
    return python_docstring(said)


def _constructor(file: _File) -> Iterator[str]:
    rule = file.rule
    knobs = [f"{file.name(each.split(':')[0])}{each[each.index(':') :]}" for each in defaults_of(rule)]
    knobs = [each.replace("lr: float", "lr: float | Tensor", 1) if each.startswith("lr:") else each for each in knobs]
    arguments = ["self", "params: Iterable[Any]", *knobs, "*", "maximize: bool = False"]
    yield from signature_of(arguments, "def __init__", " -> None:", 96)
    printer = TorchPrinter(rule.tree.knob_names, Facts.of(rule), rule.shapes, file.names)
    for knob in rule.tree.knobs:
        if knob.expression is not None:
            yield f"{INDENT}if {file.name(knob.name)} is None:"
            yield f"{INDENT * 2}{file.name(knob.name)} = {printer.expression(knob.expression)}"
    for knob in rule.tree.knobs:
        meaning, name = rule.meaning(knob.name), file.name(knob.name)
        if meaning.range != "any number":
            yield f"{INDENT}if not {meaning.range.replace('value', name)}:"
            said = meaning.range.replace("value", knob.name)
            yield f'{INDENT * 2}raise ValueError(f"{knob.name} must be {said}, not {{{name}}}")'
    yield f"{INDENT}defaults = {{"
    yield from (f'{INDENT * 2}"{knob}": {file.name(knob)},' for knob in rule.tree.knob_names)
    yield f'{INDENT * 2}"maximize": maximize,'
    yield f"{INDENT}}}"
    yield f"{INDENT}super().__init__(params, defaults)"


def _step(file: _File) -> Iterator[str]:
    yield "@torch.no_grad()"
    yield "def step(self, closure: Callable[[], Any] | None = None) -> Any:"
    yield f'{INDENT}"""Take a step; a closure is run first, and the loss that it returns is given back."""'
    yield from (f"{INDENT}{line}" for line in _first(file))
    lines = _over_all(file) if file.totals else _one_by_one(file)
    yield from (f"{INDENT}{line}" for line in lines)
    yield f"{INDENT}return loss"


def _first(file: _File) -> Iterator[str]:
    if EVALUATION in file.rule.variables:
        yield "if self.evaluating:"
        yield f'{INDENT}raise RuntimeError("the parameters are those to evaluate: call train() before step()")'
    yield "loss = None"
    if "loss" in file.rule.tree.inputs:
        yield "if closure is None:"
        yield f'{INDENT}raise RuntimeError("{file.class_name} reads the loss: give step() a closure that returns it")'
        yield "with torch.enable_grad():"
        yield f"{INDENT}loss = closure()"
        yield "loss_now = float(loss)"
        return
    yield "if closure is not None:"
    yield f"{INDENT}with torch.enable_grad():"
    yield f"{INDENT * 2}loss = closure()"


def _one_by_one(file: _File) -> Iterator[str]:
    """Write the loop over groups and parameters, as optimizers have it."""
    rule, p = file.rule, file.parameter
    everything = [*(line.value for line in rule.tree.body), rule.tree.result]
    starts = [state.start for state in rule.tree.states]
    yield "for group in self.param_groups:"
    yield from (f"{INDENT}{line}" for line in _knobs(file, [*everything, *starts]))
    yield f'{INDENT}for {p} in group["params"]:'
    yield f"{INDENT * 2}if {p}.grad is None:"
    yield f"{INDENT * 3}continue"
    yield f"{INDENT * 2}if {p}.grad.is_sparse or {p}.is_complex():"
    yield f'{INDENT * 3}raise RuntimeError("{file.class_name} takes dense gradients of real numbers")'
    yield f'{INDENT * 2}g = -{p}.grad if group["maximize"] else {p}.grad'
    inner = [*_as_matrix(file), *_begin(file), *_counted(file), *_states(file, rule.tree.state_names)]
    inner += [line.written(file.names) for line in file.lines.body]
    inner += [*_kept(file), _moved(file)]
    yield from (f"{INDENT * 2}{line}" for line in inner)


def _over_all(file: _File) -> Iterator[str]:
    """Write a loop for each reduction over all parameters, and the one that moves them."""
    rule = file.rule
    yield "entries = list(self._look())"
    yield "if not entries:"
    yield f"{INDENT}return loss"
    for total in (each for each in file.totals if each.place is None):
        yield from _total(file, total)
    starts = [state.start for state in rule.tree.states]
    begun = [*_begin(file, known=True), *_counted(file, read=False)]
    if begun:
        yield from _loop(file, [*_knobs(file, starts), *_as_matrix(file), *begun])
    for total in (each for each in file.totals if each.place is not None):
        yield from _total(file, total)
    everything = [*(line.value for line in rule.tree.body), rule.tree.result]
    inner = [*_knobs(file, everything), *_as_matrix(file), *_time(file, everything)]
    inner += _states(file, rule.tree.state_names)
    inner += [line.written(file.names) for line in file.lines.body]
    yield from _loop(file, [*inner, *_kept(file), _moved(file)])


def _loop(file: _File, lines: list[str]) -> Iterator[str]:
    """Write a loop over all parameters; what it does not use of an entry has no name."""
    text = "\n".join(lines)
    names = [
        name if re.search(rf"(?<![\w.]){name}\b", text) else "_" for name in ("group", file.parameter, "g", "state")
    ]
    yield f"for {', '.join(names)} in entries:"
    yield from (f"{INDENT}{line}" for line in lines)


def _total(file: _File, total: Total) -> Iterator[str]:
    """Write the loop of one reduction over all parameters."""
    rule, name, place = file.rule, total.name, total.place
    printer = file.lines.printers[place or 0]
    if place is None:
        printer = TorchPrinter(
            {*rule.tree.knob_names, *rule.tree.counters}, Facts.of(rule), rule.shapes, file.names,
            names_at(file.totals, None),
        )  # fmt: skip
    needed = needed_lines(rule, total.argument, place) if place is not None else []
    read = [*(rule.tree.body[i].value for i in needed), total.argument]
    inner = [*_knobs(file, read), *_as_matrix(file), *_time(file, read)]
    if place is not None:
        wanted = set().union(*map(read_outside, read))
        inner += _states(file, [state for state in rule.tree.state_names if state in wanted])
    inner += [file.lines.body[i].written(file.names) for i in needed]
    text = printer.entered(total.argument)
    op = total.node.op
    yield f"{name}: Any = {'-math.inf' if op == 'largest' else '0.0'}"
    yield from [f"{name}_count = 0"] if op == "mean" else []
    adding = {
        "sum": f"{name} = {name} + torch.sum({text})",
        "mean": f"{name} = {name} + torch.sum({text})",
        "norm": f"{name} = {name} + torch.sum(torch.square({text}))",
        "largest": f"{name} = torch.max({text}).clamp(min={name})",
        "size": f"{name} = {name} + ({text}).numel()",
    }
    inner += [adding[op], *([f"{name}_count += ({text}).numel()"] if op == "mean" else [])]
    yield from _loop(file, inner)
    yield from [f"{name} = {name} / {name}_count"] if op == "mean" else []
    yield from [f"{name} = torch.sqrt({name})"] if op == "norm" else []


def _knobs(file: _File, nodes: Iterable[Expression]) -> Iterator[str]:
    """Write how the knobs that are read come out of a group."""
    assigned = {*file.rule.tree.variables}
    read = set().union(*map(read_outside, nodes))
    for knob in file.rule.tree.knob_names:
        if knob in read or knob in assigned:
            value = f'group["{knob}"]'
            yield f"{file.name(knob)} = {f'float({value})' if knob == 'lr' else value}"


def _as_matrix(file: _File) -> Iterator[str]:
    """Write how a parameter is seen: as a matrix where the rule takes matrices."""
    rule, p = file.rule, file.parameter
    if p == "x":
        return
    if rule.level is not Level.MATRIX:
        yield f"x = {p}"
        return
    if rule.tree.flatten is None:
        yield f"if {p}.dim() != 2:"
    else:
        yield f"if {p}.dim() < 2:"
    said = f"{file.class_name} takes matrices, not {{tuple({p}.shape)}}: give it to another optimizer"
    yield f'{INDENT}raise ValueError(f"{said}")'
    flattened = {"first": "flatten(1)", "last": "flatten(0, -2)"}.get(rule.tree.flatten or "")
    yield f"x, g = {p}.{flattened}, g.{flattened}" if flattened else f"x = {p}"


def _begin(file: _File, known: bool = False) -> Iterator[str]:
    """Write how the states begin; `known`: the state is at hand already."""
    rule, p = file.rule, file.parameter
    printer = TorchPrinter(
        {*rule.tree.knob_names, *rule.tree.counters}, Facts.of(rule), rule.shapes, file.names,
        names_at(file.totals, None),
    )  # fmt: skip
    begun = [*(['state["step"] = 0'] if "t" in rule.tree.inputs else [])]
    begun += [f'state["{state.name}"] = {_begun(file, state, printer)}' for state in rule.tree.states]
    if not known and (begun or EVALUATION in rule.variables):
        yield f"state = self.state[{p}]"
    if not begun:
        return
    yield "if not state:"
    yield from (f"{INDENT}{line}" for line in begun)


def _begun(file: _File, state: State, printer: TorchPrinter) -> str:
    rule = file.rule
    kind, constant = start_kind(rule, state.name), constant_start(state.start)
    text = printer.expression(state.start)
    if kind == "number":
        return f"{text}.0" if text.isdigit() else text
    if kind == "whole" and constant in (0.0, 1.0):
        return f"torch.{'zeros' if constant == 0.0 else 'ones'}_like(x)"
    if not printer.is_number(state.start):
        return f"{text}.clone()" if text.isidentifier() else text
    if kind == "whole":
        return f"torch.full_like(x, {text})"
    sizes = sizes_written(rule, state.name, "x.shape[0]", "x.shape[1]")
    if constant == 0.0:
        return f"x.new_zeros({sizes})"
    return f"x.new_full({sizes}, {text})"


def _counted(file: _File, read: bool = True) -> Iterator[str]:
    """Write how the step is counted, for each parameter by itself."""
    if "t" in file.rule.tree.inputs:
        yield 'state["step"] += 1'
        if read:
            yield f'{file.name("t")} = state["step"]'


def _time(file: _File, nodes: Iterable[Expression]) -> Iterator[str]:
    if "t" in set().union(*map(read_outside, nodes)) and "t" in file.rule.tree.inputs:
        yield f'{file.name("t")} = state["step"]'


def _states(file: _File, states: Iterable[str]) -> Iterator[str]:
    names = list(states)
    yield from _assigned([file.name(name) for name in names], [f'state["{name}"]' for name in names])


def _kept(file: _File) -> Iterator[str]:
    """Write what is carried to the next step."""
    rule = file.rule
    kept = [name for name in (*rule.tree.state_names, EVALUATION) if name in rule.variables]
    yield from _assigned([f'state["{name}"]' for name in kept], [file.name(name) for name in kept])


def _assigned(targets: list[str], values: list[str]) -> Iterator[str]:
    """Write assignments that do not depend on one another: on one line while it is short."""
    line = f"{', '.join(targets)} = {', '.join(values)}"
    if targets and len(line) <= SHORT:
        yield line
    else:
        yield from (f"{target} = {value}" for target, value in zip(targets, values, strict=True))


def _moved(file: _File) -> str:
    result, p = file.lines.result, file.parameter
    if file.rule.level is Level.MATRIX and file.rule.tree.flatten is not None:
        text = result if result.isidentifier() else f"({result})"
        return f"{p}.copy_({text}.reshape({p}.shape))"
    return f"{p}.copy_({result})"


EXPORT = Export("torch", "PyTorch", ".py", write, lacking)
