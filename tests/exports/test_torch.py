"""Exported optimizers of torch: the examples in them run, they are the rule on several tensors, and good citizens."""

from __future__ import annotations

import copy
import doctest
import io
import pickle
from typing import Any

import numpy as np
import pytest
import torch

import mhat
from mhat import rules
from mhat.exports import EXPORTS
from mhat.exports.heading import spoken_name
from mhat.language import Level, Rule
from mhat.names import find_rule
from tests.choices import often
from tests.exports.modules import module_of
from tests.exports.odd import ODD

ALL = [name for name in rules.names() if EXPORTS["torch"].lacking(rules.named(name)) is None]
MODIFIED = ["cautious(adam)", "clipped(adam)", "lookahead(adam)", "skip_outliers(adam)", "clipped(muon)"]


def optimizer_class(rule: Rule, module: Any) -> type[torch.optim.Optimizer]:
    made = getattr(module, spoken_name(rule))
    assert issubclass(made, torch.optim.Optimizer)
    return made  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", [*ALL, *MODIFIED])
def test_the_first_steps_in_the_docstring_are_those_of_the_class(name: str) -> None:
    with module_of(find_rule(name), "torch") as module:
        result = doctest.testmod(module)
    assert result.attempted >= 3
    assert result.failed == 0


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", [*often(ALL), *MODIFIED])
def test_it_moves_two_tensors_as_the_rule_does_and_goes_on_from_a_checkpoint(name: str, dtype: str) -> None:
    rule = find_rule(name)
    shape = (3, 4) if rule.level is Level.MATRIX else (5,)
    chance = np.random.default_rng(1)
    starts = [chance.normal(size=shape).astype(dtype) for _ in range(2)]
    parameters = [torch.tensor(x, requires_grad=True) for x in starts]
    xs: Any = starts
    state = None
    given = {"loss": 1.5} if rule.tree.given else {}
    closure = (lambda: torch.tensor(1.5)) if given else None
    with module_of(rule, "torch") as module:
        made = optimizer_class(rule, module)
        groups = [{"params": [parameter]} for parameter in parameters]
        optimizer = made(groups)
        for i in range(12):
            gs = [chance.normal(size=shape).astype(dtype) for _ in xs]
            from_here = mhat.engines.stepping.step_given(rule, xs, gs, i + 1, state, given, {})
            xs, state = from_here.x, from_here.state
            for parameter, g in zip(parameters, gs, strict=True):
                parameter.grad = torch.tensor(g)
            optimizer.step(closure)
            if i == 5:
                file = io.BytesIO()
                torch.save(optimizer.state_dict(), file)
                file.seek(0)
                optimizer = made([{"params": [parameter]} for parameter in parameters])
                optimizer.load_state_dict(torch.load(file, weights_only=True))
    for x, start, parameter in zip(xs, starts, parameters, strict=True):
        moved = np.abs(x - start).max()
        assert np.abs(parameter.detach().numpy() - x).max() <= moved * (1e-9 if dtype == "float64" else 3e-3)
    kept = [value for each in optimizer.state.values() for value in each.values() if torch.is_tensor(value)]
    assert all(value.dtype == parameters[0].dtype for value in kept)


def test_names_that_mean_something_there_are_written_otherwise() -> None:
    with module_of(ODD, "torch") as module:
        assert doctest.testmod(module).failed == 0
        assert module.Odd([one()], group_=0.25).defaults["group"] == 0.25


def one(value: float = 1.0) -> torch.Tensor:
    parameter = torch.tensor([value, -value], requires_grad=True)
    parameter.grad = torch.tensor([0.5, -1.0])
    return parameter


def test_groups_closures_and_what_torch_expects_of_an_optimizer() -> None:
    with module_of(rules.adam, "torch") as module:
        first, second, frozen = one(), one(), torch.ones(2)
        optimizer = module.Adam([{"params": [first], "lr": 0.5}, {"params": [second, frozen]}], lr=torch.tensor(0.25))
        assert optimizer.defaults["beta1"] == 0.9
        seen = []

        def closure() -> torch.Tensor:
            seen.append(torch.is_grad_enabled())
            return torch.tensor(3.0)

        assert optimizer.step(closure) == 3.0
        assert seen == [True]
        assert torch.allclose(first, torch.tensor([0.5, -0.5]))
        assert torch.allclose(second, torch.tensor([0.75, -0.75]))
        assert torch.equal(frozen, torch.ones(2))
        optimizer.zero_grad()
        assert optimizer.step() is None
        assert optimizer.state[first]["step"] == 1
        optimizer.add_param_group({"params": [one()]})
        assert len(copy.deepcopy(optimizer).param_groups) == 3
        assert pickle.loads(pickle.dumps(optimizer)).state_dict().keys() == {"state", "param_groups"}
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.1)
        optimizer.step()
        schedule.step()
        assert optimizer.param_groups[0]["lr"] == pytest.approx(0.05)


