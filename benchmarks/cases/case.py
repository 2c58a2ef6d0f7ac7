"""What a case is, how a module collects its cases, and how a subject is driven. It knows no checker.

A subject is written as people write optimizers. Four ways to write one, and what the driver calls:

    arrays      make() gives an object with `step(x, g)` or `update(x, g)`, or a function of both;
                it answers with the new x, or works in place and answers None
    numbers     the same on single numbers: each coordinate has an optimizer of its own
    network     make(params) gives an object with `step(grads)`, or a function; it works in place, or
                replaces the entries of its list `params`, or answers with a list of new arrays
    whole       make(gradients, start) is the run itself
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.cases import claims


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


def subject_of(
    make: Callable[..., Any], style: str = "arrays", tensors: int | None = None, dtype: str = "float64"
) -> Callable[..., Any]:
    """Make run(gradients, start=0.0) of an optimizer as its author wrote it; each run has a fresh one."""
    drive = {"arrays": _arrays, "numbers": _numbers, "network": _network, "whole": _whole}[style]

    def run(gradients: Any, start: Any = 0.0) -> Any:
        with np.errstate(all="ignore"):
            return drive(make, gradients, start, np.dtype(dtype))

    run.__name__ = run.__qualname__ = make.__name__
    run.__doc__ = make.__doc__
    run.written = make  # type: ignore[attr-defined]
    if tensors is not None:
        run.tensors = tensors  # type: ignore[attr-defined]
    return run


def _nothing(gradients: Any, start: float = 0.0) -> Any:
    raise NotImplementedError


def _step_of(made: Any) -> Callable[..., Any]:
    for name in ("step", "update"):
        if hasattr(made, name):
            method: Callable[..., Any] = getattr(made, name)
            return method
    called: Callable[..., Any] = made
    return called


def _arrays(make: Callable[..., Any], gradients: Any, start: Any, dtype: np.dtype[Any]) -> Any:
    given = np.array(gradients, dtype=dtype)
    rows = given.reshape(len(given), -1)
    step = _step_of(make())
    x = np.zeros(rows.shape[1:], dtype) + np.asarray(start, dtype)
    parameters = np.empty_like(rows)
    for i, g in enumerate(rows):
        moved = step(x, g.copy())
        x = x if moved is None else moved
        if x.dtype != dtype:
            raise TypeError(f"{make.__name__} left {dtype} for {x.dtype}")
        parameters[i] = x
    return parameters.reshape(given.shape)


def _numbers(make: Callable[..., Any], gradients: Any, start: Any, dtype: np.dtype[Any]) -> Any:
    given = np.array(gradients, dtype=dtype)
    rows = given.reshape(len(given), -1)
    starts = np.zeros(rows.shape[1:], dtype) + np.asarray(start, dtype)
    parameters = np.empty_like(rows)
    for i, x in enumerate(starts):
        step = _step_of(make())
        for j, g in enumerate(rows[:, i]):
            x = step(x, g)
            parameters[j, i] = x
    return parameters.reshape(given.shape)


def _network(make: Callable[..., Any], gradients: Any, start: Any, dtype: np.dtype[Any]) -> Any:
    if not isinstance(gradients, list | tuple):
        whole = np.array(gradients, dtype=dtype)
        (parameters,) = _network(make, [whole.reshape(len(whole), -1)], start, dtype)
        return parameters.reshape(whole.shape)
    given = [np.array(g, dtype=dtype) for g in gradients]
    starts = start if isinstance(start, list | tuple) else [start] * len(given)
    params = [np.zeros(g.shape[1:], dtype) + np.asarray(s, dtype) for g, s in zip(given, starts, strict=True)]
    made = make(params)
    step = _step_of(made)
    parameters = [np.empty_like(g) for g in given]
    for i in range(len(given[0])):
        moved = step([g[i].copy() for g in given])
        current: Sequence[Any] = getattr(made, "params", params) if moved is None else moved
        for kept, param in zip(parameters, current, strict=True):
            kept[i] = param
    return parameters


def _whole(make: Callable[..., Any], gradients: Any, start: Any, dtype: np.dtype[Any]) -> Any:
    return make(np.array(gradients, dtype=dtype), start)
