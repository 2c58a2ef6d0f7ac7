"""A rule as a function on NumPy arrays: x, g and what it carries in, x and what it carries out. It runs nothing."""

from __future__ import annotations

from collections.abc import Iterator

from mhat.exports import heading
from mhat.exports.arrays import (
    INDENT,
    Lines,
    coefficient_sets,
    constant_start,
    defaults_of,
    lines_of,
    mixes_tensors,
    own_names,
    python_docstring,
    scalar_helpers,
    signature_of,
    sizes_written,
    start_kind,
    without_blank_ends,
)
from mhat.exports.export import Export
from mhat.exports.settings import in_one_array
from mhat.language.definition import Rule
from mhat.language.inference import Level, reductions_over_all
from mhat.language.tree import EVALUATION, State
from mhat.printers.numpy import NumpyPrinter
from mhat.printers.scalars import Facts

# What a file means by these; a rule's own name gets an underscore behind.
TAKEN = ("np", "shape", "math", "state", "NamedTuple", "Array", "abs", "min", "max", "float", "int", "len", "bool")
HELPERS = {
    "_orthogonal": '''def _orthogonal(a: Array, coefficients: tuple[Any, ...], eps: float = 1e-7) -> Array:
    """Give a nearly orthogonal matrix of the same directions, by Newton's and Schulz's iteration."""
    if a.shape[0] > a.shape[1]:
        return _orthogonal(a.T, coefficients, eps).T
    stretch, *rounds = coefficients
    a = a / (np.linalg.norm(a) * stretch + eps)
    for first, second, third in rounds:
        square = a @ a.T
        a = first * a + (second * square + third * (square @ square)) @ a
    return a''',
    "_eigh": '''def _eigh(a: Array) -> tuple[Array, Array]:
    """Give eigenvalues, ascending in a row, and eigenvectors, the largest entry of each positive."""
    if not np.isfinite(np.tril(a)).all():
        return np.full((1, len(a)), np.nan, a.dtype), np.full_like(a, np.nan)
    values, vectors = np.linalg.eigh(a)
    return values[None, :], np.where(vectors.max(axis=0) >= -vectors.min(axis=0), vectors, -vectors)''',
    "_qr": '''def _qr(a: Array) -> tuple[Array, Array]:
    """Give the factors Q and R of a matrix, no number on the diagonal of R negative."""
    q, r = np.linalg.qr(a)
    signs = np.where(np.diag(r) < 0, -1, 1).astype(a.dtype)
    return q * signs, r * signs[:, None]''',
    "_sorted_by": '''def _sorted_by(a: Array, keys: Array) -> Array:
    """Put the columns of a matrix into the order of a row of numbers, the largest first."""
    return a[:, np.argsort(np.where(np.isnan(keys), np.inf, -keys)[0], kind="stable")]''',
}


def lacking(rule: Rule) -> str | None:
    """Say what of a rule a function on one array cannot do."""
    if mixes_tensors(rule):
        return "it has reductions over a tensor beside those over all tensors, and the function is given one array"
    return None


def write(rule: Rule) -> str:
    """Write the text of a module with one function, named as the rule is."""
    over_all = reductions_over_all(rule.tree)
    asked, rule = rule, in_one_array(rule)
    names = {name: f"{name}_" for name in TAKEN if name in own_names(rule)}
    lines = lines_of(
        rule,
        lambda numbers, facts, over_all: NumpyPrinter(numbers, facts, rule.shapes, names),
        lambda like, number: f"np.full_like({names.get(like, like)}, {number})",
        lambda text: f"{text}.copy()" if text.isidentifier() else f"({text}).copy()",
    )
    body = [*_start(rule, names), *_step(rule, lines, names)]
    function = [*_signature(rule, names), *_docstring(asked, over_all), *(f"{INDENT}{each}" for each in body)]
    text = "\n".join(function)
    helpers = [*(source for name, source in HELPERS.items() if f"{name}(" in text), *scalar_helpers(text)]
    typed = [*(["Any"] if "_orthogonal(" in text else []), *(["NamedTuple"] if _carries(rule) else [])]
    head = [
        *_module_docstring(asked), "", "from __future__ import annotations", "",
        *(["import math"] if "math." in text + "".join(helpers) else []),
        *([f"from typing import {', '.join(typed)}"] if typed else []), "", "import numpy as np", "",
        "Array = np.ndarray", *coefficient_sets(rule), "", "",
    ]  # fmt: skip
    parts = [*_state_class(rule, names), '@np.errstate(all="ignore")', text]
    return without_blank_ends([*head, *parts, *(line for helper in helpers for line in ("", "", helper))])


