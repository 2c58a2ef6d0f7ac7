"""The schedulers of torch, optax, Keras and transformers: each is one of the library, or a dialect with a name."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mhat
from mhat import schedules
from mhat.errors import MissingExtra, SubjectError
from mhat.subjects.keras import imported

STEPS = 150
Made = tuple[str, dict[str, Any], str, str | None]
TORCH: list[Made] = [
    ("ConstantLR", {"factor": 1.0}, "constant:0.1", None),
    ("StepLR", {"step_size": 30, "gamma": 0.5}, "step:0.1,factor=0.5,every=30", None),
    ("MultiStepLR", {"milestones": [30, 70], "gamma": 0.2}, "milestones:0.1,30,70,factor=0.2", None),
    ("ExponentialLR", {"gamma": 0.95}, "exponential:0.1,factor=0.95", None),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 60}, "linear:0.1,end=0.01,steps=60", None),
    ("LinearLR", {"start_factor": 0.25, "total_iters": 60},
     "warmup_constant:0.1,warmup=60,start=0.025,first=0", None),
    ("PolynomialLR", {"total_iters": 60, "power": 2.0}, "polynomial:0.1,power=2,steps=60", None),
    ("CosineAnnealingLR", {"T_max": 60, "eta_min": 1e-3}, "cosine:0.1,end=1e-3,steps=60",
     "behind its end, which is step 61, it rises again, as torch's CosineAnnealingLR does"),
    ("CosineAnnealingWarmRestarts", {"T_0": 20, "T_mult": 2}, "cosine_restarts:0.1,period=20,growth=2", None),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": STEPS, "pct_start": 0.2}, "one_cycle:0.3,rise=29,steps=149", None),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 20, "step_size_down": 15},
     "cyclic:0.01,high=0.1,rise=20,fall=15", None),
]  # fmt: skip
OPTAX: list[Made] = [
    ("constant_schedule", {"value": 0.1}, "constant:0.1", None),
    ("linear_schedule", {"init_value": 0.1, "end_value": 0.01, "transition_steps": 60},
     "linear:0.1,end=0.01,steps=60", None),
    ("polynomial_schedule", {"init_value": 0.1, "end_value": 0.0, "power": 2, "transition_steps": 60},
     "polynomial:0.1,power=2,steps=60", None),
    ("cosine_decay_schedule", {"init_value": 0.1, "decay_steps": 60, "alpha": 0.1},
     "cosine:0.1,end=0.01,steps=60", None),
    ("exponential_decay", {"init_value": 0.1, "transition_steps": 10, "decay_rate": 0.5},
     "exponential:0.1,factor=0.5,every=10", None),
    ("exponential_decay", {"init_value": 0.1, "transition_steps": 10, "decay_rate": 0.5, "staircase": True},
     "step:0.1,factor=0.5,every=10", None),
    ("warmup_cosine_decay_schedule", {"init_value": 0.0, "peak_value": 0.1, "warmup_steps": 10, "decay_steps": 100},
     "warmup_cosine:0.1,warmup=10,steps=100,first=0", None),
    ("cosine_onecycle_schedule", {"transition_steps": 100, "peak_value": 0.1}, "one_cycle:0.1,rise=30,steps=100", None),
]  # fmt: skip
KERAS: list[Made] = [
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 60, "alpha": 0.1},
     "cosine:0.1,end=0.01,steps=60", None),
    ("CosineDecay", {"initial_learning_rate": 0.0, "decay_steps": 20, "warmup_target": 0.1, "warmup_steps": 5},
     "warmup_cosine:0.1,warmup=5,steps=25,first=0", None),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 20, "t_mul": 2.0, "m_mul": 1.0},
     "cosine_restarts:0.1,period=20,growth=2", None),
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5},
     "exponential:0.1,factor=0.5,every=10", None),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 1, "decay_rate": 0.5},
     "inverse_time:0.1,decay=0.5", None),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 60, "end_learning_rate": 0.0, "power": 2.0},
     "polynomial:0.1,power=2,steps=60", None),
]  # fmt: skip


@pytest.mark.parametrize(
    "name, options, recipe, dialect", TORCH, ids=[f"{name}-{recipe}" for name, _, recipe, _ in TORCH]
)
def test_torch(name: str, options: dict[str, Any], recipe: str, dialect: str | None) -> None:
    scheduler = pytest.importorskip("torch.optim.lr_scheduler")
    verdict = mhat.check_schedule(getattr(scheduler, name), steps=STEPS, lr=0.1, **options)
    assert verdict.schedule == schedules.named(recipe)
    assert (verdict.conforms, verdict.dialect, verdict.slips) == (True, dialect, ())


@pytest.mark.parametrize(
    "name, options, recipe, dialect", OPTAX, ids=[f"{name}-{recipe}" for name, _, recipe, _ in OPTAX]
)
def test_optax(name: str, options: dict[str, Any], recipe: str, dialect: str | None) -> None:
    optax = pytest.importorskip("optax")
    made = getattr(optax, name)(**options)
    verdict = mhat.check_schedule(getattr(optax, name), steps=STEPS, **options)
    assert verdict.schedule == schedules.named(recipe)
    assert (verdict.conforms, verdict.dialect, verdict.slips) == (True, dialect, ())
    # Its count begins at 0, and our steps at 1.
    one = schedules.named(recipe)
    for count in (0, 1, 10, 59, 120):
        assert float(made(count)) == pytest.approx(one(count + 1), rel=3e-6, abs=1e-9)


@pytest.mark.parametrize(
    "name, options, recipe, dialect", KERAS, ids=[f"{name}-{recipe}" for name, _, recipe, _ in KERAS]
)
def test_keras(name: str, options: dict[str, Any], recipe: str, dialect: str | None) -> None:
    try:
        keras = imported()
    except MissingExtra as error:
        pytest.skip(str(error))
    kind = getattr(keras.optimizers.schedules, name)
    # Keras's warm-up compiles anew at each step.
    steps = 30 if "warmup_steps" in options else STEPS
    for thing, more in ((kind(**options), {}), (kind, options)):
        verdict = mhat.check_schedule(thing, steps=steps, **more)
        assert verdict.schedule == schedules.named(recipe)
        assert (verdict.conforms, verdict.dialect, verdict.slips) == (True, dialect, ())


def of_transformers(kind: str, warmup: int, total: int) -> Callable[[int], float]:
    """Give the factor of a schedule of transformers, its formula enacted anew."""

    def factor(current_step: int) -> float:
        if current_step < warmup:
            return current_step / max(1, warmup)
        if kind == "constant":
            return 1.0
        if kind == "inverse_sqrt":
            return 1.0 / math.sqrt((current_step + warmup - warmup) / warmup)
        share = (current_step - warmup) / max(1, total - warmup)
        if kind == "linear":
            return max(0.0, 1.0 - share)
        return max(0.0, 0.5 * (1.0 + math.cos(math.pi * 0.5 * 2.0 * share)))

    return factor


TRANSFORMERS = {
    "constant": "warmup_constant:0.1,warmup=10,first=0",
    "linear": "warmup_linear:0.1,warmup=10,steps=100,first=0",
    "cosine": "warmup_cosine:0.1,warmup=10,steps=100,first=0",
    "inverse_sqrt": "inverse_root:0.1,warmup=10,first=0",
}


@pytest.mark.parametrize("kind", TRANSFORMERS)
def test_transformers_through_the_real_lambda(kind: str) -> None:
    scheduler = pytest.importorskip("torch.optim.lr_scheduler")

    def scheduled(optimizer: Any, num_warmup_steps: int = 10) -> Any:
        return scheduler.LambdaLR(optimizer, of_transformers(kind, num_warmup_steps, 100), -1)

    verdict = mhat.check_schedule(scheduled, steps=100, lr=0.1)
    assert verdict.schedule is not None and verdict.schedule.recipe == TRANSFORMERS[kind]
    assert verdict.conforms and "the rate of the first step is 0" in verdict.warnings[0]


def test_a_rate_in_place_of_a_factor_is_in_it_twice() -> None:
    scheduler = pytest.importorskip("torch.optim.lr_scheduler")

    def scheduled(optimizer: Any) -> Any:
        return scheduler.LambdaLR(optimizer, lambda step: 0.1 * max(0.0, 1 - step / 100))

    verdict = mhat.check_schedule(scheduled, "linear:0.1,steps=100", lr=0.1)
    assert verdict.slips == (
        "every rate is 0.1 times what it should be: the learning rate is in it twice, as a factor and as the rate",
    )


def test_what_happens_at_resume() -> None:
    torch = pytest.importorskip("torch")

    class Forgets(torch.optim.lr_scheduler.LRScheduler):  # type: ignore[name-defined,misc]
        def __init__(self, optimizer: Any) -> None:
            self.seen = -1
            super().__init__(optimizer)

        def get_lr(self) -> list[float]:
            self.seen += 1
            return [rate * 0.99**self.seen for rate in self.base_lrs]

        def state_dict(self) -> dict[str, Any]:
            return {"last_epoch": self.last_epoch}

    class Repeats(torch.optim.lr_scheduler.LambdaLR):  # type: ignore[name-defined,misc]
        def __init__(self, optimizer: Any) -> None:
            super().__init__(optimizer, lambda step: 0.99**step)

        def load_state_dict(self, state: dict[str, Any]) -> None:
            super().load_state_dict(state)
            self.last_epoch -= 1
            self.optimizer.param_groups[0]["lr"] = 0.99**self.last_epoch

    for kind, slip in (
        (Forgets, "resumed after step 3, it starts over from the first step"),
        (Repeats, "resumed after step 3, it gives the rate of step 3 once more: it is a step late from there"),
    ):
        verdict = mhat.check_schedule(kind)
        assert (verdict.conforms, verdict.slips) == (False, (slip,)), kind
        said = f"{kind.__name__} follows exponential:1,factor=0.99, but: {slip}"
        assert " ".join(str(verdict).split()).startswith(said)
    assert mhat.check_schedule(torch.optim.lr_scheduler.ExponentialLR, gamma=0.99).conforms


def test_a_scheduler_that_is_made_stays_as_it_is() -> None:
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=5)
    assert mhat.check_schedule(scheduler, steps=50).schedule == schedules.step(0.1, every=5)
    assert (scheduler.last_epoch, optimizer.param_groups[0]["lr"]) == (0, 0.1)


def test_what_follows_the_loss_is_no_schedule() -> None:
    scheduler = pytest.importorskip("torch.optim.lr_scheduler")
    with pytest.raises(SubjectError) as caught:
        mhat.check_schedule(scheduler.ReduceLROnPlateau)
    assert str(caught.value) == (
        "`ReduceLROnPlateau` asks for a metric at each step\n"
        "It follows the loss, and not the steps: there is no schedule to compare it with."
    )


def test_the_rates_train_as_torchs_own() -> None:
    torch = pytest.importorskip("torch")
    weight = torch.nn.Parameter(torch.ones(4, dtype=torch.float64))
    optimizer = torch.optim.Adam([weight], lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=7, gamma=0.5)
    ours = [np.ones(4)]
    opt = mhat.Optimizer("adam", ours, lr="step:0.1,factor=0.5,every=7")
    gradients = np.random.default_rng(3).normal(size=(40, 4))
    for gradient in gradients:
        weight.grad = torch.from_numpy(gradient.copy())
        optimizer.step()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            scheduler.step()
        opt.step([gradient])
    np.testing.assert_allclose(ours[0], weight.detach().numpy(), rtol=1e-13)
