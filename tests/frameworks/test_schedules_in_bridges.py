"""Schedules as knobs of the bridges: the steps are those of mhat.Optimizer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

import mhat
from mhat import schedules
from mhat.errors import BadValue

GRADIENTS = np.random.default_rng(5).normal(size=(24, 3))
WARM = "warmup_cosine:0.1,warmup=4,steps=20"
# A rise, a root, restarts, and one that changes at few steps.
SPECS = [WARM, "inverse_root:0.1,warmup=5", "cosine_restarts:0.1,period=5,growth=2", "step:0.1,factor=0.5,every=6",
         "one_cycle:0.1,rise=6,steps=20", "wsd:0.1,warmup=3,decay=5,steps=20"]  # fmt: skip


def expected(lr: Any) -> Any:
    weights = [np.ones(3)]
    opt = mhat.Optimizer("adam", weights, lr=lr)
    for gradient in GRADIENTS:
        opt.step([gradient])
    return weights[0]


def stepped(torch: Any, opt: Any, weight: Any, first: int, last: int) -> None:
    for gradient in GRADIENTS[first:last]:
        weight.grad = torch.from_numpy(gradient.copy())
        opt.step()


@pytest.mark.parametrize("spec", SPECS)
def test_torch_follows_it(spec: str) -> None:
    torch = pytest.importorskip("torch")
    from mhat.bridges.torch import Optimizer

    weight = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
    opt = Optimizer([weight], rule="adam", lr=schedules.named(spec))
    stepped(torch, opt, weight, 0, 24)
    np.testing.assert_array_equal(weight.detach().numpy(), expected(spec))
    assert opt.param_groups[0]["lr"] == schedules.named(spec)(24)


def test_torchs_groups_say_it_and_a_number_ends_it() -> None:
    torch = pytest.importorskip("torch")
    from mhat.bridges.torch import Optimizer

    weight = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
    opt = Optimizer([{"params": [weight], "schedules": {"lr": WARM}}], rule="adam", lr=0.5)
    assert opt.state_dict()["param_groups"][0]["schedules"] == {"lr": WARM}
    stepped(torch, opt, weight, 0, 24)
    np.testing.assert_array_equal(weight.detach().numpy(), expected(WARM))
    opt.param_groups[0]["lr"] = 0.25
    stepped(torch, opt, weight, 9, 10)
    assert opt.param_groups[0]["lr"] == 0.25 and opt.param_groups[0]["schedules"] == {}


def test_torch_refuses_what_its_state_cannot_carry() -> None:
    torch = pytest.importorskip("torch")
    from mhat.bridges.torch import Optimizer

    with pytest.raises(BadValue) as caught:
        Optimizer([torch.nn.Parameter(torch.ones(1))], rule="sgd", lr=lambda t: 0.1 / t)
    assert str(caught.value) == (
        "lr follows a function of yours, which torch's state cannot carry\n"
        "Take one of mhat.schedules, or torch's LambdaLR."
    )


@pytest.mark.parametrize("spec", SPECS)
def test_optax_follows_it_under_jit(spec: str) -> None:
    optax, jax = pytest.importorskip("optax"), pytest.importorskip("jax")
    from mhat.bridges.optax import transformation

    transform = transformation("adam", lr=spec)
    weights = jax.numpy.ones(3, dtype=jax.numpy.float32)
    state, step = transform.init(weights), jax.jit(transform.update)
    for gradient in GRADIENTS.astype(np.float32):
        updates, state = step(gradient, state, weights)
        weights = optax.apply_updates(weights, updates)
    np.testing.assert_allclose(weights, expected(spec), rtol=2e-5)
    count = jax.numpy.arange(1.0, 25.0)
    np.testing.assert_allclose(
        jax.jit(schedules.named(spec).traced)(count), schedules.named(spec).values(24), atol=1e-7
    )


def test_keras_says_what_to_give() -> None:
    from mhat.errors import MissingExtra
    from mhat.subjects.keras import imported

    try:
        imported()
    except MissingExtra as error:
        pytest.skip(str(error))
    from mhat.bridges.keras import Optimizer

    with pytest.raises(BadValue) as caught:
        Optimizer("adam", learning_rate=schedules.cosine(0.1))
    assert str(caught.value) == (
        "lr is a schedule of mhat (cosine:0.1,steps=100), and Keras takes its own alone\n"
        "Give one of keras.optimizers.schedules."
    )


@pytest.mark.parametrize("lr", [WARM, schedules.named(WARM), lambda t: schedules.named(WARM)(t)])
def test_scipy_follows_it(lr: Any) -> None:
    scipy = pytest.importorskip("scipy.optimize")
    from mhat.bridges.scipy import method

    def minimized(rate: Any) -> Any:
        return scipy.minimize(lambda x: float(x @ x), np.ones(2), jac=lambda x: 2 * x, method=method("sgd", lr=rate),
                              options={"maxiter": 15}).x  # fmt: skip

    table = xr.DataArray(schedules.named(WARM).values(15), dims="step")
    np.testing.assert_array_equal(minimized(lr), minimized(table))