def _carries(rule: Rule) -> bool:
    return bool(rule.tree.states) or EVALUATION in rule.variables


def _module_docstring(rule: Rule) -> list[str]:
    about = heading.about(rule)
    checked = heading.checked(rule, "imported")
    lines = [
        heading.title_of(rule, "NumPy"), "", *about, *([""] if about else []), *checked, "", "The rule:", "",
        *(f"{INDENT}{line}" for line in heading.pseudo_code(rule)),
    ]  # fmt: skip
    return python_docstring(lines)


def _state_class(rule: Rule, names: dict[str, str]) -> list[str]:
    if not _carries(rule):
        return []
    kinds = {"number": "float", "whole": "Array", "other": "Array"}
    fields = [
        f"{INDENT}{names.get(state.name, state.name)}: {kinds[start_kind(rule, state.name)]}"
        for state in rule.tree.states
    ]
    said = "What a step hands to the next one."
    if EVALUATION in rule.variables:
        said = f"What a step hands to the next one, and `{EVALUATION}`, where the parameters are to be evaluated."
        fields.append(f"{INDENT}{EVALUATION}: Array")
    return [f"class {_state_name(rule)}(NamedTuple):", f'{INDENT}"""{said}"""', "", *fields, "", ""]


def _state_name(rule: Rule) -> str:
    return f"{heading.spoken_name(rule)}State"


def _signature(rule: Rule, names: dict[str, str]) -> list[str]:
    types = {"t": "int", "loss": "float"}
    inputs = [name for name in ("loss", "h", "t") if name in rule.tree.inputs]
    arguments = ["x: Array", "g: Array", *(f"{name}: {types.get(name, 'Array')}" for name in inputs)]
    arguments += [f"state: {_state_name(rule)} | None = None"] if _carries(rule) else []
    counted = [f"{name}: int = 1" for name in ("k", "n") if name in rule.tree.inputs]
    knobs = [*counted, *defaults_of(rule)]
    knobs = [f"{names.get(each.split(':')[0], each.split(':')[0])}{each[each.index(':') :]}" for each in knobs]
    arguments += ["*", *knobs] if knobs else []
    gives = f"tuple[Array, {_state_name(rule)}]" if _carries(rule) else "Array"
    return signature_of(arguments, f"def {rule.name}", f" -> {gives}:")


def _docstring(rule: Rule, over_all: bool) -> list[str]:
    inputs = rule.tree.inputs
    said = ["`x`: the parameters, an array of any shape and floating dtype; `g`: the gradient, of the same shape."]
    if rule.level is Level.MATRIX:
        said = ["`x`: the parameters, a matrix of any floating dtype; `g`: the gradient, of the same shape."]
        flat = {"first": "all axes but the first", "last": "all axes but the last"}.get(rule.tree.flatten or "")
        said += [f"Of more than two dimensions {flat} are taken together, and states are matrices."] if flat else []
    if over_all:
        said.append("All parameters in one array: sums and norms over all tensors run over it.")
    said += ["`t`: the number of the step, from 1."] if "t" in inputs else []
    said += ["`loss`: the loss at x, one number."] if "loss" in inputs else []
    said += ["`h`: a second array of the shape of x: the diagonal of the Hessian."] if "h" in inputs else []
    if _carries(rule):
        said.append("`state`: what the step before gave, None at the first.")
        said.append("Gives the new x and the new state; nothing that is given is changed.")
    else:
        said.append("Gives the new x; nothing that is given is changed.")
    knobs = heading.knob_lines(rule)
    lines = [
        "Take one step.", "", *said, "",
        *(["Knobs:", "", *(f"{INDENT}{line}" for line in knobs), ""] if knobs else []), *_example(rule),
    ]  # fmt: skip
    return [f"{INDENT}{line}" for line in python_docstring(lines)]


