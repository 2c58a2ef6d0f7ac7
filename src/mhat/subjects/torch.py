"""Optimizers of torch as subjects. It imports torch when it is used, and no other framework."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mhat.errors import SubjectError, SubjectHangs
from mhat.extras import extra
from mhat.subjects.framework import dtype_to_run_in, name_of, subject_of_optimizer
from mhat.subjects.missing import is_marked
from mhat.subjects.sandbox import USUAL_GUARD, Guard
from mhat.subjects.spelling import keywords_of
from mhat.subjects.subject import Array, Subject
from mhat.subjects.trials import TRIAL


def subject_of_torch(
    optimizer: Any,
    name: str | None = None,
    rule_knobs: Mapping[str, float] | None = None,
    dtype: str | None = None,
    options: Mapping[str, Any] | None = None,
    guard: Guard = USUAL_GUARD,
) -> Subject:
    """Make a subject of a class of `torch.optim.Optimizer`; `options` are its other keywords (fused, foreach ...).

    Tensors are the parameters of one group. In float64 torch's default dtype is float64 while it runs, since
    some optimizers keep their counters in that. Raises BadValue, MissingExtra, SubjectError.
    """
    torch = imported()
    name = name or name_of(optimizer, "torch.optim")
    dtype = dtype_to_run_in(name, dtype)
    parameters = list(inspect.signature(optimizer).parameters.values())
    meant = {"alpha": "rho"} if optimizer.__name__ == "RMSprop" else {}
    keywords = keywords_of(name, parameters, rule_knobs, options, skip=[parameters[0].name], meant=meant)

    def drive(gradients: list[Array], starts: list[Array], knobs: dict[str, float]) -> list[Array]:
        with guard.running(name), _default(torch, dtype):
            run = Run(torch, optimizer, getattr(torch, dtype), keywords.arguments(knobs), manner)
            return run.driven(gradients, starts)

    manner = _manner(
        name, guard, lambda tried: Run(torch, optimizer, getattr(torch, dtype), keywords.arguments({}), tried)
    )
    if manner.closure:
        _check_loss(name, guard, Run(torch, optimizer, getattr(torch, dtype), keywords.arguments({}), manner))
    notes = (f"driven {manner.said}",) if manner.said else ()
    return subject_of_optimizer(optimizer, name, drive, keywords, dtype, "promised", notes, matrices=manner.matrices)


@dataclass(frozen=True)
class Manner:
    """What an optimizer asks for besides gradients: matrices, and a closure that computes them."""

    matrices: bool = False
    closure: bool = False

    @property
    def said(self) -> str:
        """What is said of it."""
        parts = ["with matrices"] * self.matrices + ["with a closure that gives the gradients"] * self.closure
        return " and ".join(parts)


# What the closure gives back to find out whether that is heeded.
LOSSES = (0.0, 0.7)
BY_LOSS = "takes its steps by the value of the loss, and a stream of gradients has none"
BY_LOSS_CURE = "Put run(gradients) around it whose closure gives the loss that you mean, and name that function."
MANNERS = (Manner(), Manner(closure=True), Manner(matrices=True), Manner(matrices=True, closure=True))


def _manner(name: str, guard: Guard, run: Callable[[Manner], Run]) -> Manner:
    """Find out what an optimizer asks for, by some steps; if nothing helps, it is driven plainly and says why not."""
    for manner in MANNERS:
        try:
            with guard.running(name):
                run(manner).driven([TRIAL[:2, :2]], [np.zeros(2)])
        except SubjectHangs:
            raise
        except SubjectError:
            continue
        return manner
    return MANNERS[0]


def _check_loss(name: str, guard: Guard, run: Run) -> None:
    """Refuse what goes by the value of the loss; raises SubjectError."""
    with guard.running(name):
        plain, other = (replace(run, loss=loss).driven([TRIAL[:4, :2]], [np.zeros(2)]) for loss in LOSSES)
    if not np.array_equal(plain[0], other[0], equal_nan=True):
        raise SubjectError(name, BY_LOSS, BY_LOSS_CURE)


@dataclass(frozen=True)
class Run:
    """One run of an optimizer."""

    torch: Any
    optimizer: Any
    dtype: Any
    arguments: dict[str, Any]
    manner: Manner
    loss: float = 0.0  # what the closure gives back

    def driven(self, gradients: list[Array], starts: list[Array]) -> list[Array]:
        """Run it; give the parameters after each step."""
        torch = self.torch
        tensors = [torch.nn.Parameter(torch.tensor(self.shaped(start), dtype=self.dtype)) for start in starts]
        streams = [torch.tensor(np.array([self.shaped(row) for row in g])).to(self.dtype) for g in gradients]
        absent = [is_marked(g) for g in gradients]
        made = self.optimizer(tensors, **self.arguments)
        if callable(getattr(made, "train", None)):
            # Some keep other parameters for training than for evaluation, and ask which are meant.
            made.train()
        record = [np.empty(g.shape) for g in gradients]
        for i in range(len(gradients[0])):
            self.step(made, tensors, [None if gone[i] else g[i] for g, gone in zip(streams, absent, strict=True)])
            for kept, tensor in zip(record, tensors, strict=True):
                kept[i] = tensor.detach().to(torch.float64).numpy().reshape(kept[i].shape)
        return record

    def step(self, made: Any, tensors: list[Any], gradients: list[Any]) -> None:
        """Take a step."""

        def closure() -> Any:
            for tensor, gradient in zip(tensors, gradients, strict=True):
                tensor.grad = None if gradient is None else gradient.clone()
            return self.torch.full((), self.loss, dtype=self.dtype, requires_grad=True)

        closure()
        if self.manner.closure:
            made.step(closure)
        else:
            made.step()

    def shaped(self, values: Array) -> Array:
        """Make a matrix of one row of what has fewer dimensions, where matrices are asked for."""
        return values.reshape(1, -1) if self.manner.matrices and np.ndim(values) < 2 else values


@contextlib.contextmanager
def _default(torch: Any, dtype: str) -> Iterator[None]:
    """Let torch's default dtype be float64 where that is what is computed in."""
    before = torch.get_default_dtype()
    if dtype == "float64":
        torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def is_torch_optimizer(thing: Any, torch: Any) -> bool:
    """Whether a thing is a class of optimizers, given the module."""
    return isinstance(thing, type) and issubclass(thing, torch.optim.Optimizer)


def imported() -> Any:
    """Import torch; raises MissingExtra."""
    return extra("torch", "torch")
