"""What is ours in every work: the optimizer and the trace of mhat, as a user calls them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import mhat
from mhat.speed.timing import Run

Array = np.ndarray[Any, np.dtype[Any]]


def stepping(params: Sequence[Array], grads: Sequence[Array], rule: Any = "adam", **options: Any) -> Run:
    """Give a step on copies of the parameters, with the same gradient arrays every time."""
    optimizer = made(params, rule, **options)
    given = list(grads)
    return lambda: optimizer.step(given)


def made(params: Sequence[Array], rule: Any = "adam", **options: Any) -> Any:
    """Make an optimizer of copies of the parameters."""
    found = mhat.rules.named(rule) if isinstance(rule, str) else rule
    return mhat.Optimizer(found, [param.copy() for param in params], **options)
