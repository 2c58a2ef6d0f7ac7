"""A rule as a transformation of optax: one function that makes it of knobs, and its state. It imports no JAX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

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
    signature_of,
    sizes_written,
    start_kind,
    without_blank_ends,
)
from mhat.exports.displacements import displacement
from mhat.exports.export import Export
from mhat.exports.helpers.optax import AS_MATRIX, FLATTENED, HELPERS
from mhat.exports.over_all import Total, names_at, needed_lines, read_outside, totals_of
from mhat.language.definition import Rule, of_tree
from mhat.language.inference import Level
from mhat.language.tree import EVALUATION, Name, State
from mhat.language.walking import names_in
from mhat.printers.jax import JaxPrinter
from mhat.printers.scalars import Facts

# What a file means by these; a rule's own name gets an underscore behind.
TAKEN = (
    "jax", "jnp", "optax", "math", "state", "params", "updates", "count", "init", "update", "step", "made", "first",
    "value", "moves", "sum", "NamedTuple", "abs", "min", "max", "float", "int", "len", "bool",
)  # fmt: skip


def lacking(rule: Rule) -> str | None:
    """Say what of a rule the file of a transformation cannot do."""
    if "h" in rule.tree.inputs:
        return "it reads `h`, and a transformation of optax is given gradients alone"
    asked = [name for name in ("k", "n") if name in rule.tree.inputs]
    if asked:
        return f"it reads `{asked[0]}`, which tensor it is or how many there are"
    if any(total.place is None for total in totals_of(rule)):
        return "a state begins with a reduction over all tensors, and the file begins them one by one"
    return "it changes a number of the step after it was used" if _reused(rule) else None


@dataclass(frozen=True)
class _File:
    """What all parts of a file need: the rule as it is asked for, the rule of what is added to x, its lines, names."""

    asked: Rule
    rule: Rule
    lines: Lines
    names: dict[str, str]
    totals: list[Total]

    def name(self, name: str) -> str:
        return self.names.get(name, name)

    @property
    def states(self) -> tuple[State, ...]:
        return self.rule.tree.states

    @property
    def numbers(self) -> list[str]:
        """States that are one number a step."""
        return [state.name for state in self.states if start_kind(self.rule, state.name) == "number"]

    @property
    def tensors(self) -> list[State]:
        """States of each parameter."""
        return [state for state in self.states if state.name not in self.numbers]

    @property
    def state_name(self) -> str:
        return f"{heading.spoken_name(self.asked)}State"

    @property
    def reads_x(self) -> bool:
        """Whether a step looks at the parameters."""
        late = [state.start for state in self.tensors if self.is_late(state)]
        values = [*(line.value for line in self.rule.tree.body), self.rule.tree.result, *late]
        texts = [*(line.text for line in self.lines.body), self.lines.result]
        return any("x" in names_in(value) for value in values) or any(re.search(r"\bx\b", text) for text in texts)

    def is_late(self, state: State) -> bool:
        """Whether a state begins with the first gradient."""
        return "g" in names_in(state.start)

    @property
    def counts(self) -> bool:
        """Whether a step asks how many there were."""
        return "t" in self.rule.tree.inputs or any(map(self.is_late, self.tensors))


def write(rule: Rule) -> str:
    """Write the text of a module with one function, named as the rule is, and the state of what it makes."""
    moving = displacement(_with_evaluation(rule)).rule
    names = {name: f"{name}_" for name in TAKEN if name in own_names(moving)}
    names |= {"loss": "value"} if "loss" in rule.tree.inputs else {}
    totals = totals_of(moving)
    lines = lines_of(
        moving,
        lambda numbers, facts, over_all: JaxPrinter(numbers, facts, moving.shapes, names, over_all),
        lambda like, number: f"jnp.full_like({names.get(like, like) if like != 'x' else 'g'}, {number})",
        lambda text: text,
        lambda place: names_at(totals, place),
    )
    file = _File(rule, moving, lines, names, totals)
    function = [
        *_signature(file), *(f"{INDENT}{line}" for line in _docstring(file)), *_settled(file), *_init(file), "",
        *_update(file), "", f"{INDENT}return optax.GradientTransformation{_extra(file)}(init, update)",
    ]  # fmt: skip
    text = "\n".join(function)
    helpers = [source for name, source in HELPERS.items() if re.search(rf"\b{name}\b", text)]
    helpers += [AS_MATRIX.format(*FLATTENED[rule.tree.flatten or "first"])] if _flattens(rule) else []
    head = [
        *python_docstring(_about(rule)), "", "from __future__ import annotations", "",
        *(["import math"] if "math." in text else []), "from typing import NamedTuple", "", "import jax",
        "import jax.numpy as jnp", "import optax", *coefficient_sets(rule), "", "", *_state_class(file), "", "", text,
    ]  # fmt: skip
    return without_blank_ends([*head, *(line for helper in helpers for line in ("", "", helper))])


def _with_evaluation(rule: Rule) -> Rule:
    """Let the parameters to evaluate with be a state, so that they are handed out."""
    if EVALUATION not in rule.variables:
        return rule
    states = (*rule.tree.states, State(EVALUATION, Name("x")))
    return of_tree(replace(rule.tree, states=states), paper=rule.paper, doc=rule.doc, knobs=rule.knob_sentences)


def _reused(rule: Rule) -> bool:
    """Whether a number of the step is set after a line of tensors has read it, or twice."""
    moving = displacement(_with_evaluation(rule)).rule
    numbers = {*moving.tree.counters, *moving.tree.knob_names, *moving.dependence.per_step_states}
    read: set[str] = set()
    for line in moving.tree.body:
        if names_in(line.value) <= numbers:
            if read & {*line.targets} or any(
                {*line.targets} & {*other.targets} for other in moving.tree.body if other is not line
            ):
                return True
            numbers |= {*line.targets}
        else:
            read |= names_in(line.value)
    return False


def _flattens(rule: Rule) -> bool:
    return rule.level is Level.MATRIX and rule.tree.flatten is not None


def _extra(file: _File) -> str:
    return "ExtraArgs" if "loss" in file.asked.tree.inputs else ""


def _about(rule: Rule) -> list[str]:
    about = heading.about(rule)
    checked = heading.checked(rule, "imported")
    return [
        heading.title_of(rule, "optax"), "", *about, *([""] if about else []), *checked, "", "The rule:", "",
        *(f"{INDENT}{line}" for line in heading.pseudo_code(rule)),
    ]  # fmt: skip


def _state_class(file: _File) -> list[str]:
    said = "What is carried from step to step."
    if EVALUATION in file.asked.variables:
        said = f"What is carried from step to step, and `{EVALUATION}`, the parameters to evaluate with."
    fields = [f"{INDENT}{file.name(name)}: jax.Array" for name in file.numbers]
    fields += [f"{INDENT}{file.name(state.name)}: optax.Updates" for state in file.tensors]
    return [f"class {file.state_name}(NamedTuple):", f'{INDENT}"""{said}"""', "", f"{INDENT}count: jax.Array", *fields]


def _signature(file: _File) -> list[str]:
    knobs = [
        f"{file.name(each.split(':')[0])}{each[each.index(':') :]}".replace(": float", ": jax.typing.ArrayLike", 1)
        for each in defaults_of(file.asked)
    ]
    gives = f" -> optax.GradientTransformation{_extra(file)}:"
    return signature_of(knobs, f"def {file.asked.name}", gives)


def _docstring(file: _File) -> list[str]:
    rule, example = file.asked, heading.example_of(file.asked)
    said = [f"Make the transformation of optax that steps by {rule.name}.", ""]
    if file.reads_x:
        said += ["`update` is given the parameters too: it looks at them.", ""]
    if "loss" in rule.tree.inputs:
        said += ["`update` is given the loss: `value=`.", ""]
    if rule.level is Level.MATRIX:
        axes = f"; of more dimensions, all axes but the {rule.tree.flatten} together" if _flattens(rule) else ""
        said += [f"It takes matrices{axes}. Give biases and gains to another one: `optax.partition`.", ""]
    if EVALUATION in rule.variables:
        said += [f"The parameters to evaluate with are `state.{EVALUATION}`.", ""]
    losses = [others.get("loss") for others in example.others]
    rows = [str(g.tolist()) for g in example.gradients]
    listed = rows if losses[0] is None else [f"({row}, {loss})" for row, loss in zip(rows, losses, strict=True)]
    each, more = ("g", "") if losses[0] is None else ("g, loss", ", value=loss")
    said += [
        *(f"{name}: {rule.meaning(name).sentence}" for name in rule.knobs), "",
        f"The first steps by the stream {heading.STREAM}, rounded to {heading.PLACES} places, in float64:", "",
        ">>> with jax.enable_x64(True):",
        f"...     x = jnp.array({example.x.tolist()})",
        f"...     transformation = {rule.name}()",
        "...     state = transformation.init(x)",
        "...     steps = [", *(f"...         {row}," for row in listed), "...     ]",
        f"...     for {each} in steps:",
        f"...         updates, state = transformation.update(jnp.array(g), state, x{more})",
        "...         x = optax.apply_updates(x, updates)",
        '...         print(*(f"{value:.8g}" for value in x.flatten().tolist()))',
        *(example.said(x) for x in example.after),
    ]  # fmt: skip
    return python_docstring(said)


def _settled(file: _File) -> Iterator[str]:
    """Write how knobs that are made of others are made."""
    printer = _printer(file)
    for knob in file.asked.tree.knobs:
        if knob.expression is not None:
            name = file.name(knob.name)
            yield f"{INDENT}if {name} is None:"
            yield f"{INDENT * 2}{name} = {printer.expression(knob.expression)}"


def _printer(file: _File) -> JaxPrinter:
    numbers = {*file.rule.tree.knob_names, *file.rule.tree.counters}
    return JaxPrinter(numbers, Facts.of(file.asked), file.rule.shapes, file.names)


def _init(file: _File) -> Iterator[str]:
    yield ""
    yield f"{INDENT}def init(params: optax.Params) -> {file.state_name}:"
    if _flattens(file.asked):
        yield f"{INDENT * 2}params = jax.tree.map(_matrix, params)"
    yield f"{INDENT * 2}return {file.state_name}("
    yield f"{INDENT * 3}count=jnp.zeros([], jnp.int32),"
    printer = _printer(file)
    for name in file.numbers:
        start = next(state.start for state in file.states if state.name == name)
        text = printer.expression(start)
        yield f"{INDENT * 3}{file.name(name)}=jnp.asarray({f'{text}.0' if text.isdigit() else text}),"
    for state in file.tensors:
        yield f"{INDENT * 3}{file.name(state.name)}={_begun(file, state, printer)},"
    yield f"{INDENT * 2})"


def _begun(file: _File, state: State, printer: JaxPrinter) -> str:
    kind, constant = start_kind(file.rule, state.name), constant_start(state.start)
    text = printer.expression(state.start).replace("g.dtype", "x.dtype")
    if file.is_late(state):
        return "jax.tree.map(jnp.zeros_like, params)"
    if kind == "whole" and constant in (0.0, 1.0):
        return f"jax.tree.map(jnp.{'zeros' if constant == 0.0 else 'ones'}_like, params)"
    if kind == "whole" and state.start == Name("x"):
        return "jax.tree.map(jnp.array, params)"
    if kind == "whole" and printer.is_number(state.start):
        return f"jax.tree.map(lambda x: jnp.full_like(x, {text}), params)"
    if kind == "whole":
        return f"jax.tree.map(lambda x: {text}, params)"
    sizes = sizes_written(file.rule, state.name, "x.shape[0]", "x.shape[1]")
    return f"jax.tree.map(lambda x: jnp.full({sizes}, {text}, x.dtype), params)"


def _update(file: _File) -> Iterator[str]:
    more = ", *, value: jax.Array, **_: object" if "loss" in file.asked.tree.inputs else ""
    given = "params: optax.Params" if file.reads_x else "params: optax.Params | None = None"
    yield from (
        f"{INDENT}{line}"
        for line in signature_of(
            ["updates: optax.Updates", f"state: {file.state_name}", given + more],
            "def update",
            f" -> tuple[optax.Updates, {file.state_name}]:",
            96,
        )
    )
    deep = INDENT * 2
    yield f"{deep}count = optax.safe_increment(state.count)"
    if "t" in file.rule.tree.inputs:
        # An int32 times a Python float takes the precision of whatever stands beside it.
        yield f"{deep}t = 1.0 * count"
    for name in file.numbers:
        yield f"{deep}{file.name(name)} = state.{file.name(name)}"
    for line in file.lines.body:
        if _is_of_step(file, line.targets, line.number):
            yield f"{deep}{line.written(file.names)}"
    yield ""
    for total in file.totals:
        yield from (f"{deep}{line}" if line else "" for line in _total(file, total))
    yield from (f"{deep}{line}" if line else "" for line in _step(file))
    yield ""
    inputs = _inputs(file, ["x"] * file.reads_x + ["g", *(state.name for state in file.tensors)])
    kept = ", ".join(["count", *map(file.name, file.numbers), *(file.name(state.name) for state in file.tensors)])
    if not file.tensors:
        yield f"{deep}moves = jax.tree.map(step, {', '.join(inputs)})"
        yield from _unflattened(file, deep)
        yield f"{deep}return moves, {file.state_name}({kept})"
        return
    own = ", ".join(file.name(state.name) for state in file.tensors)
    places = ", ".join("0" * (1 + len(file.tensors)))
    yield f"{deep}made = jax.tree.map(step, {', '.join(inputs)})"
    yield f"{deep}moves, {own} = jax.tree.transpose("
    yield f"{deep}{INDENT}jax.tree.structure(updates), jax.tree.structure(({places})), made"
    yield f"{deep})"
    yield from _unflattened(file, deep)
    yield f"{deep}return moves, {file.state_name}({kept})"


def _unflattened(file: _File, deep: str) -> Iterator[str]:
    if _flattens(file.asked):
        yield f"{deep}moves = jax.tree.map(lambda move, g: move.reshape(g.shape), moves, updates)"


def _inputs(file: _File, names: Iterable[str]) -> list[str]:
    """Say which trees a function of these names goes over."""
    trees = {"x": "params", "g": "updates"}
    if _flattens(file.asked):
        trees = {name: f"jax.tree.map(_matrix, {tree})" for name, tree in trees.items()}
    return [trees.get(name, f"state.{file.name(name)}") for name in names]


def _total(file: _File, total: Total) -> Iterator[str]:
    """Write a reduction over all tensors: what each adds to it, and the whole."""
    rule, name, place = file.rule, total.name, total.place or 0
    printer = file.lines.printers[place]
    lines = [file.lines.body[i] for i in needed_lines(rule, total.argument, place)]
    lines = [line for line in lines if not _is_of_step(file, line.targets, line.number)]
    text = printer.entered(total.argument)
    read = set().union(*(read_outside(node) for node in (*(line.value for line in lines), total.argument)))
    begun = [state for state in file.tensors if state.name in read]
    late = [state for state in begun if file.is_late(state)]
    words = " ".join([text, *(line.text for line in lines)])
    names = [each for each in ("x", "g") if re.search(rf"\b{each}\b", words) or (each == "g" and late)]
    names += [state.name for state in begun]
    parts = {
        "sum": f"jnp.sum({text})", "mean": f"jnp.sum({text})", "norm": f"jnp.sum(jnp.square({text}))",
        "largest": f"jnp.max({text})", "size": f"({text}).size",
    }  # fmt: skip
    yield from signature_of(
        [f"{file.name(each)}: jax.Array" for each in names], f"def part_of_{name}", " -> jax.Array:", 92
    )
    yield from (f"{INDENT}{_begin_late(file, state)}" for state in late)
    yield from (f"{INDENT}{line.written(file.names)}" for line in lines)
    yield f"{INDENT}return {parts[total.node.op]}"
    yield ""
    trees = ", ".join(_inputs(file, names))
    leaves = f"jax.tree.leaves(jax.tree.map(part_of_{name}, {trees}))"
    whole = f"sum({leaves})"
    if total.node.op == "largest":
        whole = f"jnp.max(jnp.stack({leaves}))"
    elif total.node.op == "norm":
        whole = f"jnp.sqrt({whole})"
    elif total.node.op == "mean":
        whole += " / sum(g.size for g in jax.tree.leaves(updates))"
    yield f"{name} = {whole}"
    yield ""


def _begin_late(file: _File, state: State) -> str:
    name, text = file.name(state.name), _printer(file).expression(state.start)
    return f"{name} = jnp.where(state.count == 0, {text}, {name})"


def _is_of_step(file: _File, targets: tuple[str, ...], number: bool) -> bool:
    return number and not {*targets} & {state.name for state in file.tensors}


def _step(file: _File) -> Iterator[str]:
    names = ["x"] * file.reads_x + ["g", *(file.name(state.name) for state in file.tensors)]
    gives = "jax.Array" if not file.tensors else "tuple[jax.Array, ...]"
    yield from signature_of([f"{name}: jax.Array" for name in names], "def step", f" -> {gives}:", 92)
    for state in file.tensors:
        if file.is_late(state):
            yield f"{INDENT}{_begin_late(file, state)}"
    for line in file.lines.body:
        if not _is_of_step(file, line.targets, line.number):
            yield f"{INDENT}{line.written(file.names)}"
    result = file.lines.result
    kept = "".join(f", {file.name(state.name)}" for state in file.tensors)
    yield f"{INDENT}return {result}{kept}"


EXPORT = Export("optax", "optax", ".py", write, lacking)
