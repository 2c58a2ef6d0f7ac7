"""The table of known laws, line by line: what is derived from the structure of a rule, against the published number.

Each expected number was measured with plain NumPy beside the library, or follows from the formula named.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from mhat import rules
from mhat.explanations.claims import Number
from mhat.explanations.numbers import batches, dtypes, longest, noise, past, rarity, stability
from mhat.explanations.numbers.floors import half_size, share
from mhat.explanations.numbers.parts import Parts, parts_of
from mhat.explanations.numbers.responses import Spot
from mhat.explanations.runs import Setting
from mhat.language import Name


def of(name: str, **knobs: float) -> Parts:
    return parts_of(Setting(rules.named(name), name, knobs))


def spots_of(parts: Parts, *names: str) -> tuple[Spot, ...]:
    return tuple(Spot(len(parts.rule.tree.body), Name(name)) for name in names)


@pytest.mark.parametrize("g", [1e-8, 1e-4, 1.0, -300.0])
def test_first_step(g: float) -> None:
    first = of("adam").single([g])[0]
    assert first == pytest.approx(g / (abs(g) + 1e-8), rel=1e-12)


@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.0, 0.5), (0.5, 0.9), (0.99, 0.9)])
def test_constant_gradient(beta1: float, beta2: float) -> None:
    moves = of("adam", beta1=beta1, beta2=beta2).single(np.full(50, 1e-6))
    assert moves == pytest.approx(np.full(50, 1 / (1 + 1e-8 / 1e-6)), rel=1e-9)


def test_scale_invariance_is_read_from_the_tree() -> None:
    assert of("adam").step.degree == 0
    assert of("sgd").step.degree == 1
    assert of("adadelta").step.degree == 0


@pytest.mark.parametrize("size", [1e-10, 1e-8, 1e-7, 1e-3])
def test_share_of_eps(size: float) -> None:
    assert share(of("adam"), size) == pytest.approx(1 / (1 + 1e-8 / size), rel=1e-6)
    assert half_size(of("adam")) == pytest.approx(1e-8, rel=1e-5)


@pytest.mark.parametrize(
    ("gain", "half_life"), [(0.9, 6.58), (0.95, 13.51), (0.99, 69.0), (0.999, 692.8), (0.9999, 6931)]
)
def test_half_lives(gain: float, half_life: float) -> None:
    m, v = of("adam", beta1=gain, beta2=gain).averages
    assert m.half_life == pytest.approx(half_life, rel=1e-3)
    assert v.half_life == m.half_life


def test_warm_up_of_the_second_moment() -> None:
    slowest, steps = past.warm_up(of("adam")) or (None, 0.0)
    assert slowest is not None and (slowest.state, round(steps)) == ("v", 2000)


def test_white_noise() -> None:
    assert noise.expected_step(of("adam")) == pytest.approx(0.2294, abs=5e-5)
    (claim,) = noise.typical_step(Setting(rules.named("adam"), "adam"))
    assert isinstance(claim.evidence, Number) and claim.evidence.measured is not None
    assert claim.evidence.measured.value == pytest.approx(0.2299e-3, rel=5e-3)


@pytest.mark.parametrize(
    ("knobs", "most"),
    [
        ({}, 7.2703), ({"beta2": 0.95}, 1.165), ({"beta2": 0.98}, 1.698), ({"beta2": 0.99}, 2.345),
        ({"beta1": 0.95, "beta2": 0.95}, 1.0),
    ],
)  # fmt: skip
def test_longest_step(knobs: dict[str, float], most: float) -> None:
    assert longest.longest_at(of("adam", **knobs)) == pytest.approx(most, rel=5e-4)


@pytest.mark.parametrize(("step", "most"), [(1, 1.0), (10, 1.0431), (100, 2.2434), (1000, 5.78), (10000, 7.2701)])
def test_longest_step_at_a_step(step: int, most: float) -> None:
    assert longest.longest_at(of("adam"), step) == pytest.approx(most, rel=5e-4)


def test_longest_step_of_gradients_that_grow() -> None:
    adam = of("adam")
    reached = adam.single(np.multiply.accumulate(np.full(1500, 0.999 / 0.9)))
    assert 3.1623 < reached.max() < 7.2703


def test_longest_step_over_a_maximum() -> None:
    adamax = of("adamax")
    assert longest.longest_at(adamax) == pytest.approx((1 - 0.9) / (1 - 0.9 / 0.999), rel=1e-6)
    shrinking = adamax.single(1e6 * np.multiply.accumulate(np.full(200, 0.999)))
    assert shrinking.max() == pytest.approx(1.00909, rel=1e-4)


@pytest.mark.parametrize(("every", "mean"), [(2, 0.7071), (10, 0.3161), (100, 0.0980), (1000, 0.0253)])
def test_rare_gradients(every: int, mean: float) -> None:
    assert rarity.rare_steps(of("adam"), every, rounds=9, longest=9000) == pytest.approx(mean, rel=4e-3)


def test_spikes() -> None:
    before, at_once, shortest, when = longest.after_spike(of("adam"))
    assert before == pytest.approx(1, rel=1e-6)
    assert at_once[:2] == pytest.approx([1.81, 3.21], rel=3e-3)
    assert shortest == pytest.approx([0.955, 0.306, 0.0033], rel=1e-2)
    assert when[1] == 73


def test_steps_lost_after_a_spike() -> None:
    """Of the 3,000 steps from the spike on 1,305 are lost; in the end it is 1,516."""
    gradients = np.ones(5999)
    gradients[2999] = 100
    moves = of("adam").single(gradients)
    assert np.sum(1 - moves[2999:]) == pytest.approx(1305, abs=1)


def test_sign_and_variance() -> None:
    """Balles and Hennig: without the first average the step is sign(g) / sqrt(1 + variance / mean**2) in the mean."""
    g = np.where(np.arange(4000) % 2 == 0, 3.0, 1.0)  # mean 2, variance 1
    moves = of("adam", beta1=0.0).single(g)
    assert moves[-1000:].mean() == pytest.approx(1 / math.sqrt(1 + 1 / 4), rel=1e-3)


def test_equilibrium_and_turning() -> None:
    adamw = of("adamw", lr=0.01, weight_decay=0.1)
    size, step = noise.equilibrium_size(adamw), noise.expected_step(adamw)
    assert size is not None and step is not None
    assert size == pytest.approx(math.sqrt(0.01 / (2 * 0.1)), rel=0.01)
    assert size == pytest.approx(0.2233, rel=0.01)
    assert step * 0.01 / size == pytest.approx(0.01026, rel=0.01)


def test_batch() -> None:
    new = {each.knob: each.value for each in batches.scaled(of("adam"), 4)}
    assert new == pytest.approx({"lr": 2e-3, "beta1": 0.6, "beta2": 0.996, "eps": 5e-9})
    assert {each.knob: each.value for each in batches.scaled(of("sgd"), 4)} == pytest.approx({"lr": 0.04})


def test_token_half_life() -> None:
    gain = batches.token_half_life(0.999, 8)
    assert math.log(2) / -math.log(gain) * 8 == pytest.approx(692.8, rel=1e-4)


@pytest.mark.parametrize(
    ("name", "in_rates"), [("adam", 38.0), ("momentum", 3.8), ("sgd", 2.0), ("nesterov", 3.8 / 2.8)]
)
def test_stability(name: str, in_rates: float) -> None:
    parts = of(name)
    most = stability.threshold(parts)
    assert most is not None and most * parts.lr == pytest.approx(in_rates, rel=1e-6)


def test_adam_walks_on_the_edge_of_stability() -> None:
    """On x**2 / 2 with lr 0.01 the curvature over the denominator hangs about the threshold, 38 / lr."""
    x, m, v, edges = 1.0, 0.0, 0.0, []
    for t in range(1, 40_001):
        m, v = 0.9 * m + 0.1 * x, 0.999 * v + 0.001 * x * x
        under = math.sqrt(v / (1 - 0.999**t)) + 1e-8
        x -= 0.01 * (m / (1 - 0.9**t)) / under
        edges.append(0.01 / under)
    assert np.median(edges[-10_000:]) == pytest.approx(0.01 * (stability.threshold(of("adam", lr=0.01)) or 0), rel=0.15)


def test_rectification() -> None:
    radam = of("radam")
    walked = radam.walk(np.ones((1000, 1)), spots=spots_of(radam, "r_t", "rho_inf", "rho_t"))
    r, infinity, rho = (spot[:, 0] for spot in walked.spots)
    assert infinity[0] == pytest.approx(1999)
    assert [r[4], r[5], r[99], r[999]] == pytest.approx([0.0173, 0.0258, 0.2153, 0.6453], rel=3e-3)
    assert np.argmax(rho > 4) + 1 == 5
    assert np.argmax(rho > 5) + 1 == 6


def test_small_dtypes() -> None:
    assert dtypes.rounded(1e-8, "float16") == 0.0
    assert dtypes.rounded(5.96e-8, "float16") > 0
    assert dtypes.half_gap("bfloat16") == 2.0**-9
    sentences = [claim.sentence for claim in dtypes.dtype_numbers(Setting(rules.named("adam"), "adam"))]
    assert any("In bfloat16 `v` does not fade" in sentence for sentence in sentences)
    assert dtypes.smallest_square(of("adam").averages[1]) == pytest.approx(3.4e-18, rel=0.01)


def test_without_correction() -> None:
    bare = past.without_corrections(rules.named("adam"), of("adam"))
    assert bare is not None
    moves = parts_of(Setting(bare)).single(np.ones(60))
    assert moves[0] == pytest.approx(3.1623, rel=1e-4)
    assert moves.max() == pytest.approx(6.5685, rel=1e-4)
    assert moves.argmax() + 1 == 12
