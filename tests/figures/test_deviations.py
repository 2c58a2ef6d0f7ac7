"""Subject and rule side by side: what is drawn, from where, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

import mhat
from mhat.checks.verdict import Course, Deviation, Verdict
from mhat.errors import BadValue
from mhat.figures import side_by_side
from tests.checks import wrong_adams
from tests.figures.looks import drawn, headings, legend, lines, remarks, said, strips


@pytest.fixture(scope="module")
def classic() -> Verdict:
    return mhat.check(wrong_adams.stored_back, "adam")


def test_the_classic_mistake_falls_away_from_its_rule(classic: Verdict) -> None:
    figure = drawn(side_by_side(classic), layout=True)
    upper, lower = figure.axes
    assert headings(figure) == ["Step downhill, in learning rates", "Gradient $g_{t}$"]
    (rule,), (subject,), (named,) = (lines(upper, gid) for gid in ("rule", "subject", "named"))
    assert len(rule) == len(subject) == len(named) == 100
    assert rule == pytest.approx(np.ones(100), rel=1e-6)
    assert named[-1] == pytest.approx(3.40488818e-70, rel=1e-6)
    assert subject[1] == pytest.approx(named[1], rel=1e-6)
    assert remarks(upper) == "steps of zero are not drawn"
    (mark,) = (line for line in lower.lines if line.get_gid() == "first deviating step")
    assert mark.get_xdata()[0] == 2


def test_it_says_what_is_beside_what(classic: Verdict) -> None:
    figure = side_by_side(classic)
    assert said(figure, "title").replace("\n", " ").endswith("beside adam: the first deviation is at step 2")
    assert strips(figure) == [["adam", classic.subject, "the rule with the edits below"]]
    assert "m_hat is stored back into m" in said(figure, "caption")
    assert "Dotted: step 2." in said(figure, "caption")


def test_a_function_named_as_its_rule_is_told_apart_from_it(classic: Verdict) -> None:
    figure = side_by_side(replace(classic, subject="adam"))
    assert strips(figure) == [["adam", "adam (yours)", "the rule with the edits below"]]
    assert said(figure, "title").startswith("adam (yours) beside adam")


def test_a_subject_is_named_by_its_file_without_the_folders(classic: Verdict) -> None:
    figure = side_by_side(replace(classic, subject="/home/me/lecture 3/adam.py:adam"))
    assert "/home/me/lecture 3/adam.py:adam" in strips(figure)[0], "a command, perhaps: left as it is"
    assert "adam.py:adam" in strips(side_by_side(replace(classic, subject="lectures/adam.py:adam")))[0]


def test_it_goes_into_axes_of_the_users_and_takes_a_style(classic: Verdict) -> None:
    figure = Figure()
    ax = figure.subplots()
    assert mhat.plot(classic, ax=ax) is figure and legend(ax)[0] == "adam" and len(figure.axes) == 1
    pair = Figure().subplots(2)
    mhat.plot(classic, ax=pair)
    assert pair[1].get_title() == "Gradient $g_{t}$"
    with pytest.raises(BadValue, match="a verdict has two panels, and `ax` holds 3 axes"):
        mhat.plot(classic, ax=Figure().subplots(3))
    assert drawn(mhat.plot(classic, style="print")).get_size_inches()[0] == pytest.approx(80 / 25.4)


def test_a_verdict_is_drawn_by_the_verb_too(classic: Verdict) -> None:
    assert headings(mhat.plot(classic)) == headings(side_by_side(classic))


def test_what_a_verdict_does_not_have_is_refused(classic: Verdict) -> None:
    """They were left out in silence."""
    for more in ({"variables": "ratio"}, {"final": True}):
        with pytest.raises(BadValue, match="a verdict is drawn as what was observed, and has no `variables`"):
            mhat.plot(classic, **more)  # type: ignore[arg-type]


def test_a_late_deviation_is_drawn_from_shortly_before_it() -> None:
    wanted = tuple(np.linspace(1.0, 2.0, 40).tolist())
    got = (*wanted[:29], *(2 * value for value in wanted[29:]))
    course = Course((1.0,) * 40, got, wanted, None, repeated=False)
    late = Deviation(30, 1e9, (1.0,) * 30, got[:30], wanted[:30], "learning rates", course=course)
    figure = drawn(side_by_side(Verdict("run.csv", "adam", "", conforms=False, deviation=late)))
    (subject,) = lines(figure.axes[0], "subject")
    assert len(subject) == 21
    assert lines(figure.axes[0], "named") == []
    assert "repeated" not in said(figure, "caption")


def test_without_a_course_the_shortest_gradients_are_drawn(classic: Verdict) -> None:
    assert classic.deviation is not None
    bare = replace(classic, deviation=replace(classic.deviation, course=None))
    assert [len(line) for line in lines(drawn(side_by_side(bare)).axes[0], "subject")] == [2]


def test_what_conforms_cannot_be_drawn() -> None:
    with pytest.raises(BadValue, match=r"(?s)adam shows no deviation from adam.*Draw a verdict that has a deviation."):
        side_by_side(Verdict("adam", "adam", "", conforms=True))