def _example(rule: Rule) -> Iterator[str]:
    """Give the first steps as an example that Python's doctest runs."""
    example = heading.example_of(rule)
    yield f"The first steps by the stream {heading.STREAM}, rounded to {heading.PLACES} places:"
    yield ""
    start = f"np.array({example.x.tolist()})"
    yield f">>> x, state = {start}, None" if _carries(rule) else f">>> x = {start}"
    given = {"loss": "loss", "h": "np.array(h)", "t": "t"}
    inputs = [name for name in ("loss", "h", "t") if name in rule.tree.inputs]
    beside = [name for name in ("loss", "h") if name in inputs]
    rows = []
    for g, others in zip(example.gradients, example.others, strict=True):
        told = [str(others[name].tolist() if name == "h" else others[name]) for name in beside]
        rows.append(f"({', '.join([str(g.tolist()), *told])})" if told else str(g.tolist()))
    each = ", ".join(["g", *beside])
    each = f"({each})" if beside and "t" in inputs else each
    yield ">>> steps = ["
    yield from (f"...     {row}," for row in rows)
    yield "... ]"
    counted = f"t, {each} in enumerate(steps, 1)" if "t" in inputs else f"{each} in steps"
    yield f">>> for {counted}:"
    call = ", ".join(["x", "np.array(g)", *(given[name] for name in inputs), *(["state"] if _carries(rule) else [])])
    yield f"...     x{', state' if _carries(rule) else ''} = {rule.name}({call})"
    yield '...     print(*(f"{value:.8g}" for value in x.ravel()))'
    yield from (example.said(x) for x in example.after)


def _start(rule: Rule, names: dict[str, str]) -> Iterator[str]:
    """Write how x is seen, how knobs that are made of others are made, and how the states begin."""
    if rule.level is Level.MATRIX:
        flat = {"first": "reshape(len(x), -1)", "last": "reshape(-1, x.shape[-1])"}.get(rule.tree.flatten or "")
        yield f"if x.ndim {'< 2' if flat else '!= 2'}:"
        yield f'{INDENT}raise ValueError(f"{rule.name} takes matrices, not the shape {{x.shape}}")'
        if flat:
            given = ["g", *(["h"] if "h" in rule.tree.inputs else []), "x"]
            yield "shape = x.shape"
            yield f"{', '.join(given)} = {', '.join(f'{name}.{flat}' for name in given)}"
    printer = NumpyPrinter({*rule.tree.knob_names, *rule.tree.counters}, Facts.of(rule), rule.shapes, names)
    for knob in rule.tree.knobs:
        if knob.expression is not None:
            name = names.get(knob.name, knob.name)
            yield f"if {name} is None:"
            yield f"{INDENT}{name} = {printer.expression(knob.expression)}"
    if not rule.tree.states:
        return
    states = [names.get(state.name, state.name) for state in rule.tree.states]
    yield "if state is None:"
    for name, state in zip(states, rule.tree.states, strict=True):
        yield f"{INDENT}{name} = {_begun(rule, state, printer)}"
    yield "else:"
    targets = f"{', '.join(states)}, *_" if EVALUATION in rule.variables else ", ".join(states)
    yield f"{INDENT}{f'({targets},)' if targets == states[0] else targets} = state"


def _begun(rule: Rule, state: State, printer: NumpyPrinter) -> str:
    kind, constant = start_kind(rule, state.name), constant_start(state.start)
    text = printer.expression(state.start)
    if kind == "number":
        return f"{text}.0" if text.isdigit() else text
    if kind == "whole" and constant in (0.0, 1.0):
        return f"np.{'zeros' if constant == 0.0 else 'ones'}_like(x)"
    if kind == "whole" and not printer.is_number(state.start):
        return f"{text}.copy()" if text.isidentifier() else text
    if kind == "whole":
        return f"np.full_like(x, {text})"
    sizes = sizes_written(rule, state.name, "x.shape[0]", "x.shape[1]")
    return f"np.full({sizes}, {text}, x.dtype)"


def _step(rule: Rule, lines: Lines, names: dict[str, str]) -> Iterator[str]:
    for line in lines.body:
        yield line.written(names)
    result = lines.result
    if rule.level is Level.MATRIX and rule.tree.flatten is not None:
        result = f"{result if result.isidentifier() else f'({result})'}.reshape(shape)"
    if not _carries(rule):
        yield f"return {result}"
        return
    kept = [names.get(name, name) for name in rule.tree.state_names]
    if EVALUATION in rule.variables:
        kept.append(EVALUATION)
    yield f"return {result}, {_state_name(rule)}({', '.join(kept)})"


EXPORT = Export("numpy", "NumPy", ".py", write, lacking)
