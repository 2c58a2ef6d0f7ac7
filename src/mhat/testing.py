"""Assertions about optimizers, for any test runner. It must not know how anything is checked."""

from __future__ import annotations

from typing import Any

from mhat.terminal import verdict_pages
from mhat.verbs import check


def assert_conforms(subject: Any, against: Any = "adam", **options: Any) -> None:
    """Assert that an implementation conforms to a rule, if only in a documented dialect.

    Takes what `mhat.check` takes. The message of the AssertionError is the whole diagnosis.

    >>> import numpy as np
    >>> assert_conforms(lambda gradients: -0.1 * np.cumsum(gradients, axis=0), "sgd", lr=0.1)
    """
    __tracebackhide__ = True
    verdict = check(subject, against, **options)
    if not verdict.conforms:
        raise AssertionError(verdict_pages.text_of(verdict))
