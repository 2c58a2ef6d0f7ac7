"""All edits of a tree: the plain ones, which are tried in pairs too, and the far-fetched ones. It runs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from mhat.language.tree import Expression, Name, Number, Operation, Tree
from mhat.language.vocabulary import USUAL, meaning_of
from mhat.language.walking import names_in, subexpressions
from mhat.mistakes import averages, limits, lines, new_states, numbered, throughout
from mhat.mistakes.expressions import Change, changes, grafts, insertions, mixtures
from mhat.mistakes.paths import operation
from mhat.mistakes.slots import RESULT, Content, Edit, Slot, slots_of

TWO = Number(2.0)


@dataclass(frozen=True)
class Edits:
    """The edits of one tree."""

    plain: list[Edit]
    far: list[Edit]

    @property
    def all(self) -> list[Edit]:
        """The plain ones, then the far-fetched ones."""
        return self.plain + self.far


def edits_of(tree: Tree) -> Edits:
    """Derive every edit of a tree."""
    keyed = list(_line_changes(tree))
    plain = [edit for _, edit in keyed]
    whole: list[Edit] = []
    for family in (
        lines.stored_elsewhere,
        lines.forgotten,
        lines.at_one_step,
        lines.moved,
        lines.started,
        lines.twice,
    ):
        found = list(family(tree))
        whole += found
        keyed += [((edit.family,), edit) for edit in found if edit.family]
    plain += whole
    for family in (
        lines.stored_back,
        throughout.counted,
        throughout.knobs_exchanged,
        throughout.corrections_complemented,
        throughout.terms_in_turn,
        lines.aliased,
        lines.skipped_at_zero,
        throughout.moved_addends,
    ):
        plain += family(tree)
    plain += throughout.alike([(key, edit) for key, edit in keyed if _may_repeat(key)])
    plain += _alike_by_name(tree)
    plain += [*limits.eps_before_correction(tree), *limits.reduced_over_all(tree), *throughout.weights_elsewhere(tree)]
    far = [*lines.also_stored(tree), *lines.result_stored(tree), *lines.averaged(tree), *_far(tree)]
    for far_family in (
        limits.floored,
        limits.guarded,
        limits.cautious,
        limits.signs,
        limits.normalised,
        averages.averaging,
        numbered.numbered,
        new_states.remembering,
        new_states.scheduled,
        new_states.powers_in_a_line,
    ):
        far += far_family(tree)
    return Edits(list(_distinct(tree, plain)), list(_distinct(tree, far)))


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
        return Edit(f"`{other:.6g}` stands where `{knob}` should", edited, "literal", 1.3)

    return numbered.open_edit(make, value)


# Kinds of changes that people make in several lines at once, by the first part of their keys.
REPEATED = ("drop", "inverse", "op", "t", "number", "swap", "root", "c", "power")


def _may_repeat(key: tuple[object, ...]) -> bool:
    return len(key) == 1 or key[0] in REPEATED


def _distinct(tree: Tree, edits: Iterable[Edit]) -> Iterator[Edit]:
    """Keep edits that change something, the first of equal ones."""
    slots = slots_of(tree)
    seen = set()
    for edit in edits:
        if edit.changes not in seen and any(slots.get(slot) != content for slot, content in edit.changes):
            seen.add(edit.changes)
            yield edit


def _visible(tree: Tree, index: int) -> tuple[str, ...]:
    before = [target for line in tree.body[:index] for target in line.targets]
    inputs = ["x", "g", "t", "k"]
    return tuple(dict.fromkeys([*inputs, *tree.state_names, *before, *tree.knob_names]))


def _slots(tree: Tree) -> Iterator[tuple[Slot, Expression, tuple[str, ...]]]:
    for i, line in enumerate(tree.body):
        if len(line.targets) == 1:
            yield ("line", i), line.value, _visible(tree, i)
    yield RESULT, tree.result, _visible(tree, len(tree.body))


def _edit(tree: Tree, slot: Slot, change: Change) -> Edit:
    content: Content = change.expression
    sentence = change.sentence
    if slot != RESULT:
        line = tree.body[int(slot[1])]
        content = (replace(line, value=change.expression),)
        sentence = f"in `{line.targets[0]}` {sentence}"
    else:
        sentence = f"in the result {sentence}"
    return Edit(sentence, ((slot, content),), change.operator, change.cost)


def _line_changes(tree: Tree) -> Iterator[tuple[tuple[object, ...], Edit]]:
    for slot, value, visible in _slots(tree):
        for change in changes(value, visible, tree.knob_names):
            yield change.key, _edit(tree, slot, change)


def _alike_by_name(tree: Tree) -> Iterator[Edit]:
    """Join exchanges of names in lines that are alike up to names: `m` for `g` here, `v` for `g` there."""
    lines = [(slot, value, visible) for slot, value, visible in _slots(tree) if slot != RESULT]
    for i, (slot, value, visible) in enumerate(lines):
        for other_slot, other_value, other_visible in lines[i + 1 :]:
            mapping = _mapping(value, other_value)
            if mapping is None:
                continue
            others = {
                change.key: change
                for change in changes(other_value, other_visible, tree.knob_names)
                if change.operator == "name"
            }
            for change in changes(value, visible, tree.knob_names):
                if change.operator != "name":
                    continue
                kind, path, old, new = change.key
                twin = others.get((kind, path, mapping.get(str(old), old), mapping.get(str(new), new)))
                crossed = others.get((kind, path, new, old)) if mapping.get(str(old)) == new else None
                for partner in (twin, crossed):
                    if partner is not None:
                        first, second = _edit(tree, slot, change), _edit(tree, other_slot, partner)
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
    found: dict[str, str] = {}
    for first, second in zip(a.arguments, b.arguments, strict=True):
        part = _mapping(first, second)
        if part is None or any(found.get(key, new) != new for key, new in part.items()):
            return None
        found |= part
    return found


def _far(tree: Tree) -> Iterator[Edit]:
    terms = [term for _, _, _, term in throughout.addends(tree)]
    terms += [operation("pow", term, TWO) for term in terms if isinstance(term, Name)]
    if "weight_decay" in tree.knob_names:
        terms.append(operation("mul", Name("weight_decay"), Name("x")))
    pool = tuple(dict.fromkeys(_pool(tree)))
    lagging = operation("div", Name("t"), operation("add", Name("t"), Number(1.0)))
    clock = (Name("t"), operation("sqrt", Name("t")), lagging)
    corrections = [part for part in pool if _is_correction(part)]
    for knob in tree.knob_names:
        other = operation("sub", Number(1.0), operation("pow", Name(knob), Name("t")))
        if meaning_of(knob).is_share and other not in corrections:
            corrections.append(other)
    roots = [operation("sqrt", part) for part in corrections]
    folded = [operation("div", root, part) for root in roots for part in corrections if root.arguments[0] != part]
    always: tuple[Expression, ...] = (*clock, *corrections, *roots, *folded)
    for slot, value, visible in _slots(tree):
        here = tuple(part for part in pool if names_in(part) <= {*visible, "t"})
        factors = always + tuple(part for part in here if _is_factor(part, tree))
        for change in insertions(value, tuple(dict.fromkeys(terms)), factors):
            yield _edit(tree, slot, change)
        for change in mixtures(value):
            yield _edit(tree, slot, change)
        for change in grafts(value, here):
            yield _edit(tree, slot, change)


def _pool(tree: Tree) -> Iterator[Expression]:
    """Yield the parts of a rule that could stand elsewhere in it."""
    for _, value, _ in _slots(tree):
        for part in subexpressions(value):
            if isinstance(part, Operation) and sum(1 for _ in subexpressions(part)) <= 9:
                yield part
    for name in ("g", "x", "m", "v"):
        if name in ("g", "x") or name in tree.state_names:
            yield operation("pow", Name(name), TWO)
            yield operation("abs", Name(name))
    yield operation("sub", Name("g"), Name("x"))


def _is_correction(part: Expression) -> bool:
    """Whether a part is one minus a power of the step number."""
    return (
        isinstance(part, Operation) and part.op == "sub" and part.arguments[0] == Number(1.0) and "t" in names_in(part)
    )


def _is_factor(part: Expression, tree: Tree) -> bool:
    return isinstance(part, Operation) and names_in(part) <= {"t", *tree.knob_names}
