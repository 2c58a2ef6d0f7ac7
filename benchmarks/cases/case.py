"""What a case is, and how a module collects its cases. It knows no checker, nor how a subject is driven."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.cases import claims
from benchmarks.cases.loops import subject_of


@dataclass(frozen=True)
class Case:
    """A subject, what it claims to be, and what it really computes."""

    id: str
    kind: str  # bug | variant | correct
    against: str  # name of the rule it claims to be, or its text where the library has no such rule
    subject: Callable[..., Any]  # run(gradients, start=0.0) -> parameters after each step
    knobs: dict[str, float]  # knobs of the claimed rule that the checker is told
    truth: str | None  # what it really computes, a text in the rule language
    deviations: int  # how many separate deviations from the claimed rule the truth holds
    inexpressible: str = ""  # why there is no truth, or why gradients in, parameters out cannot show it
    dtype: str = "float64"

    @property
    def tensors(self) -> int | None:
        """How many tensors the subject must be driven with, if it says so."""
        return getattr(self.subject, "tensors", None)

    @property
    def places(self) -> int:
        """In how many lines and starts of states the truth's text differs from the claim's; knobs do not count."""
        if self.truth is None:
            return 0
        claimed, true = (claims.lines(claim) for claim in (self.against, self.truth))
        changes = difflib.SequenceMatcher(None, claimed, true, autojunk=False).get_opcodes()
        return sum(max(b - a, d - c) for kind, a, b, c, d in changes if kind != "equal")


class Collection(list[Case]):
    """The cases of one module; its methods are decorators of the subject as its author wrote it."""

    def bug(self, id: str, claim: str, truth: str | None, deviations: int = 1, **rest: Any) -> Callable[..., Any]:
        """Enter a mistake; keywords that are not options of `subject_of` are knobs told to the checker."""
        return self._enter(Case(id, "bug", claims.against(claim), _nothing, {}, truth, deviations), rest)

    def variant(self, id: str, claim: str, truth: str | None, deviations: int = 1, **rest: Any) -> Callable[..., Any]:
        """Enter a documented other form."""
        return self._enter(Case(id, "variant", claims.against(claim), _nothing, {}, truth, deviations), rest)

    def correct(self, id: str, claim: str, truth: str | None = None, **rest: Any) -> Callable[..., Any]:
        """Enter a correct form; a truth is given where a dialect's eps or order differs by more than rounding."""
        truth = claims.text(claim) if truth is None else truth
        return self._enter(Case(id, "correct", claims.against(claim), _nothing, {}, truth, 0), rest)

    def _enter(self, case: Case, rest: dict[str, Any]) -> Callable[..., Any]:
        options = {name: rest.pop(name) for name in ("style", "tensors", "dtype") if name in rest}
        case = replace(case, inexpressible=rest.pop("inexpressible", ""), dtype=options.get("dtype", "float64"))

        def enter(make: Callable[..., Any]) -> Callable[..., Any]:
            self.append(replace(case, subject=subject_of(make, **options), knobs=rest))
            return make

        return enter


def _nothing(gradients: Any, start: float = 0.0) -> Any:
    raise NotImplementedError
