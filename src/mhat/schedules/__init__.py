"""Schedules: what a knob is worth at each step, counted from 1.

    Schedule                                       a curve over the steps: called, tabulated, written as a formula
    constant                                       that stays
    linear, cosine, polynomial, exponential,       that go from one level to another
    inverse_time
    step, milestones                               that change at few steps
    warmup_constant, warmup_linear, warmup_cosine, that rise first
    wsd, inverse_root, noam
    one_cycle, cosine_restarts, cyclic             that rise and fall again
    named, names, summaries                        by text, as on the command line
    meant, is_named, parted                        what stands for a schedule: itself, a text, a function of the step

They know no rule, no engine and no framework. The members are imported eagerly, so that a name is always the function.
"""

from mhat.schedules.catalogue import is_named, meant, named, names, parted, summaries
from mhat.schedules.cycles import cosine_restarts, cyclic, one_cycle
from mhat.schedules.falling import cosine, exponential, inverse_time, linear, polynomial
from mhat.schedules.roots import inverse_root, noam
from mhat.schedules.schedule import Schedule
from mhat.schedules.steady import constant
from mhat.schedules.stepped import milestones, step
from mhat.schedules.warmed import warmup_constant, warmup_cosine, warmup_linear, wsd

__all__ = [
    "Schedule", "constant", "cosine", "cosine_restarts", "cyclic", "exponential", "inverse_root", "inverse_time",
    "is_named", "linear", "meant", "milestones", "named", "names", "noam", "one_cycle", "parted", "polynomial", "step",
    "summaries", "warmup_constant", "warmup_cosine", "warmup_linear", "wsd",
]  # fmt: skip


def __dir__() -> list[str]:
    return sorted(__all__)
