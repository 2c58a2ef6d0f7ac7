"""What each line is for, in words, and what stands in its place where it is left out. It knows no rule by name.

The words come from the structure of the tree alone: an average and of what, a correction of a start at zero, a ratio,
a root, a maximum, a sign, a norm, a clip, a schedule, a look ahead. So a rule of the user's own reads as well as any.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from mhat.explanations.claims import four_digits
from mhat.explanations.lines.reading import Reading, factors, product, terms
from mhat.explanations.lines.words import coded, operations, said
from mhat.explanations.runs import alike
from mhat.language.inference import SCALAR
from mhat.language.recurrences import Recurrence
from mhat.language.tree import Assignment, Expression, Name, Number, Operation
from mhat.language.walking import names_in
from mhat.printers.python import expression_text

ONE = Number(1.0)


@dataclass(frozen=True)
class Role:
    """What a line is for. `form`: how it was read; `frozen`: what stands in its place, None where nothing can.

    `kind` decides which streams are most telling. `whole`: corrections of it lose their point with it.
    """

    kind: str
    phrase: str
    form: str
    frozen: Expression | None = None
    whole: bool = False


def role_of(reading: Reading, number_of_line: int) -> Role:
    """Say what a line, counted from 1, is for."""
    line = reading.tree.body[number_of_line - 1]
    if len(line.targets) > 1:
        return Role("plain", f"{' and '.join(line.targets)}: {coded(line.value)}", "several values at once")
    recurrence = reading.recurrences.get(number_of_line)
    if recurrence is not None and (role := _carried(reading, recurrence, line)) is not None:
        return role
    if number_of_line in reading.corrections:
        return _correction(reading, line, number_of_line)
    return role_of_value(reading, line.value, line.targets[0])


def role_of_value(reading: Reading, value: Expression, target: str = "") -> Role:
    """Say what an expression is for."""
    for look in LOOKS:
        role = look(reading, value, target)
        if role is not None:
            return role
    phrase = f"{said(value)} under another name" if isinstance(value, Name) else said(value)
    return Role("plain", phrase, expression_text(value))


def _carried(reading: Reading, recurrence: Recurrence, line: Assignment) -> Role | None:
    """A state that keeps a share of itself."""
    kind, gain, fresh = recurrence.kind, recurrence.gain, recurrence.input
    form = f"{recurrence.state} = a * {recurrence.state} + b * u with a = {expression_text(gain)}"
    if kind == "average" and fresh is not None:
        return Role("average", _average(reading, recurrence), f"{form}, b = 1 - a", fresh, whole=True)
    if kind == "sum" and not reading.is_number(recurrence.fed):
        return Role("sum", f"a sum of {said(recurrence.fed)} over all steps: it never forgets", form, recurrence.fed)
    if kind == "decaying sum" and not reading.is_number(recurrence.fed):
        return Role("sum", _decaying(reading, recurrence), form, recurrence.fed)
    if kind == "product" and reading.is_number(line.value):
        return _number_of_step(reading, line.value, recurrence.state)
    return None


def _average(reading: Reading, recurrence: Recurrence) -> str:
    fresh = recurrence.input
    assert fresh is not None
    what = f"an average of {said(fresh)}"
    kept = reading.constant(recurrence.gain)
    again = reading.changed_again(recurrence.state)
    if again is not None and kept is not None:
        return (
            f"{four_digits(kept)} of `{recurrence.state}` and {four_digits(1.0 - kept)} of {said(fresh)}: it would be "
            f"an average, but line {again} changes what the next step takes up"
        )
    if kept is None:
        return f"{what}; the share that it keeps of itself changes from step to step: {said(recurrence.gain)}"
    if kept == 0.0:
        return f"{said(fresh)} itself: at {coded(recurrence.gain)} = 0 nothing of the past is kept"
    if not 0.0 < kept < 1.0:
        return f"{what}, which keeps {four_digits(kept)} of itself at every step"
    over = _count(1.0 / (1.0 - kept))
    return f"{what} over about the last {over}: each step it keeps {four_digits(kept)} of itself"


def _count(steps: float) -> str:
    return f"{four_digits(round(steps)) if steps >= 10 else four_digits(round(steps, 1))} steps"


def _decaying(reading: Reading, recurrence: Recurrence) -> str:
    kept = reading.constant(recurrence.gain)
    what = said(recurrence.fed)
    if kept is None or not 0.0 < kept < 1.0:
        return f"a sum of {what}, which keeps {said(recurrence.gain)} of itself at every step"
    return (
        f"a sum of {what} that fades: each step it keeps {four_digits(kept)} of itself; what stays the "
        f"same builds up to "
        f"{four_digits(1.0 / (1.0 - kept))} times itself"
    )


def _correction(reading: Reading, line: Assignment, number_of_line: int) -> Role:
    assert isinstance(line.value, Operation)
    above, below = line.value.arguments
    state, _ = reading.corrections[number_of_line]
    written = reading.numbers_written_out(below)
    share = reading.value(written, 1.0) if reading.is_plain(written) else math.nan
    at_first = "" if math.isnan(share) else f" ({four_digits(share)} at step 1)"
    phrase = (
        f"{said(above)}, corrected for its start at zero: by step t only the share {coded(written)} of `{state}` "
        f"has come in{at_first}"
    )
    if line.targets == (state,):
        phrase = (
            f"{said(above)} over {coded(below)}{at_first}, which makes up for a start at zero once; it is stored back "
            f"in `{state}`, so the next step takes it up corrected and corrects it again"
        )
    return Role("correction", phrase, f"division by 1 - a**t, a being what {state} keeps of itself", above)


def _number_of_step(reading: Reading, value: Expression, target: str) -> Role | None:
    """One number a step, made of knobs and the number of the step."""
    if not reading.is_number(value):
        return None
    form = "made of knobs and the number of the step alone"
    if names_in(value) <= set(reading.tree.knob_names):
        return Role("constant", f"a number that the knobs make: {four_digits(reading.value(value))}", form)
    if not target:
        return Role("schedule", said(value), form)
    first, hundredth = reading.number_at(target, 1), reading.number_at(target, 100)
    if alike(first, hundredth):
        return Role("constant", f"one number for all coordinates, {four_digits(first)} at step 1 and at step 100", form)
    late = reading.value(value) if reading.is_plain(value) else math.nan
    frozen = Number(late) if math.isfinite(late) else None
    phrase = (
        f"a number that changes with the steps: {four_digits(first)} at step 1, {four_digits(hundredth)} at step 100"
    )
    return Role("schedule", phrase, form, frozen)


def _maximum(reading: Reading, value: Expression, target: str) -> Role | None:
    if not (isinstance(value, Operation) and value.op in ("maximum", "minimum") and target):
        return None
    extreme = "largest" if value.op == "maximum" else "smallest"
    for own, other in (value.arguments, value.arguments[::-1]):
        if target not in names_in(own) or target in names_in(other):
            continue
        if own == Name(target):
            phrase = f"the {extreme} {said(other)} so far: it never {'falls' if extreme == 'largest' else 'rises'}"
            return Role("maximum", phrase, f"{target} = {value.op}({target}, u)", other)
        pair = "larger" if extreme == "largest" else "smaller"
        phrase = f"the {pair} of {said(other)} and of its own past, {said(own)}"
        return Role("maximum", phrase, f"{target} = {value.op}(a * {target}, u)", other)
    return None


def _sign(reading: Reading, value: Expression, target: str) -> Role | None:
    if not (isinstance(value, Operation) and value.op == "sign"):
        return None
    (what,) = value.arguments
    inner = role_of_value(reading, what, target)
    of = inner.phrase if inner.kind in ("mix", "ahead") else said(what)
    return Role("sign", f"only the sign of {of}: up, down or nothing, however large it is", "sign(u)", what)


def _clip(reading: Reading, value: Expression, target: str) -> Role | None:
    if not (isinstance(value, Operation) and value.op == "clip"):
        return None
    what, low, high = value.arguments
    phrase = f"{_rated(reading, what)}, held between {said(low)} and {said(high)}"
    return Role("clip", phrase, "clip(u, low, high)", what)


def _rated(reading: Reading, what: Expression) -> str:
    ratio = _ratio(reading, what, "")
    return said(what) if ratio is None else ratio.phrase.partition(":")[0]


def _choice(reading: Reading, value: Expression, target: str) -> Role | None:
    if not (isinstance(value, Operation) and value.op == "where"):
        return None
    condition, first, second = value.arguments
    phrase = f"{said(first)} where {said_condition(condition)}, else {said(second)}"
    return Role("choice", phrase, "a if c else b", first)


def said_condition(node: Expression) -> str:
    """Say a condition; one that is no plain comparison is left as code."""
    words = {"gt": "is above", "ge": "is at least", "lt": "is below", "le": "is at most", "eq": "is", "ne": "is not"}
    if isinstance(node, Operation) and node.op in words and operations(node) <= 3:
        first, second = node.arguments
        return f"{said(first)} {words[node.op]} {said(second)}"
    return coded(node)


def _of_tensor(reading: Reading, value: Expression, target: str) -> Role | None:
    """One number for the whole tensor."""
    shapes = reading.setting.rule.shapes
    scalar = target and shapes.get(target) == SCALAR
    reduced = isinstance(value, Operation) and value.op in ("norm", "sum", "mean", "largest")
    if not (scalar or reduced):
        return None
    return Role("factor", f"one number for the whole tensor: {said(value)}", "a reduction over the tensor", ONE)


def _ratio(reading: Reading, value: Expression, target: str) -> Role | None:
    above, below = factors(value)
    under = [node for node in below if not reading.is_number(node)]
    if not under:
        return None
    over, rest = product(above, []), [node for node in below if reading.is_number(node)]
    divisor, eps = _without_eps(reading, under)
    frozen = product(above, rest)
    phrase = f"{said(over)} divided by {said(divisor)}"
    degree, whole = reading.degree(frozen), reading.degree(value)
    if degree is not None and whole == 0 and degree > 0:
        phrase += ": so its size does not depend on how large the gradients are"
    if eps:
        phrase += f"{';' if ':' in phrase else ':'} {eps} keeps it from dividing by zero"
    return Role("ratio", phrase, "a quotient of what differs from coordinate to coordinate", frozen)


def _without_eps(reading: Reading, under: list[Expression]) -> tuple[Expression, str]:
    """Leave out of a divisor what is added so that it is not zero."""
    shown: list[Expression] = []
    added = ""
    for node in under:
        if isinstance(node, Operation) and node.op in ("add", "maximum"):
            for other, small in (node.arguments, node.arguments[::-1]):
                if isinstance(small, Name | Number) and reading.is_number(small) and not reading.is_number(other):
                    node, added = other, said(small)
                    break
        shown.append(node)
    return product(shown, []), added


def _root(reading: Reading, value: Expression, target: str) -> Role | None:
    under, added = _without_eps(reading, [value])
    if added and isinstance(under, Operation) and under.op in ("sqrt", "cbrt"):
        return Role("root", f"{said(under)}, and {added} that keeps it above zero", "a root plus a number")
    if not (isinstance(value, Operation) and value.op in ("sqrt", "cbrt")):
        return None
    return Role("root", said(value), "a root", value.arguments[0])


def _scaled(reading: Reading, value: Expression, target: str) -> Role | None:
    """Something times or over one number a step, or times a number of the whole tensor."""
    above, below = factors(value)
    own = [node for node in above if not reading.is_number(node)]
    of_step = [node for node in above if reading.is_number(node)]
    if not own or not (of_step or below or len(own) > 1):
        return None
    shapes = reading.setting.rule.shapes
    small: list[Expression] = [node for node in own if isinstance(node, Name) and shapes.get(node.id) == SCALAR]
    kept = [node for node in own if node not in small]
    if small and kept:
        phrase = f"{said(product(kept, []))} times {said(product(small, []))}, one number for the whole tensor"
        return Role("factor", phrase, "a tensor times one number", product(kept + of_step, below))
    if len(own) == 1 and (of_step or below):
        scale = product(of_step, below)
        phrase = f"{said(own[0])} times {said(scale)}" if of_step else f"{said(own[0])} over {said(product(below, []))}"
        return Role("scale", phrase, "a tensor times a number of the step", own[0])
    return None


def _mix(reading: Reading, value: Expression, target: str) -> Role | None:
    """A sum of two things, each times one number a step."""
    parts = terms(value)
    if len(parts) != 2 or not all(sign for sign, _ in parts):
        return _difference(reading, value, parts)
    weighed = [_weighed(reading, term) for _, term in parts]
    if any(what is None for _, what in weighed):
        return None
    (first, one), (second, other) = weighed
    assert one is not None and other is not None
    weights = [reading.constant(first), reading.constant(second)]
    shares = [
        "a share of " if weight is None else "" if weight == 1.0 else f"{four_digits(weight)} of " for weight in weights
    ]
    states = [what for what in (one, other) if names_in(what) & set(reading.tree.state_names)]
    if weights == [0.0, 1.0] or weights == [1.0, 0.0]:
        return None
    if None not in weights and abs(sum(weight or 0.0 for weight in weights) - 1.0) < 1e-12:
        phrase = f"a mix of {shares[0]}{said(one)} and {shares[1]}{said(other)}"
        return Role("mix", phrase, "a * u + (1 - a) * w", states[0] if len(states) == 1 else one)
    if len(states) == 1 and names_in(value) & {"g"}:
        phrase = f"{shares[0]}{said(one)} plus {shares[1]}{said(other)}: a look at where the next step would go"
        return Role("ahead", phrase, "u + a * s, s being a state", states[0])
    return Role("mix", f"{shares[0]}{said(one)} plus {shares[1]}{said(other)}", "a * u + b * w", one)


def _weighed(reading: Reading, term: Expression) -> tuple[Expression, Expression | None]:
    above, below = factors(term)
    own = [node for node in above if not reading.is_number(node)]
    over = [node for node in below if not reading.is_number(node)]
    weight = product([node for node in above if reading.is_number(node)], [node for node in below if node not in over])
    return weight, product(own, over) if own else None


def _difference(reading: Reading, value: Expression, parts: list[tuple[bool, Expression]]) -> Role | None:
    if [sign for sign, _ in parts] != [True, False] or any(reading.is_number(term) for _, term in parts):
        return None
    (_, first), (_, second) = parts
    remembered = isinstance(second, Name) and second.id in reading.tree.state_names
    if remembered:
        phrase = f"how far {said(first)} has moved from {said(second)}"
    else:
        phrase = f"how far {said(first)} is from {said(second)}"
    return Role("difference", phrase, "u - w", Number(0.0))


def _moved(reading: Reading, value: Expression, target: str) -> Role | None:
    """A state that is changed by something that depends on itself."""
    parts = terms(value)
    others = [(sign, term) for sign, term in parts if (sign, term) != (True, Name(target))]
    if target not in reading.tree.state_names or len(parts) != 2 or len(others) != 1:
        return None
    ((sign, term),) = others
    phrase = f"`{target}`, moved at every step by {'' if sign else 'minus '}{said(term)}"
    return Role("moved", phrase, f"{target} = {target} + u", None)


def _memory(reading: Reading, value: Expression, target: str) -> Role | None:
    if target not in reading.tree.state_names or target in names_in(value) or not isinstance(value, Name):
        return None
    return Role("memory", f"keeps {said(value)} for the next step", "s = u, s being a state", Name(target))


LOOKS: tuple[Callable[[Reading, Expression, str], Role | None], ...] = (
    _memory, _moved, _number_of_step, _maximum, _sign, _clip, _choice, _of_tensor, _ratio, _root, _scaled, _mix,
)  # fmt: skip
