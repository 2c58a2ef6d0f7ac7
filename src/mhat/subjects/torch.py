"""Optimizers of torch as subjects. It imports torch when it is used, and no other framework."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from mhat.extras import extra
from mhat.subjects.framework import dtype_to_run_in, name_of, subject_of_optimizer
from mhat.subjects.sandbox import USUAL_GUARD, Guard
from mhat.subjects.spelling import keywords_of
from mhat.subjects.subject import Array, Subject


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
            return _driven(torch, optimizer, getattr(torch, dtype), gradients, starts, keywords.arguments(knobs))

    return subject_of_optimizer(optimizer, name, drive, keywords, dtype)


def _driven(
    torch: Any, optimizer: Any, dtype: Any, gradients: list[Array], starts: list[Array], arguments: dict[str, Any]
) -> list[Array]:
    tensors = [torch.nn.Parameter(torch.tensor(start, dtype=dtype)) for start in starts]
    streams = [torch.tensor(g).to(dtype) for g in gradients]
    made = optimizer(tensors, **arguments)
    record = [np.empty(g.shape) for g in gradients]
    for i in range(len(gradients[0])):
        for tensor, stream in zip(tensors, streams, strict=True):
            tensor.grad = stream[i].clone()
        made.step()
        for kept, tensor in zip(record, tensors, strict=True):
            kept[i] = tensor.detach().to(torch.float64).numpy()
    return record


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
