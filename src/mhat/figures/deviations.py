"""A deviation as a picture: subject and rule side by side, from the first deviating step on. It checks nothing."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mhat.checks.verdict import Course, Deviation, Verdict
from mhat.errors import BadValue
from mhat.figures import curves, scales
from mhat.figures.canvas import INK, LABEL, LOOK, QUIET, Picture, Strip, blank, escaped, frame, remark
from mhat.figures.families import DISTINCT, GREY
from mhat.figures.panels import Shown

Array = NDArray[np.floating[Any]]

# How many steps before the first deviating one are drawn, if it comes late.
BEFORE = 10
RULE = {"color": GREY, "linewidth": 3.0, "zorder": 2}
SUBJECT = {"color": DISTINCT[1], "linewidth": 2.0, "zorder": 3}
NAMED = {"color": INK, "linewidth": 1.2, "linestyle": (0, (4, 3)), "zorder": 4}


def side_by_side(verdict: Verdict) -> Picture:
    """Draw what the subject did beside what its rule does, and below them the gradients that show it.

    The rule of the diagnosis, if there is one, lies on the subject as a dashed line. Raises BadValue for a verdict
    without a deviation.
    """
    deviation = verdict.deviation
    if deviation is None:
        raise BadValue(
            f"{verdict.subject} shows no deviation from {verdict.against}", "Draw a verdict that has a deviation."
        )
    course = deviation.course or Course(deviation.gradients, deviation.got, deviation.expected)
    first = max(deviation.step - BEFORE, 1)
    steps = np.arange(first, len(course.got) + 1, dtype=np.float64)
    with mpl.rc_context(LOOK):
        figure = blank(9.5, 5.6)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        _draw_both(upper, steps, course, deviation, verdict)
        gradients = np.array(course.gradients[first - 1 :])
        curves.draw_line(lower, steps, gradients, color=DISTINCT[0], linewidth=1.6)
        scales.apply(scales.fitting([gradients], [0.0]), lower)
        lower.set_title("Gradient", loc="left", fontsize=LABEL)
        for axes in (upper, lower):
            _mark(axes, deviation.step, steps)
        lower.set_xlabel("step $t$")
        lower.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, steps=[1, 2, 5, 10]))
        frame(figure, _title(verdict), _captions(verdict, deviation), [_legend(verdict, course)])
    return figure


def _draw_both(axes: Axes, steps: Array, course: Course, deviation: Deviation, verdict: Verdict) -> None:
    begin = int(steps[0]) - 1
    lines = [np.array(course.expected[begin:]), np.array(course.got[begin:])]
    if course.named is not None:
        lines.append(np.array(course.named[begin:]))
    scale = scales.fitting(lines, [0.0])
    scales.apply(scale, axes)
    for line, look, gid in zip(lines, (RULE, SUBJECT, NAMED), ("rule", "subject", "named"), strict=False):
        curves.draw_line(axes, steps, scale.shown(line), gid=gid, **look)
    if scale.kind == "magnitude":
        remark(axes, "without the sign")
    if scale.logarithmic and (lines[1] == 0).any():
        remark(axes, "steps of zero are not drawn")
    lost = int((~np.isfinite(lines[1])).sum())
    if lost:
        remark(axes, f"{lost} steps of the subject are not finite")
    axes.set_title(_heading(deviation, verdict), loc="left", fontsize=LABEL)


def _heading(deviation: Deviation, verdict: Verdict) -> str:
    if verdict.observe == "x":
        return f"Step downhill, in {deviation.unit}" if deviation.unit == "learning rates" else "Step downhill"
    return "Update" if verdict.observe == "update" else Shown(verdict.observe).label


def _mark(axes: Axes, step: int, steps: Array) -> None:
    axes.axvline(step, color=QUIET, linewidth=1.0, linestyle=(0, (1, 2)), zorder=1.5, gid="first deviating step")
    margin = max(0.01 * (steps[-1] - steps[0]), 0.5 if steps.size == 1 else 0.0)
    axes.set_xlim(steps[0] - margin, steps[-1] + margin)


def _legend(verdict: Verdict, course: Course) -> Strip:
    named = [] if course.named is None else [("the rule with the edits below", NAMED)]
    entries: list[tuple[str, dict[str, Any]]] = [(verdict.against, RULE), (verdict.subject, SUBJECT), *named]
    return Strip("", [Line2D([], [], label=escaped(label), **look) for label, look in entries])


def _title(verdict: Verdict) -> str:
    step = 0 if verdict.deviation is None else verdict.deviation.step
    return escaped(f"{verdict.subject} beside {verdict.against}: the first deviation is at step {step}")


def _captions(verdict: Verdict, deviation: Deviation) -> list[str]:
    given = f"Dotted: step {deviation.step}."
    if deviation.course is not None and deviation.course.repeated:
        given += " The last gradient of the shortest sequence that shows it is repeated."
    if deviation.setting:
        given += f" Seen{deviation.setting}."
    found = () if verdict.diagnosis is None else verdict.diagnosis.sentences
    return [escaped("; ".join(found).replace("`", "")), escaped(given)]
