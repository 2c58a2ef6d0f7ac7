"""What was changed in a rule, from the rule that was read of a subject: the least edits, each confirmed.

It sees a question and a reading, and runs nothing but trees. Where it finds nothing, the search from outside is asked.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice, product

from mhat.checks.question import Question
from mhat.checks.readings.alignment import Alignment, alignments
from mhat.checks.readings.bindings import bindings
from mhat.checks.readings.frames import Frame
from mhat.checks.readings.known import Effect, covers, edits, effects, promising
from mhat.checks.readings.points import NEAR
from mhat.checks.readings.sentences import edits_of_way
from mhat.checks.readings.slips import Slip, changes_of
from mhat.checks.readings.walk import Walk, Way
from mhat.language.tree import Expression, Number, Operation, Tree
from mhat.language.walking import all_expressions
from mhat.mistakes.dialects import Dialect, dialects_of
from mhat.mistakes.paths import said
from mhat.mistakes.slots import Edit, assembled
from mhat.search.candidates import Candidate

# Seconds of the processor for all, and what share of them one way to align may take.
SECONDS, SHARE = 4.0, 0.4
# Slips in what one state becomes, edits together, alignments, answers that are confirmed, and beginnings of others.
DEEPEST, TOGETHER, ALIGNED, CONFIRMED, BEGUN, TRIED, SINGLY = 4, 5, 2, 12, 5, 12, 4
# How much farther than the nearest a way to lay states upon one another may be.
UNLIKE = 1.0
# Slips in what one state becomes that are looked for first.
FIRST = 2
# From this cost on an edit that nobody knows counts as two.
HEAVY = 2.0


@dataclass(frozen=True)
class Answer:
    """A candidate, and where each of its edits shows: operations of the rule that was read, by its lines."""

    candidate: Candidate
    seen: tuple[tuple[Seen, ...], ...] = ()
    weight: int = 1  # how many edits it is, where what is large counts as several
    undone: tuple[Tree, ...] = ()  # the rule with one of the edits taken back

    @property
    def cost(self) -> tuple[int, float]:
        """What the simplest has least of: edits, then how far-fetched they are."""
        return self.weight, self.candidate.cost[1]


@dataclass(frozen=True)
class Seen:
    """An operation of the rule that was read, and the line (from 0) in which it stands."""

    line: int
    node: Expression | None = None


def answers(
    question: Question, read: Tree, hidden: Sequence[str] = (), *, near: float = NEAR["float64"],
    seconds: float = SECONDS,
) -> list[Answer]:  # fmt: skip
    """Find the least edits of the rule, or of a form of it, that make what was read of its subject; confirmed ones.

    `hidden`: knobs that may be estimated. `near`: how exactly numbers were read.
    """
    until = time.thread_time() + seconds
    beginnings = _beginnings(question, read, hidden, near)
    diffs = [_Diff(each.alignment, until) for each in beginnings]
    plain = [diff for each, diff in zip(beginnings, diffs, strict=True) if not each.spoken][:SINGLY]
    found = [answer for diff in plain if not diff.late for answer in islice(diff.single(), CONFIRMED)]
    best = _plain(_confirmed(question, sorted(found, key=lambda each: each.cost)), read)
    if best and _oddness(best[0], read) and not plain[0].late:
        # An edit that is known and odd is no reason not to look for a plain one.
        best = _plain([*best, *_confirmed(question, plain[0].composed(best[0].weight))], read)
    for beginning, diff in zip(beginnings, diffs, strict=True):
        most = (best[0].weight - 1 if best else TOGETHER) - len(beginning.spoken)
        if most < 1 or diff.late:
            continue
        diff.until = time.thread_time() + SHARE * (until - time.thread_time())
        more = _confirmed(question, diff.answers(most))
        best = sorted([*best, *(_in_form(beginning.spoken, each) for each in more)], key=lambda each: each.cost)
        if best and best[0].weight <= len(diff.apart):
            # Each of what is apart needs an edit.
            break
    return [each for each in best if _oddness(each, read) <= _oddness(best[0], read)]


def _plain(found: Sequence[Answer], read: Tree) -> list[Answer]:
    """Keep what has the roots, squares and absolute values of what was read, or is nearest to that."""
    ordered = sorted(found, key=lambda each: (each.weight, _oddness(each, read), each.cost))
    return [each for each in ordered if _oddness(each, read) <= _oddness(ordered[0], read)]


def _oddness(answer: Answer, read: Tree) -> int:
    """Count the roots, squares and absolute values that a rule has more or fewer than what was read."""
    mine, theirs = _bends(answer.candidate.tree), _bends(read)
    return sum(((mine - theirs) + (theirs - mine)).values())


def _bends(tree: Tree) -> Counter[str]:
    found = Counter[str]()
    for node in all_expressions(tree):
        match node:
            case Operation("pow", (_, Number(0.5))) | Operation("sqrt"):
                found["root"] += 1
            case Operation("pow", (_, Number(2.0))):
                found["square"] += 1
            case Operation("mul", (one, other)) if one == other:
                found["square"] += 1
            case Operation("abs"):
                found["abs"] += 1
    return found


@dataclass(frozen=True)
class _Beginning:
    """A form of the reference, laid beside what was read."""

    alignment: Alignment
    spoken: tuple[Dialect, ...]
    distance: float


def _beginnings(question: Question, read: Tree, hidden: Sequence[str], near: float) -> list[_Beginning]:
    """Lay every form of the reference beside what was read in every way, the nearest first."""
    forms: list[tuple[tuple[Dialect, ...], Tree]] = [((), question.rule.tree)]
    forms += [(spoken, form.tree) for spoken, form in dialects_of(question.rule)]
    found = []
    for number, binding in enumerate(bindings(question, read, hidden)):
        for spoken, tree in forms:
            aligned = alignments(tree, binding, near, question.subject.tensors or 2)
            for alignment in [each for each in aligned if each.distance <= aligned[0].distance + UNLIKE][:ALIGNED]:
                odd = 0.6 * len(binding.estimated) + 0.05 * number + 1.0 * len(spoken)
                found.append(_Beginning(alignment, spoken, alignment.distance + odd))
    return sorted(found, key=lambda each: each.distance)[:TRIED]


def nearness(question: Question, read: Tree, hidden: Sequence[str], near: float) -> float:
    """Say how much of a rule is apart from what was read, however its states are laid upon it."""
    found = [
        alignments(question.rule.tree, each, near, question.subject.tensors or 2)[0]
        for each in islice(bindings(question, read, hidden), 2)
    ]
    return min(each.distance for each in found)


def _in_form(spoken: Sequence[Dialect], answer: Answer) -> Answer:
    """Count the form that a mistake was made in as edits too."""
    edits_of_form = tuple(Edit(dialect.name, (), "dialect") for dialect in spoken)
    candidate = replace(answer.candidate, edits=(*edits_of_form, *answer.candidate.edits))
    seen = (*(() for _ in spoken), *answer.seen)
    return replace(answer, candidate=candidate, seen=seen, weight=answer.weight + len(spoken))


def _confirmed(question: Question, found: Iterable[Answer]) -> list[Answer]:
    """Keep what does what the subject does, without the edits that do nothing there."""
    kept: list[Answer] = []
    for answer in islice(found, CONFIRMED):
        if kept and answer.weight > kept[0].weight:
            break
        tree, knobs = answer.candidate.tree, answer.candidate.knobs
        if not _does(question, tree, knobs) or not question.confirms(tree, knobs):
            continue
        # An edit that can be taken back and nothing is worse is none.
        if not any(_does(question, each, knobs) and question.confirms(each, knobs) for each in answer.undone):
            kept.append(answer)
    return kept


def _does(question: Question, tree: Tree, knobs: Mapping[str, float]) -> bool:
    return question.matcher.agreed(tree, knobs) == question.matcher.steps


class _Diff:
    """The differences of one alignment, up to a moment."""

    def __init__(self, alignment: Alignment, until: float) -> None:
        self.alignment = alignment
        self.until = until
        self.base = alignment.reference
        self._ways: dict[int, dict[str, list[Way]]] = {}

    @property
    def late(self) -> bool:
        """Whether time is up."""
        return time.thread_time() > self.until

    @cached_property
    def apart(self) -> frozenset[str]:
        """What becomes something else, or starts elsewhere."""
        starts = (f"start {name}" for name in self.alignment.starts_apart)
        return frozenset([*self.alignment.frame.apart, *starts])

    @cached_property
    def effects(self) -> list[Effect]:
        """What the edits that are known do."""
        return list(effects(self.alignment, self.base, self.alignment.frame, self.until)) if self.apart else []

    def ways(self, most: int) -> dict[str, list[Way]]:
        """Find the least slips that make right what is apart, each for itself, so many each at most."""
        if most not in self._ways:
            frame = self.alignment.frame
            self._ways[most] = {name: self._of(frame, name, most) for name in frame.apart}
        return self._ways[most]

    def single(self) -> Iterator[Answer]:
        """Yield the edits that are known and explain everything, the plainest first."""
        for effect in self.effects:
            if effect.right == self.apart and not effect.wrong:
                yield self._answer(self.base, (effect.edit,), Way(), (self._shown(effect.right),))

    def answers(self, most: int) -> Iterator[Answer]:
        """Yield sets of edits, the least first."""
        frame = self.alignment.frame
        if not self.apart:
            return
        made = [*self.single(), *self._composed(self.base, frame, self.ways(min(most, FIRST)), ())]
        made += [
            self._answer(self.base, tuple(e.edit for e in chosen), Way(), tuple(self._shown(e.right) for e in chosen))
            for chosen in islice(covers(self.effects, self.apart, most), CONFIRMED)
        ]
        if not made or min(each.weight for each in made) > max(FIRST, len(self.apart)):
            for edit, right in self._beginnings():
                made += self._begun(edit, right, most - 1)
        if not made and most > FIRST:
            made += self._composed(self.base, frame, self.ways(min(most, DEEPEST)), ())
        yield from sorted([each for each in made if each.weight <= most], key=lambda each: each.cost)

    def composed(self, most: int) -> list[Answer]:
        """Give the ways that are no more than so many edits, whether known ones explain it or not."""
        made = self._composed(self.base, self.alignment.frame, self.ways(min(most, FIRST)), ())
        return sorted([each for each in made if each.weight <= most], key=lambda each: each.cost)

    def _beginnings(self) -> list[tuple[Edit, frozenset[str]]]:
        """Choose edits that are known after which less is left: what makes a part right, or more of it alike."""
        partly = [e for e in self.effects if e.wrong or e.right != self.apart]
        partly = sorted(partly, key=lambda e: (-len(e.right), len(e.wrong), e.edit.cost))[:BEGUN]
        alike = promising(self.alignment, self.alignment.frame, self.until)[:BEGUN]
        return [
            *((edit, frozenset(self.alignment.frame.apart)) for edit in alike),
            *((e.edit, e.right) for e in partly),
        ]

    def _of(self, frame: Frame, name: str, most: int) -> list[Way]:
        return Walk(frame, self.until).ways(name, most)

    def _begun(self, edit: Edit, right: frozenset[str], most: int) -> list[Answer]:
        """Make an edit first, and see what is left."""
        tree = assembled(self.base, dict(edit.changes))
        if tree is None or time.thread_time() > self.until:
            return []
        frame = self.alignment.of(tree)
        ways = {name: self._of(frame, name, min(most, FIRST)) for name in frame.apart}
        return list(self._composed(tree, frame, ways, ((edit, right),)))

    def _composed(
        self,
        tree: Tree,
        frame: Frame,
        ways: dict[str, list[Way]],
        before: tuple[tuple[Edit, frozenset[str]], ...],
    ) -> Iterator[Answer]:
        """Join the ways of all that is apart."""
        if any(not some for some in ways.values()):
            return
        starts = self._starts(tree)
        if starts is None:
            return
        for chosen in islice(product(*(some[:4] for some in ways.values())), 64):
            way = Way()
            for each in chosen:
                way = way.joined(each)
            if way.slips or starts or before:
                first = (*(edit for edit, _ in before), *starts)
                seen = (*(self._shown(right) for _, right in before), *(() for _ in starts))
                yield self._answer(tree, first, way, seen)

    def _starts(self, tree: Tree) -> list[Edit] | None:
        """Make edits of the states that start elsewhere; None where a start cannot be written."""
        made = []
        for state in tree.states:
            if state.name not in self.alignment.shared:
                continue
            mine, theirs = self.alignment.starts(state.name, state.start)
            if self.alignment.algebra.equal(mine, theirs):
                continue
            start = _start(self.alignment, state.name)
            if start is None:
                return None
            made.append(_known_start(tree, state.name, start))
        return made

    def _shown(self, right: frozenset[str]) -> tuple[Seen, ...]:
        """Say where an edit that is known shows: where the least slips that do the same would be."""
        seen: dict[Seen, None] = {}
        known = self.ways(FIRST)
        for name in sorted(right & known.keys()):
            ways = known[name][:1]
            for way in ways:
                seen.update(dict.fromkeys(self._seen(way.slips)))
            if not ways:
                line, node = _line_of(self.alignment.frame.wanted(name).node, self.alignment.read.lines)
                seen.update({} if line is None else {Seen(line, node): None})
        return tuple(seen)

    def _seen(self, slips: Sequence[Slip]) -> list[Seen]:
        found = []
        for slip in slips:
            line, node = _line_of(slip.seen, self.alignment.read.lines)
            if line is not None:
                found.append(Seen(line, node))
        return found

    def _answer(
        self, tree: Tree, edits_first: tuple[Edit, ...], way: Way, seen: tuple[tuple[Seen, ...], ...]
    ) -> Answer:
        made = edits_of_way(tree, way)
        own = [edit for edit in edits_first if tree is self.base or all(slot[0] == "start" for slot in edit.slots)]

        def whole(without: Edit | None = None) -> Tree:
            changes = dict(changes_of(tree, [s for edit, slips in made if edit is not without for s in slips]))
            for edit in own:
                if edit is not without:
                    changes.update(edit.changes)
            return assembled(tree, changes) or tree

        every = (*edits_first, *(edit for edit, _ in made))
        shown = (*seen, *(tuple(self._seen(slips)) for _, slips in made))
        heavy = sum(_weight(edit) - 1 for edit, _ in made)
        undone = tuple(whole(edit) for edit in (*own, *(edit for edit, _ in made))) if len(every) > 1 else ()
        candidate = Candidate(whole(), every, dict(self.alignment.binding.estimated))
        return Answer(candidate, shown, len(every) + heavy, undone)


def _weight(edit: Edit) -> int:
    """Say as how many edits one counts that nobody knows and that is large."""
    return 1 if edit.operator != "read" else 1 + int(edit.cost >= HEAVY)


def _line_of(node: Expression | None, lines: object) -> tuple[int | None, Expression | None]:
    """Find the line of the rule that was read in which a part stands, or the first of what it was made of."""
    assert isinstance(lines, dict)
    waiting = [] if node is None else [node]
    while waiting:
        part = waiting.pop(0)
        if id(part) in lines:
            return lines[id(part)], part
        if isinstance(part, Operation):
            waiting += part.arguments
    return None, None


def _start(alignment: Alignment, name: str) -> Expression | None:
    return {state.name: state.start for state in alignment.read.tree.states}.get(alignment.shared[name])


def _known_start(tree: Tree, name: str, start: Expression) -> Edit:
    changes = ((("start", name), start),)
    same = [edit for edit in edits(tree).plain if edit.changes == changes]
    return same[0] if same else Edit(f"`{name}` starts at {said(start)}", changes, "start")
