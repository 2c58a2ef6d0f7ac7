"""Assertions about optimizers, for any test runner. It must not know how anything is checked."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from mhat import rules
from mhat.checks.claims import claimed_rule
from mhat.checks.story import of_fix
from mhat.errors import BadValue
from mhat.inquiry import Party
from mhat.verbs import check
from mhat.writing.plain import text_of


def assert_conforms(subject: Any, against: Any = None, **options: Any) -> None:
    """Assert that an implementation conforms to a rule, if only in a documented dialect.

    Takes what `mhat.check` takes; without `against` the rule is the one that the subject's name claims. The message of
    the AssertionError is the whole diagnosis, how long it took, and, where one is found, the change of the file that
    makes it conform (`fix=False`: none is looked for).

    Raises BadValue where no rule is given and the name claims none: whatever a subject is, it is something.

    >>> import numpy as np
    >>> assert_conforms(lambda gradients: -0.1 * np.cumsum(gradients, axis=0), "sgd", lr=0.1)
    """
    __tracebackhide__ = True
    if against is None and claimed_rule(Party(subject).name, rules.names()) is None:
        raise BadValue(f"`{Party(subject).name}` claims no rule by its name", 'Say which it should be: against="adam".')
    begun = time.perf_counter()
    verdict = check(subject, against, **{"fix": True, **options})
    if not verdict.conforms:
        took = f"It took {time.perf_counter() - begun:.1f} s."
        story = text_of(replace(verdict, fix=None).story)
        mended = text_of(of_fix(verdict.fix)) if verdict.fix is not None else ""
        raise AssertionError("\n\n".join(filter(None, (story, took, mended))))
