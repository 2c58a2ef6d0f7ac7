"""Whether a subject climbs, and whether its code means it: slopes that are added, something that is maximized.

It knows no rule and names no mistake.
"""

from __future__ import annotations

import re

import numpy as np

from mhat.checks.question import Question
from mhat.subjects.subject import Subject

CLIMBS = "it gives the step to add: it climbs, and is judged by negated gradients, as with --maximize (maximize=)"
IF_MEANT = "it climbs: if that is meant, it is the rule with --maximize (maximize=)"
MEANT = re.compile(r"slope|ascent|ascend|maximi[sz]|reward|likelihood", re.IGNORECASE)


def goes_uphill(question: Question) -> bool:
    """Whether every first move that a gradient makes has the sign of that gradient."""
    if question.observe not in ("x", "update") or question.recorded is not None:
        return False
    seen = question.searched
    if not isinstance(seen.values, np.ndarray) or seen.values.ndim != 4:
        return False
    first = np.sign(seen.probes.gradients[0, 0])
    with np.errstate(all="ignore"):
        moved = np.sign(seen.values[0, 0] - np.broadcast_to(seen.probes.base, seen.values.shape[1:])[0])
    told = (first != 0) & (moved != 0) & np.isfinite(moved)
    return bool(told.any() and (moved == first)[told].all())


def means_to_climb(subject: Subject) -> bool:
    """Whether the text of a subject speaks of what is climbed."""
    return subject.source is not None and MEANT.search(subject.source.whole) is not None
