"""Answers of drafts: what agrees is confirmed, knobs that are hidden are estimated. It knows no order of the search."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import islice

from mhat.language.tree import Tree
from mhat.search.candidates import Candidate, Draft, Drawer
from mhat.search.effort import Effort
from mhat.search.knobs import Fit, Fitter

Confirm = Callable[[Candidate], bool]
# Candidates whose hidden knobs are estimated with usual values.
QUICKLY_FITTED = 400
# Answers that are worth comparing, and how many seconds more are spent once there is one.
ENOUGH = 12
PATIENCE = 2.0


class Answers:
    """Takes answers from drafts of one rule, up to the moment `until`. A candidate counts if it is `confirmed`."""

    def __init__(self, drawer: Drawer, fitter: Fitter, confirmed: Confirm, effort: Effort) -> None:
        self.drawer = drawer
        self.fitter = fitter
        self.matcher = fitter.matcher
        self.confirmed = confirmed
        self.effort = effort
        self.until = effort.seconds

    def taken(self, agreeing: Iterable[Draft], patience: float = PATIENCE) -> list[Candidate]:
        """Confirm drafts as they come; once there is an answer, a little more time is given for a simpler one."""
        answers: list[Candidate] = []
        until = self.until
        for draft in agreeing:
            candidate = self.drawer.candidate(draft)
            if candidate is not None and self._counts(candidate):
                answers.append(candidate)
                until = self.effort.within(patience, until) if len(answers) == 1 else until
            if len(answers) >= ENOUGH or self.effort.late(until):
                break
        return sorted(answers, key=lambda c: c.cost)

    def _counts(self, candidate: Candidate) -> bool:
        """Whether a candidate agrees with all that was observed, and is confirmed."""
        agrees = self.matcher.agreed(candidate.tree, candidate.knobs) == self.matcher.steps
        counts = agrees and self.confirmed(candidate)
        self.effort.answers += counts
        return counts

    def estimated(self, drafts: Sequence[Draft]) -> list[Candidate]:
        """Find the learning rate and a usual eps of drafts that agree but for them, if these are hidden."""
        return self._fitted_by(self.fitter.quick, drafts) if self.fitter.hidden else []

    def fitted(self, drafts: Sequence[Draft]) -> list[Candidate]:
        """Estimate all hidden knobs of drafts by least squares."""
        return self._fitted_by(self.fitter.fit, drafts) if self.fitter.hidden else []

    def _fitted_by(self, estimate: Callable[[Tree, Fit], Fit | None], drafts: Sequence[Draft]) -> list[Candidate]:
        answers: list[Candidate] = []
        for draft in drafts:
            if self.effort.ends(self.until) or len(answers) >= ENOUGH:
                break
            candidate = self.drawer.candidate(draft)
            fit = None if candidate is None or not draft.edits else estimate(candidate.tree, dict(candidate.knobs))
            if candidate is not None and fit is not None:
                candidate = replace(candidate, knobs=fit)
                answers += [candidate] if self._counts(candidate) else []
        return sorted(answers, key=lambda c: c.cost)

    def retold(self, drafts: Iterable[Draft]) -> list[Candidate]:
        """Look for a learning rate that is not the one told, with drafts that agree but for a factor and eps."""
        if "lr" not in self.drawer.held:
            return []
        fitter = Fitter(self.matcher, self.drawer.tree, (*self.drawer.hidden, "lr"), self.fitter.late)
        joined = []
        for draft in islice(drafts, QUICKLY_FITTED):
            if self.effort.ends(self.until):
                break
            candidate = self.drawer.candidate(draft)
            fit = None if candidate is None or draft.literals else fitter.quick(candidate.tree, candidate.knobs)
            if fit and "lr" in fit:
                rate = self.drawer.literal("lr", fit.pop("lr"))
                joined.append(replace(draft, knobs={**draft.knobs, **fit}).joined(rate))
        return self.taken(draft for draft in joined if draft is not None)
