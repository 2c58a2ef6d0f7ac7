"""From what was changed to what becomes of it: claims that read as a short argument. It knows no rule by name.

argue(right, wrong)     at most eight sentences: the cause, what it makes of states, of steps, of training
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from mhat.explanations.claims import Claim
from mhat.explanations.consequences import compositions, landings, standings
from mhat.explanations.consequences.causes import Cause, causes_of
from mhat.explanations.consequences.effects import Effect, of_course
from mhat.explanations.consequences.namesakes import aligned
from mhat.explanations.consequences.pairs import Pair
from mhat.explanations.consequences.panel import STEADY, Panel
from mhat.explanations.consequences.shapes import Shape, shape_of
from mhat.explanations.consequences.traits import effects_of
from mhat.language import Level, Rule

MOST = 8
# Traits that repeat what the course says already, where their factor is the same.
REPEATING = frozenset({"noise", "alternation", "rare"})
# After these nothing is left to be said of how the steps answer.
FATAL = frozenset({"not finite", "still", "dies"})
# What can be so beside a step that is a number of times as long for all gradients.
BESIDE = frozenset({"not finite", "idle", "pull", "coupling", "tensors"})
STEADY_KINDS = frozenset({*REPEATING, "memory", "fading"})


@dataclass(frozen=True)
class Argument:
    """The sentences in their order, each with its class."""

    effects: tuple[Effect, ...]

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The sentences as claims."""
        return tuple(
            Claim("why", f"{effect.sentence}.", "computed", effect.evidence, effect.about) for effect in self.effects
        )

    @property
    def kinds(self) -> tuple[str, ...]:
        """The classes of consequence."""
        return tuple(dict.fromkeys(effect.kind for effect in self.effects))


def argue(right: Rule, wrong: Rule, knobs: Mapping[str, float] | None = None) -> tuple[Claim, ...]:
    """Say why a rule moves otherwise than the right one: from the change to its consequence, in claims.

    `knobs`: those in force where they are no defaults. Nothing is said of rules per matrix, and of equal ones.

    >>> from mhat import rules
    >>> from mhat.language import rule
    >>> wrong = rule("def sgd(x, g, *, lr=0.1): return x - 2 * lr * g")
    >>> [claim.sentence for claim in argue(rules.sgd, wrong)][0]
    'The step is twice what it should be.'
    """
    return argument_of(Pair(right, wrong, dict(knobs or {}))).claims


def argument_of(pair: Pair) -> Argument:
    """Make the argument for a pair."""
    if Level.MATRIX in (pair.right.level, pair.wrong.level) or pair.right.tree == pair.wrong.tree:
        return Argument(())
    panel = Panel(aligned(pair))
    with np.errstate(all="ignore"):
        return Argument(tuple(_said(panel, causes_of(panel.pair)))[:MOST])


def _said(panel: Panel, causes: list[Cause]) -> Iterator[Effect]:
    pair = panel.pair
    steady = panel.course(STEADY)
    begin = list(standings.of_causes(panel, causes))
    yield from begin
    if not begin:
        yield from landings.first_to_part(panel)
    shape = shape_of(*steady.moves)
    composed = compositions.of_step(panel, [cause.factor for cause in causes if cause.factor is not None])
    everywhere = composed is not None or _is_everywhere(panel, shape)
    course = composed or of_course(pair, steady, everywhere)
    if course is not None:
        yield course
    fatal = course is not None and course.kind in FATAL
    yield from _traits(panel, course, everywhere, fatal, composed is not None)
    where = list(landings.where_it_shows(panel, everywhere))
    yield from where
    harmless = any(effect.kind == "harmless" for effect in where)
    yield from (effect for effect in landings.in_a_bowl(panel) if not (harmless and effect.kind == "comes down"))


def _is_everywhere(panel: Panel, shape: Shape) -> bool:
    """Whether the steps are the same number of times as long with any gradients."""
    if shape.kind != "constant":
        return False
    others = [shape_of(*course.moves) for _, course in panel.ranked if not course.setting.start]
    return all(
        other.kind == "constant" and abs(other.last - shape.last) < 1e-3 * abs(shape.last)
        for other in others
        if other.factors
    )


def _traits(
    panel: Panel, course: Effect | None, everywhere: bool, fatal: bool, composed: bool = False
) -> Iterator[Effect]:
    """Choose the traits that say more than the course does."""
    most = 3 if course is None else 1 if fatal else 2
    said = {course.kind} if course is not None else set()
    for effect in effects_of(panel):
        if most == 0:
            return
        repeats = effect.kind in REPEATING and (everywhere or (course is not None and _alike(effect, course)))
        if effect.kind in said or repeats or (fatal and effect.kind in STEADY_KINDS):
            continue
        if (composed and effect.kind not in BESIDE) or (course is not None and effect.kind == "eps"):
            continue
        said.add(effect.kind)
        most -= 1
        yield effect


def _alike(effect: Effect, course: Effect) -> bool:
    """Whether two effects are of about the same size."""
    return abs(effect.telling - course.telling) < 0.05
