"""Numbers that change from step to step, or with a knob, as expressions in `t`, `k` and the knobs. It sees no tape.

A form is believed when one constant makes it right in every step of every recording: there are more steps by far than
forms have freedom.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mhat.language.tree import Expression, Name, Number, Operation

Vector = np.ndarray[tuple[int], np.dtype[np.float64]]
ONE = Number(1.0)
CLOSE = 4e-12  # how near, against what rounding alone can do in a step or two
ROUND = 1e-15
MOST_BASES = 12  # that are tried; with a hundred numbers in the code a search would not end


@dataclass(frozen=True)
class Surroundings:
    """What the numbers may depend on, a vector over all steps of all recordings each; `bases`: decays that occur."""

    t: Vector
    k: Vector
    knobs: Mapping[str, Vector]
    bases: Sequence[float] = ()
    close: float = CLOSE
    deep: bool = True  # whether products of two terms are tried too


def op(name: str, *arguments: Expression) -> Operation:
    """Write an operation."""
    return Operation(name, arguments)


def number(value: float) -> Expression:
    """Write a number as people would: of few digits where it is one of few, `1 - 0.9` where it is that."""
    short = shortened(value)
    if short is not None:
        return Number(short)
    other = shortened(1.0 - value)
    if other is not None and 1.0 - other == value and 0.0 < value < 1.0:
        return op("sub", Number(1.0), Number(other))
    single = float(f"{value:.7g}")
    if value == float(np.float32(single)):
        return Number(single)
    other = float(f"{1.0 - value:.5g}")
    if 0.0 < value < 1.0 and value == float(np.float32(1.0) - np.float32(other)):
        return op("sub", Number(1.0), Number(other))
    return Number(value)


def shortened(value: float, digits: int = 10) -> float | None:
    """Give the number of few digits that a value is, but for its last bits; None if there is none."""
    if value == 0.0 or not np.isfinite(value):
        return value
    short = float(f"{value:.{digits}g}")
    return short if abs(short - value) <= ROUND * abs(value) else None


def fitted(values: Vector, around: Surroundings) -> Expression | None:
    """Find the expression that a sequence of numbers is; None if none is found."""
    if bool(np.all(values == values[0])) or bool(np.all(np.isnan(values))):
        return number(float(values[0]))
    if float(np.ptp(values)) <= max(ROUND, around.close / 100) * abs(float(values[0])):
        return number(float(np.median(values)))
    if not np.all(np.isfinite(values)):
        return None
    counted = _counts(values, around)
    if counted is not None:
        return counted
    return _of_terms(values, around)


def _counts(values: Vector, around: Surroundings) -> Expression | None:
    """Find whole numbers that count: t + 1, 2 * t, (t + 1) // 2, per tensor, up to a limit."""
    if not np.all(values == np.round(values)):
        return None
    t, k = around.t, around.k
    unknowns = np.stack([np.ones_like(t), t, k], 1)
    solution, *_ = np.linalg.lstsq(unknowns, values, rcond=None)
    a, b, c = (round(float(each) * 2) / 2 for each in solution)
    if np.ptp(k) == 0:
        a, c = a + c * float(k[0]), 0.0
        a, b = (float(np.round(each)) for each in np.linalg.lstsq(unknowns[:, :2], values, rcond=None)[0])
    if bool(np.all(a + b * t + c * k == values)):
        return affine(a, [(b, Name("t")), (c, Name("k"))])
    others = values - b * t
    first = k == 1
    if np.ptp(k) and len(set(others[first])) == len(set(others[~first])) == 1:
        ahead = float(others[~first][0] - others[first][0])
        return affine(float(others[first][0]), [(b, Name("t")), (ahead, op("gt", Name("k"), ONE))])
    for divisor, shift in itertools.product((*range(2, 13), 16, 20), range(-5, 12)):
        for scale, offset in itertools.product((1.0, float(divisor)), (0.0, 1.0)):
            if bool(np.all((t + shift) // divisor * scale + offset == values)):
                divided = op("floordiv", affine(shift, [(1.0, Name("t"))]), Number(divisor))
                return affine(offset, [(scale, divided)])
        if bool(np.all((t + shift) % divisor == values)):
            return op("mod", affine(shift, [(1.0, Name("t"))]), Number(divisor))
    for name, edge in (("minimum", float(values.max())), ("maximum", float(values.min()))):
        for shift in range(-2, 3):
            if bool(np.all(getattr(np, name)(t + shift, edge) == values)):
                return op(name, affine(shift, [(1.0, Name("t"))]), Number(edge))
    return None


def is_plain(values: Sequence[tuple[tuple[int, int], float]], tensors: Sequence[int]) -> bool:
    """Whether numbers are always the same, or count steps: then nothing more need be known of them."""
    numbers = np.array([value for _, value in values])
    if bool(np.all(numbers == numbers[0])):
        return True
    t = np.array([float(index[1]) for index, _ in values])
    k = np.array([float(tensors[index[0]] + 1) for index, _ in values])
    return len(set(t)) > 3 and _counts(numbers, Surroundings(t, k, {})) is not None


def affine(constant: float, terms: Sequence[tuple[float, Expression]]) -> Expression:
    """Write a sum of a constant and multiples."""
    made: Expression | None = None
    for factor, term in terms:
        if factor == 0.0:
            continue
        size = term if abs(factor) == 1.0 else op("mul", Number(abs(factor)), term)
        if made is None:
            made = op("neg", size) if factor < 0 else size
        else:
            made = op("sub" if factor < 0 else "add", made, size)
    if made is None:
        return Number(constant)
    if constant == 0.0:
        return made
    return op("sub" if constant < 0 else "add", made, Number(abs(constant)))


# How a number may be made of what is looked for: what that is, given the number, and the number written with it.
Transform = tuple[Callable[[Vector], Vector], Callable[[Expression], Expression]]
TRANSFORMS: tuple[Transform, ...] = (
    (lambda c: c, lambda e: e),
    (lambda c: 1 - c, lambda e: op("sub", ONE, e)),
    (lambda c: c**2, lambda e: op("sqrt", e)),
    (lambda c: c - 1, lambda e: op("add", ONE, e)),
    (lambda c: 1 / c - 1, lambda e: op("div", ONE, op("add", ONE, e))),
    (lambda c: 1 - 1 / c, lambda e: op("div", ONE, op("sub", ONE, e))),
    (lambda c: 1 - c**2, lambda e: op("sqrt", op("sub", ONE, e))),
)


def _of_terms(values: Vector, around: Surroundings) -> Expression | None:
    with np.errstate(all="ignore"):
        changed = [(transform(values), written) for transform, written in TRANSFORMS]
        bases = [
            *around.bases[:MOST_BASES],
            *(base for target, _ in changed[:3] for base in _own_bases(target, around)),
        ]
        terms = list(_terms(around, dict.fromkeys(bases)))
        for depth in (1, 2) if around.deep else (1,):
            for target, written in changed:
                # What is left of a difference of near numbers has lost digits.
                loss = max(ROUND, around.close / 100) * np.maximum(np.abs(values), 1.0) / np.abs(target)
                found = _product(target, loss, terms, around, depth)
                if found is not None:
                    return written(found)
    return None


def _own_bases(target: Vector, around: Surroundings) -> Iterator[float]:
    """Give the base of a sequence that is a power of t."""
    order = np.argsort(around.t, kind="stable")
    steps, first = np.unique(around.t[order], return_index=True)
    each = target[order][first]
    if len(each) < 4 or not np.all(np.isfinite(each)) or np.any(each == 0):
        return
    ratio = (each[2] / each[0]) ** (1 / max(steps[2] - steps[0], 1))
    for digits in (2, 3, 4, 5, 6, 8):
        base = float(f"{ratio:.{digits}g}")
        if (
            base > 0
            and base != 1.0
            and bool(np.all(np.abs(each / each[0] / base ** (steps - steps[0]) - 1) < max(1e-9, 30 * around.close)))
        ):
            yield base
            return


Term = tuple[Expression, Vector]


def _terms(around: Surroundings, bases: Mapping[float, None]) -> Iterator[Term]:
    t = around.t
    step = Name("t")
    yield step, t
    for shift in (-1.0, 1.0, 2.0):
        yield affine(shift, [(1.0, step)]), t + shift
    yield op("sqrt", step), np.sqrt(t)
    rates: list[Term] = [(Name(name), vector) for name, vector in around.knobs.items()]
    for name, vector in rates:
        yield name, vector
        yield op("sub", ONE, name), 1 - vector
        yield op("add", ONE, op("mul", name, step)), 1 + vector * t
    rates += [(Number(base), np.full_like(t, base)) for base in bases if 0 < base < 2]
    for name, vector in rates:
        for shift in (0.0, -1.0, 1.0):
            power = op("pow", name, affine(shift, [(1.0, step)]))
            value = vector ** (t + shift)
            yield power, value
            yield op("sub", ONE, power), 1 - value
            yield op("sqrt", op("sub", ONE, power)), np.sqrt(1 - value)
        yield from _counted_powers(name, vector, around)


def _counted_powers(name: Expression, vector: Vector, around: Surroundings) -> Iterator[Term]:
    t, k = around.t, around.k
    several = max(float(k.max()), 1.0)
    counts: list[Term] = [(op("floordiv", affine(1.0, [(1.0, Name("t"))]), Number(2.0)), (t + 1) // 2)]
    if np.ptp(k):
        shifted = affine(-several, [(several, Name("t")), (1.0, Name("k"))])
        counts.append((shifted, several * (t - 1) + k))
    counts.append((op("mul", Number(2.0), Name("t")), 2 * t))
    for count, value in counts:
        yield op("pow", name, count), vector**value
        yield op("sub", ONE, op("pow", name, count)), 1 - vector**value


def _product(
    target: Vector, loss: Vector, terms: Sequence[Term], around: Surroundings, depth: int
) -> Expression | None:
    """Find the target as a constant times a term, or a product or quotient of two."""
    if not np.all(np.isfinite(target)) or np.any(target == 0):
        return None
    table = np.stack([vector for _, vector in terms])
    whole = np.concatenate([table, 1 / table])  # divided by, or multiplied with
    count = len(terms)
    if depth == 1:
        for i in _steady(target / whole, loss, around):
            factor = _constant(target / whole[i], loss, around)
            if factor is not None:
                one = terms[i % count][0]
                return _scaled(factor, one if i < count else None, None if i < count else one)
        return None
    for i in range(len(whole)):
        rest = target / whole[i]
        for j in _steady(rest / whole[i % count :], loss, around):
            j += i % count
            factor = _constant(rest / whole[j], loss, around)
            if factor is None:
                continue
            pair = ((terms[i % count][0], i < count), (terms[j % count][0], j < count))
            return _scaled(factor, _joined([e for e, up in pair if up]), _joined([e for e, up in pair if not up]))
    return None


def _steady(rows: np.ndarray[Any, Any], loss: Vector, around: Surroundings) -> list[int]:
    """Give the rows that are one number all along, but for rounding."""
    first = rows[:, :1]
    near = np.abs(rows / first - 1) <= 2 * (around.close + 8 * (loss + loss[0]))
    return [int(i) for i in np.flatnonzero(near.all(axis=1))]


def _joined(terms: Sequence[Expression]) -> Expression | None:
    return None if not terms else terms[0] if len(terms) == 1 else op("mul", *terms)


def _constant(rest: Vector, loss: Vector, around: Surroundings) -> float | None:
    """Give the number that a vector is all along, but for rounding."""
    middle = float(np.median(rest))
    if not np.isfinite(middle) or middle == 0.0:
        return None
    if bool(np.all(np.abs(rest / middle - 1) <= around.close + 8 * loss)):
        sharp = rest[np.argmin(loss)]
        for digits in range(1, 13):
            short = float(f"{sharp:.{digits}g}")
            if abs(short / sharp - 1) <= max(4e-15, around.close / 100) + 8 * float(loss.min()):
                return short
        return float(sharp)
    return None


def _scaled(factor: float, above: Expression | None, below: Expression | None) -> Expression:
    size = abs(factor)
    whole: Expression = number(size) if above is None or size != 1.0 else above
    if above is not None and size != 1.0:
        whole = op("mul", whole, above)
    if below is not None:
        whole = op("div", whole, below)
    return op("neg", whole) if factor < 0 else whole
