"""A rule as an optimizer of Keras 3: one class, registered to be saved, for every backend. It imports no Keras."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

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
from mhat.exports.helpers.keras import HELPERS
from mhat.language.definition import Rule
from mhat.language.inference import SCALAR, Level, shape_of
from mhat.language.tree import EVALUATION, Expression, Operation
from mhat.language.walking import all_expressions, names_in
from mhat.printers.keras import KerasPrinter
from mhat.printers.scalars import Facts, python_number

RATE, DECAY = "lr", "weight_decay"
# What a file means by these; a rule's own name gets an underscore behind.
TAKEN = (
    "keras", "ops", "math", "self", "variable", "gradient", "learning_rate", "i", "first", "name", "options", "super",
    "abs", "min", "max", "float", "int", "bool", "Any",
)  # fmt: skip
# What every optimizer of Keras has already: an attribute of a rule's own goes by another name.
HELD = (
    DECAY, "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "ema_momentum", "ema_overwrite_frequency",
    "loss_scale_factor", "gradient_accumulation_steps", "iterations", "variables", "built", "assign", "apply", "build",
)  # fmt: skip


def lacking(rule: Rule) -> str | None:
    """Say what of a rule an optimizer of Keras cannot do."""
    tree = rule.tree
    if tree.given:
        return f"it reads `{tree.given[0]}`, and Keras gives an optimizer gradients alone"
    asked = [name for name in ("k", "n") if name in tree.inputs]
    if asked:
        return f"it reads `{asked[0]}`, which tensor it is or how many there are"
    if any(isinstance(node, Operation) and node.over == "all" for node in all_expressions(tree)):
        return "it looks at all tensors at once, and Keras hands over one after the other"
    for knob in tree.knobs:
        if knob.expression is not None and RATE in names_in(knob.expression):
            return f"its knob `{knob.name}` is made of the learning rate, which Keras may change at every step"
    return None


@dataclass(frozen=True)
class _File:
    """What all parts of a file need: the rule, its lines, how names are written."""

    rule: Rule
    lines: Lines
    names: dict[str, str]

    def name(self, name: str) -> str:
        return self.names.get(name, name)

    def attribute(self, name: str) -> str:
        """Name what the optimizer keeps: knobs, and the variables of states."""
        own = self.name(name)
        return f"self.own_{own}" if own in HELD else f"self.{own}"

    @property
    def class_name(self) -> str:
        return heading.spoken_name(self.rule)

    @property
    def knobs(self) -> list[str]:
        """The knobs but for the learning rate, which Keras keeps."""
        return [name for name in self.rule.tree.knob_names if name != RATE]

    @property
    def kept(self) -> list[str]:
        """What is carried from step to step in variables."""
        more = [EVALUATION] if EVALUATION in self.rule.variables else []
        return [*self.rule.tree.state_names, *more]

    @property
    def starts(self) -> dict[str, Expression]:
        """The states that start as something else than a number."""
        return {state.name: state.start for state in self.rule.tree.states if self.constant(state.name) is None}

    def constant(self, name: str) -> float | None:
        """Give the number that a state starts at, where it is a literal; zero for what is only written."""
        starts = {state.name: state.start for state in self.rule.tree.states}
        return constant_start(starts[name]) if name in starts else 0.0

    def kind(self, name: str) -> str:
        return "whole" if name == EVALUATION else start_kind(self.rule, name)


def write(rule: Rule) -> str:
    """Write the text of a module with one class, named as the rule is."""
    names = {name: f"{name}_" for name in TAKEN if name in own_names(rule)}
    tensors = {"t", RATE, *rule.dependence.per_step_states}
    lines = lines_of(
        rule,
        lambda numbers, facts, over_all: KerasPrinter(numbers, facts, rule.shapes, names, over_all, tensors),
        lambda like, number: f"ops.full_like({names.get(like, like)}, {number})",
        lambda text: f"ops.copy({text})",
    )
    file = _File(rule, lines, names)
    parts = [_docstring(file), _constructor(file), _build(file), _update(file), _config(file), _evaluation(file)]
    written = [list(part) for part in parts]
    body = [line for part in written if part for line in ("", *part)][1:]
    text = "\n".join(f"{INDENT}{line}" if line else "" for part in body for line in part.split("\n"))
    helpers = [*(source for name, source in HELPERS.items() if f"{name}(" in text), *scalar_helpers(text)]
    mathematics = ["import math"] if "math." in text + "".join(helpers) else []
    head = [
        *python_docstring(_about(rule)), "", "from __future__ import annotations", "", *mathematics,
        "from typing import Any", "", "import keras", "from keras import ops", *coefficient_sets(rule), "", "",
        '@keras.saving.register_keras_serializable(package="exported")',
        f"class {file.class_name}(keras.optimizers.Optimizer):", text,
    ]  # fmt: skip
    return without_blank_ends([*head, *(line for helper in helpers for line in ("", "", helper))])


def _about(rule: Rule) -> list[str]:
    about = heading.about(rule)
    return [
        heading.title_of(rule, "Keras 3"), "", *about, *([""] if about else []), *heading.checked(rule, "imported"), "",
        "The rule:", "", *(f"{INDENT}{line}" for line in heading.pseudo_code(rule)),
    ]  # fmt: skip


def _docstring(file: _File) -> list[str]:
    rule = file.rule
    example = heading.example_of(rule)
    said = [f"{rule.name} as an optimizer of Keras, on any of its backends.", ""]
    if rule.level is Level.MATRIX:
        flatten = {"first": "all axes but the first", "last": "all axes but the last"}.get(rule.tree.flatten or "")
        more = f"; of variables with more dimensions {flatten} are taken together" if flatten else ""
        said += [f"It takes matrices{more}. Give biases and gains to another optimizer.", ""]
    if EVALUATION in rule.variables:
        said += ["The values to evaluate and to save are others than those in training: see `evaluation`.", ""]
    meanings = {name: rule.meaning(name).sentence for name in rule.knobs}
    if RATE in meanings:
        said.append(f"learning_rate: {meanings.pop(RATE)}")
    rows = [g.tolist() for g in example.gradients]
    # In single precision no last digit is certain, so that they are compared, not printed.
    afters = [np.array([float(f"{value:.7g}") for value in x.ravel()]).reshape(x.shape).tolist() for x in example.after]
    said += [
        *(f"{name}: {sentence}" for name, sentence in meanings.items()),
        "options: what every optimizer of Keras takes (clipnorm, use_ema ...)", "",
        f"The first steps by the stream {heading.STREAM}, rounded to {heading.PLACES} places, and x after each:", "",
        f">>> x = keras.Variable({example.x.tolist()})",
        f">>> optimizer = {file.class_name}()",
        ">>> steps = [", *(f"...     ({g}, {after})," for g, after in zip(rows, afters, strict=True)), "... ]",
        ">>> for g, after in steps:",
        "...     optimizer.apply([ops.convert_to_tensor(g)], [x])",
        "...     assert ops.max(ops.abs(ops.stop_gradient(x) - ops.convert_to_tensor(after))) < 2e-6",
    ]  # fmt: skip
    return python_docstring(said)


def _constructor(file: _File) -> Iterator[str]:
    rule = file.rule
    given = {each.split(":")[0]: each for each in defaults_of(rule)}
    rate = [f"learning_rate: Any = {_point(rule.knobs[RATE])}"] if RATE in rule.knobs else []
    own = [f"{file.name(knob)}{given[knob][len(knob) :]}" for knob in file.knobs]
    arguments = ["self", *rate, *own, f'name: str = "{rule.name}"', "**options: Any"]
    yield from signature_of(arguments, "def __init__", " -> None:", 96)
    scalars = KerasPrinter(rule.tree.knob_names, Facts.of(rule), rule.shapes, file.names)
    for knob in rule.tree.knobs:
        if knob.expression is not None:
            yield f"{INDENT}if {file.name(knob.name)} is None:"
            yield f"{INDENT * 2}{file.name(knob.name)} = {scalars.expression(knob.expression)}"
    for knob_name in file.knobs:
        meaning, name = rule.meaning(knob_name), file.name(knob_name)
        if meaning.range != "any number":
            said = meaning.range.replace("value", knob_name)
            yield f"{INDENT}if not {meaning.range.replace('value', name)}:"
            yield f'{INDENT * 2}raise ValueError(f"{knob_name} must be {said}, not {{{name}}}")'
    # Keras keeps one also where the rule reads none.
    yield f"{INDENT}super().__init__(learning_rate={'learning_rate' if rate else '1.0'}, name=name, **options)"
    yield from (f"{INDENT}{file.attribute(knob)} = {file.name(knob)}" for knob in file.knobs)


def _point(value: float) -> str:
    """Write a number that Keras takes for a float."""
    text = python_number(value)
    return f"{text}.0" if text.lstrip("-").isdigit() else text


def _build(file: _File) -> Iterator[str]:
    rule = file.rule
    if not file.kept and rule.level is not Level.MATRIX:
        return
    yield "def build(self, variables: Any) -> None:"
    yield f'{INDENT}"""Make the variables that are carried from step to step."""'
    yield f"{INDENT}if self.built:"
    yield f"{INDENT * 2}return"
    if rule.level is Level.MATRIX:
        yield f"{INDENT}for variable in variables:"
        yield f"{INDENT * 2}if len(variable.shape) {'!= 2' if rule.tree.flatten is None else '< 2'}:"
        said = f"{file.class_name} takes matrices, not the shape {{variable.shape}}: give it to another optimizer"
        yield f'{INDENT * 3}raise ValueError(f"{said}")'
    yield f"{INDENT}super().build(variables)"
    others = [name for name in file.kept if file.kind(name) != "whole"]
    for name in file.kept:
        if name not in others:
            more = {0.0: "", None: "", 1.0: ', initializer="ones"'}
            start = file.constant(name)
            text = more.get(start, f", initializer=keras.initializers.Constant({start})")
            yield f'{INDENT}{file.attribute(name)} = self.add_optimizer_variables(variables, "{name}"{text})'
    if others:
        yield from (f"{INDENT}{file.attribute(name)} = []" for name in others)
        yield f"{INDENT}for variable in variables:"
        yield from (f"{INDENT * 2}{line}" for name in others for line in _other(file, name))


def _other(file: _File, name: str) -> Iterator[str]:
    """Write how a variable is made that has not the shape of the one that is stepped."""
    rows, columns = "variable.shape[0]", "math.prod(variable.shape[1:])"
    if file.rule.tree.flatten == "last":
        rows, columns = "math.prod(variable.shape[:-1])", "variable.shape[-1]"
    shape = "()" if file.kind(name) == "number" else sizes_written(file.rule, name, rows, columns)
    for knob in file.knobs:
        shape = shape.replace(f"int({knob})", f"int({file.attribute(knob)})")
    start = file.constant(name) or 0.0
    first = "" if start == 0.0 else f"initializer=keras.initializers.Constant({python_number(start)}), "
    yield f"{file.attribute(name)}.append("
    yield f'{INDENT}self.add_variable({shape}, {first}dtype=variable.dtype, name="{name}")'
    yield ")"


def _update(file: _File) -> Iterator[str]:
    rule = file.rule
    tree = rule.tree
    yield "def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:"
    yield f'{INDENT}"""Move one variable by its gradient."""'
    read = set().union(*(names_in(node) for node in all_expressions(tree)), names_in(tree.result))
    inner = []
    inner += [f"{file.name(knob)} = {_knob(file, knob)}" for knob in file.knobs if knob in read]
    if RATE in tree.knob_names and RATE in read:
        inner.append(f"{file.name(RATE)} = ops.cast(learning_rate, variable.dtype)")
    if "t" in tree.inputs:
        inner.append("t = ops.cast(self.iterations + 1, variable.dtype)")
    flat = {"first": "(variable.shape[0], -1)", "last": "(-1, variable.shape[-1])"}.get(tree.flatten or "")
    values = ("ops.convert_to_tensor(variable)", "ops.cast(gradient, variable.dtype)")
    x, g = (f"ops.reshape({value}, {flat})" if flat else value for value in values)
    inner += [f"x = {x}", f"g = {g}"]
    if file.kept:
        inner.append("i = self._get_variable_index(variable)")
    inner += [f"{file.name(name)} = {_seen(file, name, flat)}" for name in tree.state_names]
    inner += _begun(file)
    inner += [line.written(file.names) for line in file.lines.body]
    inner += [
        f"self.assign({file.attribute(name)}[i], {_carried(file, name, flat)})"
        for name in file.kept
        if name in rule.variables or name in file.starts
    ]
    result = file.lines.result
    inner.append(f"self.assign(variable, {f'ops.reshape({result}, variable.shape)' if flat else result})")
    yield from (f"{INDENT}{line}" for line in inner)


def _knob(file: _File, knob: str) -> str:
    held = file.attribute(knob)
    return f"{held} if self._use_weight_decay(variable) else 0.0" if knob == DECAY else held


def _seen(file: _File, name: str, flat: str | None) -> str:
    text = f"ops.convert_to_tensor({file.attribute(name)}[i])"
    return f"ops.reshape({text}, {flat})" if flat and file.kind(name) == "whole" else text


def _begun(file: _File) -> Iterator[str]:
    """Write how states begin that start as something else than a number."""
    if not file.starts:
        return
    tensors = {"t", RATE, *file.rule.dependence.per_step_states}
    numbers = {*file.rule.tree.knob_names, *file.rule.tree.counters}
    printer = KerasPrinter(numbers, Facts.of(file.rule), file.rule.shapes, file.names, None, tensors)
    yield "first = ops.equal(self.iterations, 0)"
    for name, start in file.starts.items():
        own = file.name(name)
        yield f"{own} = ops.where(first, {printer.entered(start)}, {own})"


def _carried(file: _File, name: str, flat: str | None) -> str:
    """Write what a variable carries on: in its own shape, also where the rule makes it of one number."""
    own, rule = file.name(name), file.rule
    if file.kind(name) != "whole":
        return own
    made = [line.value for line in rule.tree.body if name in line.targets]
    if made and shape_of(made[-1], rule.shapes)[0] == SCALAR and "ops.full_like" not in own:
        own = f"ops.broadcast_to({own}, x.shape)"
    return f"ops.reshape({own}, variable.shape)" if flat else own


def _config(file: _File) -> Iterator[str]:
    if not file.knobs and RATE in file.rule.knobs:
        return
    yield "def get_config(self) -> dict[str, Any]:"
    yield f'{INDENT}"""Give what the optimizer is made again with."""'
    yield f"{INDENT}config = super().get_config()"
    if RATE not in file.rule.knobs:
        yield f'{INDENT}del config["learning_rate"]'
    if file.knobs:
        yield f"{INDENT}return {{"
        yield f"{INDENT * 2}**config,"
        yield from (f'{INDENT * 2}"{file.name(knob)}": {file.attribute(knob)},' for knob in file.knobs)
        yield f"{INDENT}}}"
        return
    yield f"{INDENT}return config"


def _evaluation(file: _File) -> Iterator[str]:
    if EVALUATION in file.rule.variables:
        yield "def evaluation(self) -> list[Any]:"
        yield f'{INDENT}"""Give the values to evaluate and to save, one a variable, once there was a step."""'
        yield f"{INDENT}return [ops.convert_to_tensor(each) for each in {file.attribute(EVALUATION)}]"


EXPORT = Export("keras", "Keras", ".py", write, lacking)
