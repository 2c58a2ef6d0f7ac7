"""Every stream: its values, seeds, the prefix property, its recipe, and every refusal."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest

from mhat import streams
from mhat.errors import BadValue, UnknownName
from mhat.streams import Stream

SPECS = [
    "constant", "constant:10", "constant:nan", "constant:-0.0", "zeros", "ramp", "ramp:2,start=1", "exponential",
    "exponential:0.5,start=inf", "alternating:2", "sine:7.5,amplitude=2", "cycle:3,-1,-1", "cycle:1010", "sparse",
    "sparse:1", "sparse:7,value=2", "spike", "spike:nan,at=3,base=2", "shift", "shift:2,noise=0.5,seed=3",
    "lottery:50,seed=2", "normal:seed=42", "normal:2,scale=0.1,size=3x4", "normal:size=1", "heavy_tailed:1,size=3",
    "drift:seed=1", "correlated:-0.9,size=2", "scaled:0.0001,size=4", "scaled:seed=5",
]  # fmt: skip


def test_every_member_is_public_and_has_a_spec_here() -> None:
    assert {spec.partition(":")[0] for spec in SPECS} == set(streams.names())
    assert set(streams.names()) < set(streams.__all__)


@pytest.mark.parametrize("name", streams.names())
def test_every_member_has_a_docstring_that_teaches(name: str) -> None:
    doc = inspect.getdoc(getattr(streams, name)) or ""
    assert "Teaches" in doc and "Shape" in doc and ">>>" in doc
    assert streams.summaries()[name] and len(streams.summaries()[name]) < 80


@pytest.mark.parametrize("spec", SPECS)
def test_the_recipe_makes_the_same_bits_again(spec: str) -> None:
    stream = streams.named(spec, steps=60)
    again = streams.named(stream.recipe)
    assert again.values.tobytes() == stream.values.tobytes()
    assert again.dims == stream.dims and again.recipe == stream.recipe
    assert streams.named(spec).recipe == spec


@pytest.mark.parametrize("spec", SPECS)
def test_fewer_steps_are_the_beginning_of_more(spec: str) -> None:
    long = streams.named(spec, steps=131)
    for steps in (1, 2, 49, 130):
        short = streams.named(spec, steps=steps)
        assert short.steps == len(short) == steps
        assert short.values.tobytes() == long.values[:steps].tobytes()


@pytest.mark.parametrize("name", ["normal", "heavy_tailed", "drift", "correlated", "scaled", "lottery"])
def test_another_seed_gives_other_gradients(name: str) -> None:
    assert not np.array_equal(streams.named(f"{name}:seed=1").values, streams.named(f"{name}:seed=2").values)


@pytest.mark.parametrize(
    ("stream", "values"),
    [
        (streams.constant(10, steps=3), [10, 10, 10]),
        (streams.ramp(steps=4), [0, 1, 2, 3]),
        (streams.alternating(steps=3), [1, -1, 1]),
        (streams.alternating(0, steps=2), [0, -0.0]),
        (streams.sparse(2, steps=5), [0, 1, 0, 1, 0]),
        (streams.spike(5, at=1, steps=2), [5, 1]),
        (streams.spike(5, at=9, steps=2), [1, 1]),
        (streams.shift(2, 3, at=1, steps=2), [3, 3]),
        (streams.exponential(10, steps=4), [1, 10, 100, 1000]),
        (streams.exponential(1e200, steps=3), [1, 1e200, np.inf]),
        (streams.cycle(1, 2, steps=3), [1, 2, 1]),
        (streams.cycle(steps=4), [3, -1, -1, 3]),
        (streams.lottery(1, steps=2), [1, 1]),
        (streams.sine(4, steps=2), [0, 1]),
    ],
)
def test_values(stream: Stream, values: list[float]) -> None:
    assert stream.values.dtype == np.float64
    np.testing.assert_array_equal(stream.values, values)


def test_normal_is_the_plain_generator() -> None:
    expected = np.random.Generator(np.random.PCG64(42)).standard_normal(100)
    np.testing.assert_array_equal(streams.normal(seed=42).values, expected)


def test_moments_of_the_noise() -> None:
    normal = streams.normal(2, 3, seed=1, steps=20_000).values
    assert abs(normal.mean() - 2) < 0.1 and abs(normal.std() - 3) < 0.1
    remembered = streams.correlated(0.9, seed=1, steps=20_000).values
    assert abs(remembered.std() - 1) < 0.1
    assert abs((remembered[1:] * remembered[:-1]).mean() - 0.9) < 0.1
    drawn = streams.lottery(10, seed=1, steps=20_000).values
    assert set(drawn) == {-1.0, 10.0} and abs((drawn == 10).mean() - 0.1) < 0.01
    assert np.abs(streams.heavy_tailed(seed=1, steps=20_000).values).max() > 50


def test_growing_gradients_pass_the_published_bound_of_adam() -> None:
    m = v = 0.0
    ratios = []
    for t, g in enumerate(streams.exponential(steps=300).values, start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        ratios.append(m / (1 - 0.9**t) / np.sqrt(v / (1 - 0.999**t)))
    assert next(t for t, ratio in enumerate(ratios, start=1) if ratio > 0.1 / np.sqrt(0.001)) == 210
    assert max(ratios) < 7.2703


def test_sizes_name_their_dimensions() -> None:
    assert streams.normal(size=3).dims == ("step", "i")
    assert streams.normal(size=(3, 4)).dims == ("step", "i", "j")
    assert streams.scaled(size=2, steps=5).values.shape == (5, 2)


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: streams.constant(steps=0), "`steps` is 0"),
        (lambda: streams.constant(steps=2.5), "`steps` is 2.5"),
        (lambda: streams.constant("10"), "`value` is '10', which is no number"),
        (lambda: streams.sine(float("nan")), "`period` is nan"),
        (lambda: streams.sine(0), "`period` is 0"),
        (lambda: streams.sparse(0), "`every` is 0"),
        (lambda: streams.spike(at=0), "`at` is 0"),
        (lambda: streams.normal(seed=-1), "`seed` is -1"),
        (lambda: streams.normal(seed=0.5), "`seed` is 0.5"),
        (lambda: streams.normal(size=0), "`size` is 0"),
        (lambda: streams.normal(size=(3, 0)), "`size` is 0"),
        (lambda: streams.normal(size=(1,) * 9), "gradients of 10 dimensions"),
        (lambda: streams.heavy_tailed(0), "`freedom` is 0"),
        (lambda: streams.correlated(1.5), "`memory` is 1.5"),
        (lambda: streams.lottery(0), "`odds` is 0"),
        (lambda: streams.cycle(1, "2"), "`value` is '2', which is no number"),
        (lambda: streams.named("constant:ten"), "in `constant:ten`: `ten` is no number"),
        (lambda: streams.named("constant:3x4"), "in `constant:3x4`: `value` is 3x4, which is no number"),
        (lambda: streams.named("constant", steps=0), "in `constant`: `steps` is 0"),
        (lambda: streams.named(""), "`` names no stream"),
        (lambda: streams.named(None), "`None` names no stream"),
    ],
)
def test_a_bad_argument_is_refused(call: Any, what: str) -> None:
    with pytest.raises(BadValue, match="^" + re.escape(what)) as caught:
        call()
    assert caught.value.cure


def test_an_unknown_stream_or_argument_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"there is no stream `norml`\nDid you mean `normal`"):
        streams.named("norml:seed=42")
    with pytest.raises(UnknownName, match=r"Known: alternating, .*A file is named with its ending"):
        streams.named("gradients")
    with pytest.raises(UnknownName, match=r"there is no argument of normal `sed`\nDid you mean `seed`"):
        streams.named("normal:sed=42")


def test_a_stream_is_an_array_that_nobody_changes() -> None:
    stream = streams.ramp(steps=3)
    assert np.asarray(stream).sum() == 3
    assert np.asarray(stream, np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        stream.values[0] = 1
    assert repr(stream) == "Stream('ramp:steps=3', step=3)"
    mine = np.zeros(3)
    streams.of_array(mine)
    mine[0] = 1


@pytest.mark.parametrize(
    ("values", "dims", "what"),
    [
        ([], ("step",), "a stream without a step"),
        (3.0, (), "a stream without a step"),
        ([1, 2], ("i",), "the first dimension is `i`"),
        ([1, 2], ("step", "i"), "gradients of shape (2,) with the dimensions ('step', 'i')"),
        ([[1, 2]], ("step", "step"), "gradients of shape (1, 2) with the dimensions ('step', 'step')"),
        (["a"], ("step",), "these gradients are no numbers: they are of type <U1"),
        ([[1], [1, 2]], ("step",), "these gradients are no numbers: "),
        ([1j], ("step",), "these gradients are no numbers: they are of type complex128"),
    ],
)
def test_a_stream_checks_what_it_is_made_of(values: Any, dims: tuple[str, ...], what: str) -> None:
    with pytest.raises(BadValue, match="^" + re.escape(what)) as caught:
        Stream(values, dims)
    assert caught.value.cure


def test_of_array_names_the_dimensions() -> None:
    assert streams.of_array(np.zeros((5, 2, 3))).dims == ("step", "i", "j")
    assert streams.of_array([[1]], ("step", "layer")).dims == ("step", "layer")
