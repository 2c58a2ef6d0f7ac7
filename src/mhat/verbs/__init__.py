"""The public verbs, thin: they find what is named and hand it to the floor that does the work.

seeing           trace, plot, step, save, load, again
judging          check, identify, compare, read, check_schedule
understanding    explain, convert
exporting        export
opening          lab
"""

from mhat.verbs.exporting import export
from mhat.verbs.judging import check, check_schedule, compare, identify, read
from mhat.verbs.opening import lab
from mhat.verbs.seeing import again, load, plot, save, step, trace
from mhat.verbs.understanding import convert, explain

__all__ = [
    "again", "check", "check_schedule", "compare", "convert", "explain", "export", "identify", "lab", "load", "plot",
    "read", "save", "step", "trace",
]  # fmt: skip
