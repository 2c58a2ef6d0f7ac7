"""A slip in the lines of one tensor alone: the tensors are searched apart, and what is found is said of that one.

It knows no subject and no edit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mhat.language.tree import Assignment, Expression, Name, Number, Operation, Tree
from mhat.search.answers import Confirm
from mhat.search.candidates import Candidate
from mhat.search.effort import Effort
from mhat.search.matching import Matcher
from mhat.search.observed import Observed, Probes
from mhat.search.search import Search

# How deep the lines of some tensors are searched, and which share of the time what all have in common may take.
DEPTH, IN_COMMON = 3, 0.15


class OneTensor:
    """The searches of one rule, tensor by tensor."""

    def __init__(
        self, tree: Tree, matcher: Matcher, confirmed: Confirm, effort: Effort, hidden: tuple[str, ...],
        held: Mapping[str, float],
    ) -> None:  # fmt: skip
        self.tree = tree
        self.matcher = matcher
        self.confirmed = confirmed
        self.effort = effort
        self.hidden = hidden
        self.held = held
        self.tensors = matcher.observed.probes.gradients.shape[2]
        self.parts = [part_of(matcher, (i,)) for i in range(self.tensors)] if self.tensors > 1 else []

    def of_rule(self, until: float) -> list[Candidate]:
        """Find what was changed where the other tensors follow the rule."""
        return self._beside(Candidate(self.tree, ()), until)

    def of_common(self, until: float, deep: int) -> list[Candidate]:
        """Find what was changed in all tensors by so many edits, and in one of them besides."""
        # At least one of two tensors does what most do.
        for i, part in enumerate(self.parts[:2]):
            if self.effort.late(until):
                break
            apart = self._search(self.tree, part, lambda candidate, i=i: self._is_common(candidate, i))  # type: ignore[misc]
            ends = self.effort.share(IN_COMMON, until)
            for depth in range(1, deep + 1):
                for common in apart.at(depth, ends):
                    if found := self._beside(common, until):
                        return found
        return []

    def _is_common(self, candidate: Candidate, own: int) -> bool:
        """Whether what one tensor does is what some of the others do, and not all."""
        agree = [self._agrees(candidate, i) for i in range(self.tensors) if i != own]
        return not candidate.knobs and any(agree) and not all(agree)

    def _agrees(self, candidate: Candidate, tensor: int) -> bool:
        part = self.parts[tensor]
        return part.agreed(candidate.tree, candidate.knobs) == part.steps

    def _search(self, tree: Tree, matcher: Matcher, confirmed: Confirm) -> Search:
        return Search(tree, matcher, confirmed, self.effort, self.hidden, self.held)

    def _beside(self, common: Candidate, until: float) -> list[Candidate]:
        """Find what some tensors do beside what all do."""
        odd = [i for i in range(len(self.parts)) if not self._agrees(common, i)]
        if not 0 < len(odd) < len(self.parts) or 1 < len(odd) < len(self.parts) - 1:
            return []
        even = [i for i in range(self.tensors) if i not in odd]
        which, words = _those(odd, even)

        def whole(candidate: Candidate) -> Candidate | None:
            tree = _joined(common.tree, candidate.tree, which)
            edits = tuple(replace(edit, sentence=f"{words}: {edit.sentence}") for edit in candidate.edits)
            return tree and Candidate(tree, (*common.edits, *edits), dict(candidate.knobs))

        def confirmed(candidate: Candidate) -> bool:
            joined = whole(candidate)
            if joined is None or self.matcher.agreed(joined.tree, joined.knobs) != self.matcher.steps:
                return False
            return self.confirmed(joined)

        search = self._search(common.tree, part_of(self.matcher, odd), confirmed)
        for depth in range(1, DEPTH + 1):
            found = [joined for candidate in search.at(depth, until) if (joined := whole(candidate)) is not None]
            if found or self.effort.late(until):
                return found
        return []


def part_of(matcher: Matcher, tensors: tuple[int, ...] | list[int]) -> Matcher:
    """Keep what was seen of some tensors."""
    observed, chosen = matcher.observed, list(tensors)
    probes = observed.probes
    own = Probes(probes.gradients[:, :, chosen], probes.start[:, chosen], probes.knobs, probes.observe)
    slack = np.broadcast_to(observed.slack, observed.values.shape)[:, :, chosen]
    bound = np.broadcast_to(matcher.bound, observed.values.shape)[:, :, chosen]
    return Matcher(Observed(own, observed.values[:, :, chosen], slack), bound)


def _those(odd: list[int], even: list[int]) -> tuple[Expression, str]:
    """Give the condition that holds for some tensors, and words for it."""
    if len(odd) == 1:
        return Operation("eq", (Name("k"), Number(odd[0] + 1.0))), f"in tensor {odd[0] + 1} alone"
    return Operation("ne", (Name("k"), Number(even[0] + 1.0))), f"in all tensors but number {even[0] + 1}"


def _joined(common: Tree, other: Tree, which: Expression) -> Tree | None:
    """Let some tensors follow another rule; None where that cannot be written line by line."""
    if common.states != other.states or common.knobs != other.knobs:
        return None
    body: list[Assignment] = []
    lines = list(common.body)
    for line in other.body:
        if lines and lines[0].targets == line.targets:
            mine = lines.pop(0)
            body.append(mine if mine == line else replace(line, value=_chosen(which, line.value, mine.value)))
        elif line.targets in (("g",), ("x",)):
            body.append(replace(line, value=_chosen(which, line.value, Name(line.targets[0]))))
        else:
            return None
    if lines:
        return None
    result = other.result if other.result == common.result else _chosen(which, other.result, common.result)
    inputs = tuple(dict.fromkeys((*common.inputs, *other.inputs, "k")))
    return replace(common, inputs=inputs, body=tuple(body), result=result)


def _chosen(which: Expression, there: Expression, elsewhere: Expression) -> Expression:
    """Choose as deep in two expressions as they are the same."""
    if (
        isinstance(there, Operation) and isinstance(elsewhere, Operation)
        and (there.op, there.over) == (elsewhere.op, elsewhere.over) and there.op != "where"
    ):  # fmt: skip
        unlike = [i for i, (a, b) in enumerate(zip(there.arguments, elsewhere.arguments, strict=True)) if a != b]
        if len(unlike) == 1:
            i = unlike[0]
            arguments = list(there.arguments)
            arguments[i] = _chosen(which, there.arguments[i], elsewhere.arguments[i])
            return replace(there, arguments=tuple(arguments))
    return Operation("where", (which, there, elsewhere))
