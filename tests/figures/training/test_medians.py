"""How rules train, as curves: a line a rule, a band, what it was."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from mhat import figures
from tests.figures.looks import lines


def trials(values: np.ndarray) -> xr.Dataset:
    return xr.Dataset(
        {"measured": (("rule", "seed", "step"), values)},
        coords={"rule": ["adam", "sgd"], "seed": range(3), "step": range(5)},
        attrs={"problem": "digits", "measured": "loss", "tries": 7},
    )


@pytest.mark.parametrize(("spread", "scale"), [(2.0, "linear"), (1e3, "log")])
def test_medians_and_spread(spread: float, scale: str) -> None:
    values = np.linspace(1.0, spread, 30).reshape(2, 3, 5)
    figure = figures.training_curves(trials(values))
    (axes,) = figure.axes
    assert axes.get_yscale() == scale
    medians = [lines(axes, name)[0].tolist() for name in ("adam", "sgd")]
    assert medians == [pytest.approx(each) for each in np.median(values, axis=1).tolist()]
    assert len(axes.collections) == 2
    assert any("Each tuned by 7 runs at most" in text.get_text() for text in figure.texts)


def test_what_broke_off_leaves_a_gap_and_axes_may_be_given() -> None:
    values = np.ones((2, 3, 5))
    values[1, :, 3:] = np.nan
    axes = Figure().subplots()
    assert figures.training_curves(trials(values), ax=axes) is axes.figure
    assert np.isnan(lines(axes, "sgd")[0]).tolist() == [False] * 3 + [True] * 2
