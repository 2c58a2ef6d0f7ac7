"""Changes with a number of their own, usual ones first; which it is can be estimated. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from mhat.language.recurrences import shares_of
from mhat.language.tree import Assignment, Expression, Name, Number, Operation, Tree
from mhat.language.vocabulary import meaning_of
from mhat.language.walking import names_in
from mhat.mistakes.lines import before_all
from mhat.mistakes.paths import ONE, ZERO, G, T, X, operation, places, replaced, said
from mhat.mistakes.shapes import is_correction, terms
from mhat.mistakes.slots import FIRST, RESULT, Content, Edit, Slot, Spot, line_spots, spots
from mhat.mistakes.throughout import exchanged_name, throughout
from mhat.notation.decimals import near

BEFORE_T = operation("sub", T, ONE)
Make = Callable[[float], Edit]
Schedule = Callable[[float], tuple[Expression, str]]
Where = Callable[[Assignment], bool]
# Numbers that people write, by what they are for.
LIMITS = (1.0, 0.1, 0.5, 2.0, 5.0, 10.0)
NORMS = (1.0, 0.1, 0.5, 5.0, 10.0)
SHARES = (0.01, 0.1, 1e-3, 1e-4, 5e-4)
FACTORS = (0.5, 2.0, 0.1, 10.0, 0.9, 0.99, 1.0 / 32)
DECAYS = (0.99, 0.9, 0.95, 0.96, 0.995, 0.999)
RATES = (0.01, 0.1, 1e-3, 1.0)
CORRECTIONS, POWERS = (0.1, 0.001, 0.01, 0.5, 0.9, 0.999), (2, 3, 10, 100, 1000)
COUNTS = (2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
# Shorter ones are among the counters that stand in single lines too.
EPOCHS = (12, 20)
ONCE = "the step counter advances once in {}"


def numbered(tree: Tree) -> Iterator[Edit]:
    """Yield all of them, each with the usual numbers."""
    for family in (_limits, _terms, _factors, _schedules, _counts, _fixed):
        for make, usual in family(tree):
            yield from (open_edit(make, value) for value in usual)


def open_edit(make: Make, value: float) -> Edit:
    """Make an edit with a number that can be made again with another one."""
    return replace(make(value), number=value, another=lambda other: open_edit(make, other))


def _limits(tree: Tree) -> Iterator[tuple[Make, Sequence[float]]]:
    """Clip the gradient, a variable or the step to a number, or the gradient to a norm."""

    def of_gradient(limit: float) -> Edit:
        clip = operation("clip", G, operation("neg", Number(limit)), Number(limit))
        return before_all(clip, f"the gradient is clipped to {near(limit)}", "clipped", 1.1, FIRST)

    yield of_gradient, LIMITS
    for spot in (*line_spots(tree), *_step(tree)):

        def of_value(limit: float, spot: Spot = spot) -> Edit:
            clip = operation("clip", spot.part, operation("neg", Number(limit)), Number(limit))
            return spot.edit(clip, f"{said(spot.part)} is clipped to {near(limit)}", "clipped", 1.2)

        yield of_value, LIMITS
    for spot in _read_in_the_result(tree):

        def of_read(limit: float, spot: Spot = spot) -> Edit:
            clip = operation("clip", spot.part, operation("neg", Number(limit)), Number(limit))
            return spot.edit(clip, f"{said(spot.part)} is clipped to {near(limit)} where x is moved", "clipped", 1.15)

        yield of_read, LIMITS
    for spot in (*_step(tree), *(spot for spot in line_spots(tree) if _is_stepped(spot))):

        def of_length(limit: float, spot: Spot = spot) -> Edit:
            kept = operation("minimum", ONE, operation("div", Number(limit), Operation("norm", (spot.part,))))
            sentence = f"{said(spot.part)} is clipped to the norm {near(limit)}"
            return spot.edit(operation("mul", spot.part, kept), sentence, "clipped", 1.25)

        yield of_length, NORMS
    for over, whose in ((None, "tensor"), ("all", "model")):
        for added, cost in ((0.0, 1.15), (1e-6, 1.2)):

            def of_norm(limit: float, over: str | None = over, whose: str = whose, added: float = added,
                        cost: float = cost) -> Edit:  # fmt: skip
                norm = Operation("norm", (G,), over)
                size = operation("add", norm, Number(added)) if added else norm
                kept = operation("minimum", ONE, operation("div", Number(limit), size))
                sentence = f"the gradient is clipped to the norm {near(limit)} of the {whose}"
                return before_all(operation("mul", G, kept), sentence, "clipped", cost, FIRST)

            yield of_norm, NORMS


def _step(tree: Tree) -> Iterator[Spot]:
    """Yield what is taken from x."""
    if isinstance(tree.result, Operation) and tree.result.op in ("sub", "add"):
        yield Spot(tree, RESULT, (), tree.result).below(1)


def _read_in_the_result(tree: Tree) -> Iterator[Spot]:
    """Yield the states and the sums that the result is made of."""
    for step in _step(tree):
        for path, part in places(step.part):
            state = isinstance(part, Name) and part.id in tree.state_names
            if path and (state or (isinstance(part, Operation) and part.op in ("add", "sub"))):
                yield step.below(*path)


def _is_stepped(spot: Spot) -> bool:
    return spot.target in names_in(spot.tree.result) and "t" not in names_in(spot.part)


def _terms(tree: Tree) -> Iterator[tuple[Make, Sequence[float]]]:
    """Let the parameter decay by a number that the rule does not have: in the gradient, in the step, or all of x."""
    for pull, word in ((X, "x"), (operation("sign", X), "sign(x)")):

        def coupled(share: float, pull: Expression = pull, word: str = word) -> Edit:
            gradient = operation("add", G, operation("mul", Number(share), pull))
            return before_all(gradient, f"`{near(share)} * {word}` is added to the gradient", "term added")

        def decoupled(share: float, pull: Expression = pull, word: str = word) -> Edit:
            result = operation("sub", tree.result, operation("mul", Number(share), pull))
            sentence = f"`{near(share)} * {word}` is taken from the new x"
            return Edit(sentence, ((RESULT, result),), "term added", 1.15)

        yield coupled, SHARES
        yield decoupled, SHARES

    def scaled(share: float) -> Edit:
        pull = operation("mul", operation("mul", Name("lr"), Number(share)), X)
        sentence = f"`lr * {near(share)} * x` is taken from the new x"
        return Edit(sentence, ((RESULT, operation("sub", tree.result, pull)),), "term added", 1.1)

    if "lr" in tree.knob_names and "weight_decay" not in tree.knob_names:
        yield scaled, SHARES

    def shrunk(share: float) -> Edit:
        result = operation("mul", Number(1.0 - share), tree.result)
        return Edit(f"the new x is multiplied by {near(1.0 - share)}", ((RESULT, result),), "factor added", 1.2)

    yield shrunk, SHARES


def _factors(tree: Tree) -> Iterator[tuple[Make, Sequence[float]]]:
    """Put a number on the gradient, the step, a term with a knob, or the new part of an average."""

    def of_gradient(factor: float) -> Edit:
        sentence = f"the gradient is multiplied by {near(factor)}"
        return before_all(operation("mul", G, Number(factor)), sentence, "factor added", 1.15, FIRST)

    yield of_gradient, FACTORS
    averages = (spot for spot in line_spots(tree) if shares_of(spot.line) is not None)
    factors = [*_step(tree), *(term.spot for term in terms(tree)), *(spot.below(1) for spot in averages), *_kept(tree)]
    for spot in {(spot.slot, spot.path): spot for spot in factors}.values():

        def of_part(factor: float, spot: Spot = spot) -> Edit:
            sentence = f"{said(spot.part)} is multiplied by {near(factor)}"
            return spot.edit(operation("mul", Number(factor), spot.part), sentence, "factor added", 1.2)

        yield of_part, FACTORS


def _kept(tree: Tree) -> Iterator[Spot]:
    """Yield what is kept of a state whole, where it is added to: a sum that forgets."""
    for spot in line_spots(tree):
        if spot.target in tree.state_names and isinstance(spot.part, Operation) and spot.part.op in ("add", "maximum"):
            yield from (spot.below(i) for i in (0, 1) if spot.part.arguments[i] == Name(spot.target))


def _schedules(tree: Tree) -> Iterator[tuple[Make, Sequence[float]]]:
    """Let the learning rate fall by a number, warm up over so many steps, or fall once in so many; a knob too."""
    rules: list[tuple[str, Schedule, Sequence[float]]] = [
        ("lr", lambda c: (operation("pow", Number(c), T), f"is multiplied by {near(c)} at every step"), DECAYS),
        (
            "lr",
            lambda c: (operation("pow", Number(c), BEFORE_T), f"is multiplied by {near(c)} after every step"),
            DECAYS,
        ),
        ("lr", lambda c: (_inverse(c, T), f"is divided by `1 + {near(c)} * t`"), RATES),
        ("lr", lambda c: (_inverse(c, BEFORE_T), f"is divided by `1 + {near(c)} * (t - 1)`"), RATES),
        ("lr", _ramp, (*COUNTS, 20, 50, 100, 1000)),
    ]
    rules += [("lr", _stairs(every), (0.5, 0.1, 0.9)) for every in COUNTS]
    falling = rules[1][1]
    rules += [(knob, falling, (0.99, 0.999)) for knob in tree.knob_names if meaning_of(knob).is_share]
    for knob, factor, usual in rules:
        if knob not in tree.knob_names:
            continue

        def make(
            value: float, knob: str = knob, factor: Schedule = factor, where: Where | None = None, word: str = ""
        ) -> Edit:
            by, how = factor(value)
            changes = throughout(tree, exchanged_name(knob, operation("mul", Name(knob), by)), where)
            return Edit(f"{word}`{knob}` {how}", changes, "scheduled", 1.2)

        whole = make(usual[0]).changes
        if whole:
            yield make, usual
        if knob != "lr" and whole != make(usual[0], where=_is_plain).changes:
            yield partial(make, where=_is_plain, word="but for the corrections "), usual


def _is_plain(line: Assignment) -> bool:
    return "t" not in names_in(line.value)


def _inverse(rate: float, count: Expression) -> Expression:
    return operation("div", ONE, operation("add", ONE, operation("mul", Number(rate), count)))


def _ramp(steps: float) -> tuple[Expression, str]:
    return operation("minimum", ONE, operation("div", T, Number(steps))), f"is warmed up over {near(steps)} steps"


def _stairs(every: int) -> Schedule:
    def stairs(factor: float) -> tuple[Expression, str]:
        fallen = operation("pow", Number(factor), operation("floordiv", T, Number(float(every))))
        return fallen, f"is multiplied by {near(factor)} once in {every} steps"

    return stairs


def _counts(tree: Tree) -> Iterator[tuple[Make, Sequence[float]]]:
    """Count the steps by a number: so many a step, ahead by so many, up to so many; or correct so many steps."""
    counts: list[tuple[Callable[[Number], Expression], str, Sequence[float]]] = [
        (lambda c: operation("mul", c, T), "the step counter advances {} times a step", COUNTS),
        (lambda c: operation("add", T, c), "the step counter is {} ahead", COUNTS),
        (lambda c: operation("minimum", T, c), "the step counter stops at {}", COUNTS),
        (lambda c: operation("add", operation("floordiv", BEFORE_T, c), ONE), f"{ONCE} steps", EPOCHS),
        (lambda c: operation("floordiv", BEFORE_T, c), f"{ONCE} steps, starting at 0", EPOCHS),
        (lambda c: operation("floordiv", T, c), f"{ONCE} steps, the first time after that many", EPOCHS),
    ]
    for count, sentence, usual in counts:

        def counted(value: float, count: Callable[[Number], Expression] = count, sentence: str = sentence) -> Edit:
            changes = throughout(tree, exchanged_name("t", count(Number(value))))
            return Edit(sentence.format(near(value)), changes, "counter everywhere", 1.1)

        if counted(2.0).changes:
            yield counted, usual
    if _uncorrected(tree, T):

        def corrected(steps: float) -> Edit:
            changes = _uncorrected(tree, operation("le", T, Number(steps)))
            return Edit(f"the correction ends after {near(steps)} steps", changes, "one step", 1.15)

        yield corrected, COUNTS

    def moving(steps: float) -> Edit:
        due = operation("eq", operation("mod", T, Number(steps)), ZERO)
        result = operation("where", due, tree.result, X)
        return Edit(f"the parameter moves once in {near(steps)} steps only", ((RESULT, result),), "now and then", 1.15)

    yield moving, COUNTS


def _fixed(tree: Tree) -> Iterator[tuple[Make, Sequence[float]]]:
    """Put a number where a correction, or its power of the step number, should be."""
    for spot in spots(tree):
        part = spot.part
        if is_correction(part):

            def whole(number: float, spot: Spot = spot) -> Edit:
                sentence = f"{spot.where} the number {near(number)} stands where {said(spot.part)} should"
                return spot.edit(Number(number), sentence, "constant", 1.1)

            yield whole, CORRECTIONS
        if isinstance(part, Operation) and part.op == "pow" and part.arguments[1] == T:

            def power(number: float, spot: Spot = spot) -> Edit:
                assert isinstance(spot.part, Operation)
                new = operation("pow", spot.part.arguments[0], Number(number))
                return spot.edit(
                    new, f"{spot.where} {said(new)} stands where {said(spot.part)} should", "constant", 1.15
                )

            yield power, POWERS


def _uncorrected(tree: Tree, holds: Expression) -> tuple[tuple[Slot, Content], ...]:
    """Correct only while something holds: elsewhere what is divided stands as it is."""
    changes: list[tuple[Slot, Content]] = []
    for spot in line_spots(tree):
        for path, part in places(spot.part):
            if isinstance(part, Operation) and part.op == "div" and is_correction(part.arguments[1]):
                kept = operation("where", holds, part, part.arguments[0])
                changes.append(spot.change(replaced(spot.part, path, kept)))
                break
    return tuple(changes)