def test_it_climbs_where_it_is_told_to() -> None:
    with module_of(rules.prodigy, "torch") as module:
        down, up = one(), one()
        for parameter, maximize in ((down, False), (up, True)):
            parameter.grad = -parameter.grad if maximize else parameter.grad  # type: ignore[operator]
            module.Prodigy([parameter], maximize=maximize).step()
        assert torch.equal(down, up)


@pytest.mark.parametrize("name", ["adam", "prodigy"])
def test_sparse_and_complex_gradients_are_refused(name: str) -> None:
    sparse, turned = one(), torch.tensor([1.0 + 1.0j], requires_grad=True)
    sparse.grad, turned.grad = torch.tensor([0.5, 0.0]).to_sparse(), torch.tensor([1.0j])
    with module_of(rules.named(name), "torch") as module:
        made = optimizer_class(rules.named(name), module)
        for parameter in (sparse, turned):
            with pytest.raises(RuntimeError, match=f"{name.capitalize()} takes dense gradients of real numbers"):
                made([parameter]).step()  # type: ignore[call-arg]


def test_knobs_out_of_their_range_are_refused() -> None:
    with module_of(rules.adam, "torch") as module:
        with pytest.raises(ValueError, match=r"beta1 must be 0 <= beta1 < 1, not 1\.5"):
            module.Adam([one()], beta1=1.5)
        with pytest.raises(ValueError, match=r"lr must be 0 <= lr, not -1"):
            module.Adam([one()], lr=-1)


def test_what_is_no_matrix_is_refused_and_what_is_more_is_flattened() -> None:
    with module_of(rules.muon, "torch") as module:
        with pytest.raises(ValueError, match=r"Muon takes matrices, not \(2,\): give it to another optimizer"):
            module.Muon([one()]).step()
        kernel = torch.arange(12.0).reshape(3, 2, 2).sin().requires_grad_()
        kernel.grad = torch.arange(12.0).reshape(3, 2, 2).cos()
        flat = kernel.detach().clone().reshape(3, 4).requires_grad_()
        flat.grad = kernel.grad.reshape(3, 4)
        module.Muon([kernel]).step()
        module.Muon([flat]).step()
        assert torch.equal(kernel.reshape(3, 4), flat)
    with module_of(rules.shampoo, "torch") as module, pytest.raises(ValueError, match=r"not \(3, 2, 2\)"):
        module.Shampoo([kernel]).step()


def test_parameters_to_evaluate_are_put_in_place_and_taken_back() -> None:
    with module_of(rules.schedule_free, "torch") as module:
        parameter = one()
        optimizer = module.ScheduleFree([parameter], lr=0.1)
        for _ in range(3):
            optimizer.step()
        training = parameter.detach().clone()
        optimizer.eval()
        optimizer.eval()
        assert torch.equal(parameter, optimizer.state[parameter]["x_eval"])
        assert not torch.equal(parameter, training)
        with pytest.raises(RuntimeError, match=r"the parameters are those to evaluate: call train\(\) before step\(\)"):
            optimizer.step()
        optimizer.train()
        optimizer.train()
        assert torch.equal(parameter, training)
        optimizer.step()


def test_a_rule_that_reads_the_loss_wants_a_closure() -> None:
    with module_of(rules.polyak, "torch") as module:
        optimizer = module.Polyak([one()])
        with pytest.raises(RuntimeError, match=r"Polyak reads the loss: give step\(\) a closure that returns it"):
            optimizer.step()
        assert optimizer.step(lambda: torch.tensor(2.0)) == 2.0


def test_what_is_carried_is_not_the_gradient_itself() -> None:
    with module_of(rules.optimistic, "torch") as module:
        parameter = one()
        optimizer = module.Optimistic([parameter])
        optimizer.step()
        kept = optimizer.state[parameter]["g_last"].clone()
        optimizer.zero_grad(set_to_none=False)
        assert torch.equal(optimizer.state[parameter]["g_last"], kept)
        assert kept.any()
