"""Symbols: a rule's variables as formulas in the step, by SymPy, each held against the exact engine.

    closed_forms                what each variable is at step t, under a constant gradient, a ramp, a sine ...
    ClosedForm, NoClosedForm    a formula that can be computed at any step; why there is none
    ProductForm                 the product of a factor over all steps, where a share changes from step to step
    course_of                   the course that a stream takes, by its name and arguments

SymPy is the extra `symbols`; a formula that is found is computed without it. It knows no rule by name.
"""

from mhat.engines.symbols.closed_forms import closed_forms
from mhat.engines.symbols.forms import ClosedForm, Found, NoClosedForm, ProductForm, RunningState
from mhat.engines.symbols.gradients import COURSES, course_of

__all__ = [
    "COURSES", "ClosedForm", "Found", "NoClosedForm", "ProductForm", "RunningState", "closed_forms", "course_of",
]  # fmt: skip
