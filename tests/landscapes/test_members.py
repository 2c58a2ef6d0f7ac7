"""Every landscape: its gradient against differences, its minima, its shapes and dtypes, and every refusal."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mhat import landscapes
from mhat.errors import BadValue, UnknownName
from mhat.landscapes import Landscape

SPECS = [
    "quadratic", "quadratic:1000,dimensions=5", "quadratic:3,dimensions=1", "ravine", "ravine:30,angle=20", "booth",
    "absolute", "absolute:3", "noisy", "noisy:0.5,condition=3,seed=2", "rosenbrock", "rosenbrock:-2,b=5", "beale",
    "factors", "factors:4", "plateau", "saddle", "himmelblau", "styblinski_tang", "styblinski_tang:3", "rastrigin",
    "rastrigin:3,amplitude=2", "reddi", "reddi:1010,small=-10,period=101", "reddi:1,small=-3", "lottery",
    "lottery:50,seed=1", "logistic", "logistic:4,scale=20,seed=1",
]  # fmt: skip
MEMBERS = {spec: landscapes.named(spec) for spec in SPECS}
# The gradient of these is that of the value on average only.
RANDOM = {"noisy": 4000, "lottery": 4000}
PERIODIC = {"reddi": 303, "logistic:4,scale=20,seed=1": 10}


def test_every_member_is_public_and_has_a_spec_here() -> None:
    assert {spec.partition(":")[0] for spec in SPECS} == set(landscapes.names())
    assert set(landscapes.names()) < set(landscapes.__all__)


@pytest.mark.parametrize("spec", SPECS)
def test_the_recipe_is_the_shortest_spec_and_makes_the_same_again(spec: str) -> None:
    landscape = MEMBERS[spec]
    assert landscape.recipe == spec
    assert landscape.name == spec.partition(":")[0]
    assert landscape.lesson.endswith(".") and landscapes.summaries()[landscape.name]
    points = at_random(landscape, 5)
    again = landscapes.named(spec)
    assert landscape.gradient(points, 7).tobytes() == again.gradient(points, 7).tobytes()


def at_random(landscape: Landscape, count: int, seed: int = 0) -> NDArray[np.float64]:
    low, high = np.array(landscape.window).T
    generator = np.random.Generator(np.random.PCG64(seed))
    return np.asarray(low + (high - low) * generator.random((count, landscape.dimensions)))


def mean_gradient(spec: str, x: NDArray[np.float64]) -> NDArray[np.float64]:
    landscape = MEMBERS[spec]
    count = next((PERIODIC[key] for key in (spec, landscape.name) if key in PERIODIC), 1)
    return np.asarray(np.mean([landscape.gradient(x, t) for t in range(1, count + 1)], axis=0))


def differences(landscape: Landscape, x: NDArray[np.float64], width: float = 1e-4) -> NDArray[np.float64]:
    """Differentiate numerically, with an error of the fourth power of the width."""
    columns = []
    for unit in np.eye(landscape.dimensions) * width:
        near = landscape.value(x + unit) - landscape.value(x - unit)
        far = landscape.value(x + 2 * unit) - landscape.value(x - 2 * unit)
        columns.append((8 * near - far) / (12 * width))
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize("spec", [spec for spec in SPECS if MEMBERS[spec].name not in RANDOM])
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_the_gradient_is_that_of_the_value(spec: str, data: st.DataObject) -> None:
    landscape = MEMBERS[spec]
    axes = [st.floats(low, high, allow_subnormal=False) for low, high in landscape.window]
    x = np.array(data.draw(st.tuples(*axes)))
    if landscape.name == "absolute":
        x = np.where(np.abs(x) < 1e-3, 0.5, x)
    scale = 1 + np.abs(landscape.value(x)) + np.abs(mean_gradient(spec, x)).max()
    np.testing.assert_allclose(mean_gradient(spec, x), differences(landscape, x), rtol=1e-7, atol=1e-8 * scale)


@pytest.mark.parametrize("name", RANDOM)
def test_the_gradient_is_that_of_the_value_on_average(name: str) -> None:
    landscape = MEMBERS[name]
    x = np.array(landscape.start)
    gradients = np.array([landscape.gradient(x, t) for t in range(1, RANDOM[name] + 1)])
    error = gradients.std(axis=0) / np.sqrt(len(gradients))
    assert (np.abs(gradients.mean(axis=0) - differences(landscape, x)) < 4 * error).all()


@pytest.mark.parametrize("spec", SPECS)
def test_the_known_minima_are_lowest(spec: str) -> None:
    landscape = MEMBERS[spec]
    assert landscape.minimum
    for point in landscape.minimum:
        lowest = np.array(point)
        np.testing.assert_allclose(landscape.value(lowest), landscape.minimum_value, atol=1e-12)
        for radius in (1e-3, 0.1):
            near = landscape.project(lowest + radius * (at_random(landscape, 50) - at_random(landscape, 50, seed=1)))
            assert (landscape.value(near) >= landscape.minimum_value - 1e-12).all()
        if landscape.name not in RANDOM and landscape.domain is None:
            assert np.abs(mean_gradient(spec, lowest)).max() < 1e-12
    assert (landscape.value(landscape.project(at_random(landscape, 2000))) > landscape.minimum_value - 1e-12).all()


@pytest.mark.parametrize("spec", SPECS)
def test_start_and_window(spec: str) -> None:
    landscape = MEMBERS[spec]
    assert len(landscape.start) == len(landscape.window) == landscape.dimensions
    for point in (landscape.start, *landscape.minimum):
        assert all(low <= each <= high for each, (low, high) in zip(point, landscape.window, strict=True))
    assert landscape.value(landscape.start) > landscape.minimum_value
    assert any(landscape.gradient(landscape.start, t).any() for t in range(1, 20))


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_shapes_and_dtypes_are_kept(spec: str, dtype: type) -> None:
    landscape = MEMBERS[spec]
    points = at_random(landscape, 12).astype(dtype)
    for x in (points[0], points, points.reshape(3, 4, -1)):
        value, gradient, inside = landscape.value(x), landscape.gradient(x, 3), landscape.project(x)
        assert value.shape == x.shape[:-1] and gradient.shape == inside.shape == x.shape
        assert value.dtype == gradient.dtype == inside.dtype == dtype
    one_by_one = [landscape.gradient(point, 3) for point in points]
    np.testing.assert_array_max_ulp(landscape.gradient(points, 3), np.array(one_by_one), maxulp=0)


@pytest.mark.parametrize("spec", SPECS)
def test_what_is_not_finite_is_seen_and_never_raises(spec: str) -> None:
    landscape = MEMBERS[spec]
    for bad in (np.nan, np.inf, -np.inf, 1e300):
        x = np.full(landscape.dimensions, bad)
        assert landscape.value(x).shape == ()
        assert landscape.gradient(x).shape == landscape.project(x).shape == x.shape


def test_whole_numbers_become_floats() -> None:
    assert landscapes.rosenbrock().gradient([1, 2]).dtype == np.float64


def test_projection() -> None:
    assert landscapes.reddi().project([[-3.0], [0.5], [2.0]]).tolist() == [[-1.0], [0.5], [1.0]]
    x = np.array([9.0, 9.0])
    assert landscapes.rosenbrock().project(x) is x


def test_adam_goes_to_the_worst_point_of_reddi_and_amsgrad_to_the_best() -> None:
    landscape = landscapes.reddi()
    assert landscape.lr is not None
    lrs = landscape.lr(np.arange(1, 3001))
    ends = []
    for never_forget in (False, True):
        x, v, most = np.array(landscape.start), 0.0, 0.0
        for t, lr in enumerate(lrs, start=1):
            g = landscape.gradient(x, t)
            v = 0.1 * v + 0.9 * float(g[0]) ** 2
            most = max(most, v)
            x = landscape.project(x - lr * g / np.sqrt(most if never_forget else v))
        ends.append(float(x[0]))
    assert ends[0] == 1.0 and ends[1] < -0.99


def test_a_small_batch_takes_turns() -> None:
    small, all_of_them = landscapes.logistic(batch=4), landscapes.logistic()
    x = np.array([0.5, -0.2])
    assert not np.allclose(small.gradient(x, 1), small.gradient(x, 2))
    assert small.gradient(x, 1).tobytes() == small.gradient(x, 11).tobytes()
    np.testing.assert_allclose(np.mean([small.gradient(x, t) for t in range(1, 11)], axis=0), all_of_them.gradient(x))


def test_slopes_that_cancel_have_no_minimum() -> None:
    assert landscapes.reddi(2, -1, 3).minimum == ()


def test_text_is_short() -> None:
    assert repr(landscapes.quadratic(100)) == "Landscape('quadratic:100', dimensions=2)"


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: landscapes.quadratic(0), "`condition` is 0"),
        (lambda: landscapes.quadratic(dimensions=0), "`dimensions` is 0"),
        (lambda: landscapes.ravine(float("nan")), "`condition` is nan"),
        (lambda: landscapes.ravine(angle="up"), "`angle` is 'up', which is no number"),
        (lambda: landscapes.rosenbrock(b=-1), "`b` is -1"),
        (lambda: landscapes.factors(0), "`target` is 0"),
        (lambda: landscapes.reddi(period=1), "`period` is 1"),
        (lambda: landscapes.logistic(batch=41), "`batch` is 41"),
        (lambda: landscapes.booth().value([1.0, 2.0, 3.0]), "`booth` has 2 coordinates, the point has the shape (3,)"),
        (lambda: landscapes.reddi().gradient(1.0), "`reddi` has 1 coordinate, the point has the shape ()"),
        (lambda: landscapes.reddi().project(["a"]), "a point of type <U1"),
        (lambda: landscapes.named("quadratic:condition=ten"), "in `quadratic:condition=ten`: `ten` is no number"),
        (lambda: landscapes.named("quadratic:0"), "in `quadratic:0`: `condition` is 0"),
        (lambda: landscapes.named(3), "`3` is no text"),
    ],
)  # fmt: skip
def test_a_bad_argument_is_refused(call: Any, what: str) -> None:
    with pytest.raises(BadValue, match="^" + re.escape(what)) as caught:
        call()
    assert caught.value.cure


def test_an_unknown_landscape_or_argument_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"there is no landscape `rosenbrok`\nDid you mean `rosenbrock`"):
        landscapes.named("rosenbrok")
    with pytest.raises(UnknownName, match=r"there is no argument of quadratic `conditon`\nDid you mean `condition`"):
        landscapes.named("quadratic:conditon=3")
