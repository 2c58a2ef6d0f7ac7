"""Figures people would put in a lecture. They read datasets, and know no engine.

    plot            a trace, or several: variables grouped by unit, sweeps as families, landscapes with paths
    final_values    the last values of a sweep, as a table
    side_by_side    a verdict: what an implementation did beside its rule, from the first deviating step on
    mark_formulas   rings over the curves of a trace, where formulas say that they are
    rate_curves     schedules over the steps, a line each
    story           a grid of traces: one variable, a row a stream, a column a rule
    training_curves how rules train: medians over the seeds, and their spread
    save            png, pdf or svg; the same figure gives the same bytes

Units, scales and the meaning of dimensions are found out from the rule and the data, never from names.
"""

from mhat.figures.canvas import save
from mhat.figures.deviations import side_by_side
from mhat.figures.finals import final_values
from mhat.figures.formulas import mark_formulas
from mhat.figures.plotting import plot
from mhat.figures.stories import story
from mhat.figures.training import rate_curves, training_curves

__all__ = [
    "final_values", "mark_formulas", "plot", "rate_curves", "save", "side_by_side", "story", "training_curves",
]  # fmt: skip
