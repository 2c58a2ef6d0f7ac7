"""All edits of a tree: the plain ones, which are tried in pairs too, and the far-fetched ones. It runs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from mhat.language.tree import Expression, Name, Number, Operation, Tree
from mhat.language.vocabulary import USUAL, meaning_of
from mhat.language.walking import names_in, subexpressions
from mhat.mistakes import (
    averages,
    brackets,
    conditions,
    food,
    limits,
    lines,
    matrices,
    new_states,
    numbered,
    throughout,
    truncated,
)  # fmt: skip
from mhat.mistakes.expressions import Key, changes, grafts, insertions, mixtures
from mhat.mistakes.paths import ONE, TWO, G, T, X, operation
from mhat.mistakes.shapes import is_correction, terms
from mhat.mistakes.slots import Edit, Spot, slots_of, worded_slots
from mhat.notation.decimals import near

Late = Callable[[], bool]
# More of one sort are not made: they would fill the memory. A rule of the library has some thousands.
MOST = 60_000
# Kinds of changes that people make in several lines at once, by the first part of their keys.
REPEATED = ("drop", "inverse", "op", "t", "number", "swap", "root", "c", "power")
# Of single lines, which may be made in lines alike; of several lines; and far-fetched ones.
LINES = (lines.stored_elsewhere, lines.forgotten, lines.at_one_step, lines.moved, lines.started, lines.twice)
SEVERAL = (
    lines.stored_back, throughout.counted, throughout.knobs_exchanged, throughout.corrections_complemented,
    throughout.terms_in_turn, lines.aliased, lines.skipped_at_zero, throughout.moved_terms,
)  # fmt: skip
EARLY = (limits.eps_before_correction, limits.reduced_over_all, throughout.weights_elsewhere, matrices.of_matrices)
STORED = (brackets.bracketed, food.fed, lines.stale, lines.also_stored, lines.result_stored, lines.averaged)
FAR = (
    limits.floored, limits.guarded, limits.cautious, limits.signs, limits.normalised, averages.averaging,
    numbered.numbered, matrices.iterations, new_states.remembering, new_states.scheduled, new_states.powers_in_a_line,
    conditions.changing, truncated.truncated,
)  # fmt: skip


@dataclass(frozen=True)
class Edits:
    """The edits of one tree; `cut`: there are more, which were not made."""

    plain: list[Edit]
    far: list[Edit]
    cut: bool = False

    @property
    def all(self) -> list[Edit]:
        """The plain ones, then the far-fetched ones."""
        return self.plain + self.far


def edits_of(tree: Tree, late: Late = lambda: False) -> Edits:
    """Derive every edit of a tree, or as many as there is time for: `late` is asked before each."""
    plain, more = _made(tree, _plain(tree), late)
    far, still_more = _made(tree, _far(tree), late)
    return Edits(plain, far, more or still_more)


def _made(tree: Tree, edits: Iterable[Edit], late: Late) -> tuple[list[Edit], bool]:
    """Make edits that change something, the first of equal ones, and say whether there are more."""
    slots = slots_of(tree)
    kept: dict[object, Edit] = {}
    for edit in edits:
        if late() or len(kept) >= MOST:
            return list(kept.values()), True
        if edit.changes not in kept and any(slots.get(slot) != content for slot, content in edit.changes):
            kept[edit.changes] = edit
    return list(kept.values()), False


def _plain(tree: Tree) -> Iterator[Edit]:
    keyed: list[tuple[Key, Edit]] = []
    by_name: list[tuple[Spot, dict[Key, Edit]]] = []
    for whole in worded_slots(tree):
        own: dict[Key, Edit] = {}
        for key, edit in changes(whole, _visible(whole), tree.knob_names):
            keyed.append((key, edit))
            if edit.operator == "name":
                own[key] = edit
            yield edit
        by_name.append((whole, own))
    for family in LINES:
        for edit in family(tree):
            if edit.family:
                keyed.append(((edit.family,), edit))
            yield edit
    for family in SEVERAL:
        yield from family(tree)
    yield from throughout.alike([(key, edit) for key, edit in keyed if len(key) == 1 or key[0] in REPEATED])
    # Not in the result, which is like no line.
    yield from _alike_by_name(by_name[:-1])
    for family in EARLY:
        yield from family(tree)


def _far(tree: Tree) -> Iterator[Edit]:
    for family in STORED:
        yield from family(tree)
    yield from _from_elsewhere(tree)
    for family in FAR:
        yield from family(tree)


def literals(tree: Tree, held: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """Yield usual values and the default for knobs that were told: the subject may not use what it is told."""
    for knob in tree.knobs:
        if knob.name in held:
            for value in dict.fromkeys((knob.default, *USUAL.get(knob.name, ()))):
                if value != held[knob.name]:
                    yield knob.name, value


def literal(tree: Tree, knob: str, value: float) -> Edit:
    """Put a number in the place of a knob, wherever it stands."""

    def make(other: float) -> Edit:
        edited = throughout.throughout(tree, throughout.exchanged_name(knob, Number(other)))
        return Edit(f"`{near(other)}` stands where `{knob}` should", edited, "literal", 1.3)

    return numbered.open_edit(make, value)


def _visible(whole: Spot) -> tuple[str, ...]:
    """List the names that may be read where a slot is computed."""
    tree = whole.tree
    before = tree.body[: whole.index] if whole.slot[0] == "line" else tree.body
    assigned = [target for line in before for target in line.targets]
    return tuple(dict.fromkeys(["x", "g", "t", "k", *tree.state_names, *assigned, *tree.knob_names]))


def _alike_by_name(by_name: Iterable[tuple[Spot, Mapping[Key, Edit]]]) -> Iterator[Edit]:
    """Join exchanges of names in lines that are alike up to names: `m` for `g` here, `v` for `g` there."""
    for (whole, own), (other, others) in combinations(by_name, 2):
        mapping = _mapping(whole.part, other.part)
        if mapping is None:
            continue
        for (kind, path, old, new), first in own.items():
            twin = others.get((kind, path, mapping.get(str(old), old), mapping.get(str(new), new)))
            crossed = others.get((kind, path, new, old)) if mapping.get(str(old)) == new else None
            for second in (twin, crossed):
                if second is not None:
                    sentence = f"{first.sentence} and {second.sentence}"
                    yield Edit(sentence, first.changes + second.changes, "name", 1.05)


def _mapping(a: Expression, b: Expression) -> dict[str, str] | None:
    """Map the names of one expression to those of another that is the same but for names; None if it is not."""
    if isinstance(a, Name) and isinstance(b, Name):
        return {a.id: b.id}
    if isinstance(a, Number) and a == b:
        return {}
    if not (isinstance(a, Operation) and isinstance(b, Operation)) or a.op != b.op or a.over != b.over:
        return None
    mapping: dict[str, str] = {}
    for first, second in zip(a.arguments, b.arguments, strict=True):
        part = _mapping(first, second)
        if part is None or any(mapping.get(name, other) != other for name, other in part.items()):
            return None
        mapping |= part
    return mapping


def _from_elsewhere(tree: Tree) -> Iterator[Edit]:
    """Put terms, factors and parts that stand elsewhere in the rule, or could, anywhere."""
    addends: list[Expression] = [term.expression for term in terms(tree)]
    addends += [operation("pow", term, TWO) for term in addends if isinstance(term, Name)]
    if "weight_decay" in tree.knob_names:
        addends.append(operation("mul", Name("weight_decay"), X))
    addends = list(dict.fromkeys(addends))
    pool = tuple(dict.fromkeys(_pool(tree)))
    always = tuple(_factors_of_time(tree, pool))
    for whole in worded_slots(tree):
        here = tuple(part for part in pool if names_in(part) <= {*_visible(whole), "t"})
        factors = always + tuple(
            part for part in here if isinstance(part, Operation) and names_in(part) <= {"t", *tree.knob_names}
        )
        yield from insertions(whole, addends, tuple(dict.fromkeys(factors)))
        yield from mixtures(whole)
        yield from grafts(whole, here)


def _factors_of_time(tree: Tree, pool: Iterable[Expression]) -> Iterator[Expression]:
    """Yield what a step may be multiplied by at any place: the step number, corrections and their roots."""
    yield from (T, operation("sqrt", T), operation("div", T, operation("add", T, ONE)))
    corrections = [part for part in pool if is_correction(part)]
    for knob in tree.knob_names:
        other = operation("sub", ONE, operation("pow", Name(knob), T))
        if meaning_of(knob).is_share and other not in corrections:
            corrections.append(other)
    roots = [operation("sqrt", part) for part in corrections]
    yield from (*corrections, *roots)
    yield from (operation("div", root, part) for root in roots for part in corrections if root.arguments[0] != part)


def _pool(tree: Tree) -> Iterator[Expression]:
    """Yield the parts of a rule that could stand elsewhere in it."""
    for whole in worded_slots(tree):
        for part in subexpressions(whole.part):
            if isinstance(part, Operation) and sum(1 for _ in subexpressions(part)) <= 9:
                yield part
    for name in ("g", "x", "m", "v"):
        if name in ("g", "x") or name in tree.state_names:
            yield operation("pow", Name(name), TWO)
            yield operation("abs", Name(name))
    yield operation("sub", G, X)
