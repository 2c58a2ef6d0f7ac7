"""How a subject is to be driven and observed: the question of a check, put together once. It searches nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from mhat.checks.acceptance import Dialects
from mhat.checks.gradients import FAST, OFF, designed, drive, free_knobs, fresh, parted, tensors_of
from mhat.checks.matrices import gradients as matrices
from mhat.checks.matrices.orthogonals import computed_in, guarding
from mhat.checks.oracle import bound, expected
from mhat.dtypes import DTYPES
from mhat.errors import BadValue, UnknownName
from mhat.language import Rule
from mhat.language.inference import Level
from mhat.language.tree import Operation, Tree
from mhat.language.walking import all_expressions
from mhat.search.matching import Matcher, loose_bound
from mhat.search.observed import Observed, Probes
from mhat.subjects.subject import Subject

Array = np.ndarray[Any, Any]
SEARCHED_STEPS = 12
FRESH_STEPS = 40
LATE = 4
# An estimate is chosen so that it fits, and of a sign a step tells one bit: it is asked for more.
FURTHER_STEPS = 120
FURTHER_COORDINATES = 42
# And of a rule of signs, whose steps hide most of what it computes, for much more.
COARSE_COORDINATES = 500


@dataclass(frozen=True)
class Question:
    """A subject, the rule it claims to be, what is seen of it, the knobs that are held, and the dialects accepted.

    `recorded`: what it did on all streams, where it is a record and cannot be driven: a first half and the whole.
    """

    subject: Subject
    rule: Rule
    observe: str = "x"
    held: Mapping[str, float] = field(default_factory=dict)
    recorded: tuple[Observed, Observed] | None = None
    dialects: Dialects = True

    def __post_init__(self) -> None:
        self.rule.check_knobs(dict(self.held))
        # A knob that counts columns is the shape of a state: it is as the subject has it, and is not varied.
        object.__setattr__(self, "rule", self.rule.sized({**self.subject.defaults, **self.held}))
        if self.observe not in ("x", "update", *self.rule.variables):
            raise UnknownName(f"variable of {self.rule.name}", self.observe, ("x", "update", *self.rule.variables))
        if self.rule.level == Level.MATRIX and self.recorded is not None:
            raise BadValue(
                f"{self.rule.name} is a rule per matrix, and a record does not say what its rows and columns are",
                "Check the implementation itself, or the record against a rule per coordinate or tensor.",
            )

    @property
    def hidden(self) -> tuple[str, ...]:
        """Knobs that nobody told and the subject does not take, as far as they matter for what is seen."""
        seen = "return" if self.observe in ("x", "update") else self.observe
        matters = self.rule.dependence[seen] | (
            self.rule.dependence["x"] if "x" in self.rule.dependence[seen] else set()
        )
        known = {*self.held, *self.subject.knobs, *self.subject.defaults, *(rank[1:] for rank in self.rule.ranks)}
        return tuple(knob for knob in self.rule.knobs if knob in matters and knob not in known)

    @cached_property
    def searched(self) -> Observed:
        """What the subject does on the designed streams."""
        if self.recorded is not None:
            return self.recorded[0]
        if self.rule.level == Level.MATRIX:
            return self._on_matrices(matrices.SEARCHED_STEPS, 1)
        tensors = tensors_of(self.subject)
        streams = [designed(SEARCHED_STEPS, seed, tensors) for seed in (1, 2)]
        return self.driven([*streams, parted(SEARCHED_STEPS, tensors)], plain=len(streams))

    @cached_property
    def fresh(self) -> Observed:
        """What it does on streams that nothing was tuned on."""
        if self.recorded is not None:
            return self.recorded[1]
        if self.rule.level == Level.MATRIX:
            return self._on_matrices(matrices.FRESH_STEPS, 5)
        tensors = tensors_of(self.subject)
        streams = [fresh(FRESH_STEPS, seed, tensors) for seed in (5, 6)]
        # A tensor whose norms vanish: its gradients come late.
        late = fresh(FRESH_STEPS, 9, tensors)
        late[:LATE, 0] = 0.0
        if self.rule.level == Level.TENSOR:
            return self.driven([*streams, late])
        if "lr" in free_knobs(self.subject, self.rule, self.held):
            streams.append(late)
        return self.driven(streams, special=FAST)

    @cached_property
    def further(self) -> Observed:
        """What it does on longer streams, for answers that were searched for or estimated."""
        if self.rule.level == Level.MATRIX:
            return self._on_matrices(matrices.FURTHER_STEPS, 7)
        coarse = any(isinstance(node, Operation) and node.op == "sign" for node in all_expressions(self.rule.tree))
        coordinates = COARSE_COORDINATES if coarse else FURTHER_COORDINATES
        return self.driven([fresh(FURTHER_STEPS, s, tensors_of(self.subject), coordinates) for s in (7, 8)])

    @cached_property
    def longer(self) -> Observed:
        """What it does on one longer stream, for what may be rounding."""
        if self.rule.level == Level.MATRIX:
            return self.further
        return self.driven([fresh(FURTHER_STEPS, 7, tensors_of(self.subject))])

    @cached_property
    def computed(self) -> str:
        """The type in which it computes what it makes of one matrix, found from what it does not notice."""
        return computed_in(lambda g: matrices.first_steps(self.subject, self.rule, self.held, g), self.subject.dtype)

    def _on_matrices(self, steps: int, seed: int) -> Observed:
        planned = matrices.plans(self.subject, self.rule, self.held, steps, seed)
        return matrices.drive(self.subject, self.rule, self.held, planned, self.observe)

    def driven(self, streams: list[Array], plain: int | None = None, special: Mapping[str, float] = OFF) -> Observed:
        """Drive the subject with streams, held within what its dtype can do."""
        low, high = DTYPES[self.subject.dtype].usual
        held = [np.where(s == 0, 0.0, np.sign(s) * np.clip(np.abs(s), low, high)) for s in streams]
        return drive(self.subject, self.rule, self.held, held, observe=self.observe, plain=plain, special=special)

    @cached_property
    def matcher(self) -> Matcher:
        """Compares candidates with the designed streams."""
        return self._matcher(self.searched, 1.0)

    @cached_property
    def confirmer(self) -> Matcher:
        """Compares candidates with the fresh streams."""
        return self._matcher(self.fresh, 10.0)

    def confirms(self, tree: Tree, knobs: Mapping[str, float]) -> bool:
        """Whether a tree with estimated knobs does what the subject does on streams that it was not fitted to."""
        confirmers = [self.confirmer] if self.recorded is not None else [self.confirmer, self._further_matcher]
        return all(matcher.agreed(tree, knobs) == matcher.steps for matcher in confirmers)

    @cached_property
    def _further_matcher(self) -> Matcher:
        # No bound is derived here: the oracle is slow over so many steps, and the loose one tells mistakes.
        return self._matcher(self.further, 30.0)

    def _matcher(self, observed: Observed, margin: float) -> Matcher:
        limit = margin * loose_bound(observed, self.subject.dtype)
        limit = np.maximum(limit, guarding(self.rule, observed.probes))
        if self.subject.dtype != "float64" and observed is not self.__dict__.get("further"):
            exact = expected(self.rule, observed.probes, {})
            derived = bound(self.rule, observed.probes, {}, exact, self.subject.dtype)
            limit = np.maximum(limit, np.where(np.isfinite(derived), derived, limit))
        return Matcher(observed, limit)

    def agrees(self, rule: Rule, knobs: Mapping[str, float]) -> bool:
        """Whether the subject is a rule to rounding: within the derived bound of the oracle, on all streams."""
        return all(not self.strayed(rule, observed, knobs).any() for observed in (self.searched, self.fresh))

    def strayed(self, rule: Rule, observed: Observed, knobs: Mapping[str, float]) -> Array:
        """Tell where the subject lies outside of the derived bound, (step, probe, tensor, coordinate)."""
        exact = expected(rule, observed.probes, knobs)
        limit = bound(rule, observed.probes, knobs, exact, self.subject.dtype)
        with np.errstate(all="ignore"):
            near = np.abs(observed.values - exact) <= limit + observed.slack
            alike = (np.isnan(exact) & np.isnan(observed.values)) | (observed.values == exact)
        return np.asarray(~(near | alike | np.isinf(limit + observed.slack)))

    def probes_of(self, gradients: Array) -> Probes:
        """Make one probe of the gradients (step, tensor, coordinate), from 0, with the knobs as they are known."""
        known = {**self.rule.knobs, **self.subject.defaults, **self.held}
        knobs = {name: known[name] for name in self.rule.knobs}
        return Probes(gradients[None], np.zeros((1, *gradients.shape[1:])), knobs, self.observe)
