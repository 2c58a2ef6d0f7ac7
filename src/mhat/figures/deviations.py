"""A deviation as a picture: subject and rule side by side, from the first deviating step on. It checks nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mhat.checks.verdict import Course, Deviation, Verdict
from mhat.errors import BadValue
from mhat.figures import curves, inks, legends, scales
from mhat.figures.borrowed import axes_in, refuse_size, whole_of
from mhat.figures.canvas import Picture, Strip, escaped, fitted, frame
from mhat.figures.looks import Look, Style, look_in, look_of
from mhat.figures.panels import Shown
from mhat.figures.remarks import remark, say_the_dips

Array = NDArray[np.floating[Any]]
Looks = dict[str, dict[str, Any]]

# How many steps before the first deviating one are drawn, if it comes late.
BEFORE = 10


def side_by_side(
    verdict: Verdict, *, ax: Any = None, style: Style | None = None, size: Any = None, dpi: Any = None
) -> Figure:
    """Draw what the subject did beside what its rule does, and below them the gradients that show it.

    The rule of the diagnosis, if there is one, lies on the subject as a dashed line. `ax`: one axes of the user's, for
    subject and rule, or two, for the gradients too; `style`, `size`, `dpi` as for `plot`. Raises BadValue for a verdict
    without a deviation.
    """
    deviation = verdict.deviation
    if deviation is None:
        raise BadValue(
            f"{verdict.subject} shows no deviation from {verdict.against}", "Draw a verdict that has a deviation."
        )
    course = deviation.course or Course(deviation.gradients, deviation.got, deviation.expected)
    if ax is not None:
        refuse_size(size, dpi)
        given = axes_in(ax)
        if len(given) > 2:
            raise BadValue(f"a verdict has two panels, and `ax` holds {len(given)} axes", "Give one axes, or two.")
        with look_in(given[0], style).in_force():
            _draw(given, course, deviation, verdict)
            legends.inside(given[0], _entries(verdict, course))
        return whole_of(given[0])
    return fitted(look_of(style, size, dpi), lambda look: _drawn(course, deviation, verdict, look))


def _drawn(course: Course, deviation: Deviation, verdict: Verdict, look: Look) -> Picture:
    figure = Picture(look, 9.5, 5.6)
    _draw(figure.subplots(2, 1, sharex=True, height_ratios=(3, 1)).tolist(), course, deviation, verdict)
    frame(figure, _title(verdict), _captions(verdict, deviation), [Strip("", _entries(verdict, course))])
    figure.align_ylabels()
    return figure


def _looks() -> Looks:
    """The lines of the figure: the rule as a backdrop, the subject on it, what it is named as on top."""
    return {
        "rule": {"color": inks.grey(), "linewidth": inks.width(1.5), "zorder": 2},
        "subject": {"color": inks.distinct()[1 % len(inks.distinct())], "linewidth": inks.width(1.0), "zorder": 3},
        "named": {"color": inks.ink(), "linewidth": inks.width(0.6), "linestyle": (0, (4, 3)), "zorder": 4},
    }


def _draw(given: Sequence[Axes], course: Course, deviation: Deviation, verdict: Verdict) -> None:
    """Draw into the panel of both, and if there is a second one, into that of the gradients."""
    first = max(deviation.step - BEFORE, 1)
    steps = np.arange(first, len(course.got) + 1, dtype=np.float64)
    _draw_both(given[0], steps, course, deviation, verdict)
    for lower in given[1:]:
        gradients = np.array(course.gradients[first - 1 :])
        curves.draw_line(lower, steps, gradients, color=inks.distinct()[0], linewidth=inks.width(0.8))
        scales.apply(scales.fitting([gradients], [0.0]), lower)
        lower.set_title("Gradient $g_{t}$")
    # Beyond 1e300 the margins of a scale of magnitudes are infinite.
    with np.errstate(over="ignore"):
        for axes in given:
            _mark(axes, deviation.step, steps)
    given[-1].set_xlabel("step $t$")
    given[-1].xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, steps=[1, 2, 5, 10]))


def _draw_both(axes: Axes, steps: Array, course: Course, deviation: Deviation, verdict: Verdict) -> None:
    begin = int(steps[0]) - 1
    lines = [np.array(course.expected[begin:]), np.array(course.got[begin:])]
    if course.named is not None:
        lines.append(np.array(course.named[begin:]))
    scale = scales.fitting(lines, [0.0])
    scales.apply(scale, axes)
    axes.set_title(_heading(deviation, verdict))
    for line, (gid, look) in zip(lines, _looks().items(), strict=False):
        curves.draw_line(axes, steps, scale.shown(line), gid=gid, **look)
    if scale.kind == "magnitude":
        remark(axes, "without the sign")
    if scale.logarithmic and (lines[1] == 0).any():
        remark(axes, "steps of zero are not drawn")
    lost = int((~np.isfinite(lines[1])).sum())
    if lost:
        remark(axes, f"{lost} steps of the subject are not finite")
    say_the_dips(axes, [(steps, line) for line in lines], scale)


def _heading(deviation: Deviation, verdict: Verdict) -> str:
    if verdict.observe == "x":
        return f"Step downhill, in {deviation.unit}" if deviation.unit == "learning rates" else "Step downhill"
    return "Update" if verdict.observe == "update" else Shown(verdict.observe).label


def _mark(axes: Axes, step: int, steps: Array) -> None:
    dotted: dict[str, Any] = {"linewidth": inks.width(0.5), "linestyle": (0, (1, 2)), "gid": "first deviating step"}
    axes.axvline(step, color=inks.quiet(), zorder=1.5, **dotted)
    margin = max(0.01 * (steps[-1] - steps[0]), 0.5 if steps.size == 1 else 0.0)
    axes.set_xlim(steps[0] - margin, steps[-1] + margin)


def _entries(verdict: Verdict, course: Course) -> list[Artist]:
    labels = [verdict.against, _name(verdict)] + ([] if course.named is None else ["the rule with the edits below"])
    return [Line2D([], [], label=escaped(text), **look) for text, look in zip(labels, _looks().values(), strict=False)]


def _name(verdict: Verdict) -> str:
    """Name the subject, without the folders of its file: one that is called as its rule is told apart from it."""
    name = verdict.subject if " " in verdict.subject else re.sub(r"^.*[/\\]", "", verdict.subject)
    return f"{name} (yours)" if name == verdict.against else name


def _title(verdict: Verdict) -> str:
    step = 0 if verdict.deviation is None else verdict.deviation.step
    return escaped(f"{_name(verdict)} beside {verdict.against}: the first deviation is at step {step}")


def _captions(verdict: Verdict, deviation: Deviation) -> list[str]:
    given = f"Dotted: step {deviation.step}."
    if deviation.course is not None and deviation.course.repeated:
        given += " The last gradient of the shortest sequence that shows it is repeated."
    if deviation.setting:
        given += f" Seen{deviation.setting}."
    found = () if verdict.diagnosis is None else verdict.diagnosis.sentences
    return [escaped("; ".join(found).replace("`", "")), escaped(given)]
