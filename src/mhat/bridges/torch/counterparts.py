"""Rules that torch.optim has too (seen in 2.13.0), as plain data: what their knobs and states are called there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Counterpart:
    """A rule as an optimizer of torch has it.

    `optimizer`: the class; `states`: ours by name, and theirs; `knobs`: ours, and where a group of theirs has them
    (`betas[0]`). `held`: entries of a group that must be so; `without`: entries that only other classes have.
    `dialect`: the form of the rule that is torch's formula, where the library's is not.
    """

    optimizer: str
    states: Mapping[str, str]
    knobs: Mapping[str, str]
    held: Mapping[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    dialect: str = ""


_LR = {"lr": "lr"}
_ADAM = {"lr": "lr", "beta1": "betas[0]", "beta2": "betas[1]", "eps": "eps"}
_MOMENTS = {"m": "exp_avg", "v": "exp_avg_sq"}
_DECAY = {"weight_decay": "weight_decay"}
_PLAIN = {"weight_decay": 0}
_COUPLED, _DECOUPLED = {"decoupled_weight_decay": False}, {"decoupled_weight_decay": True}
_RMSPROP = {"lr": "lr", "rho": "alpha", "eps": "eps"}
_SGD = {**_PLAIN, "dampening": 0}
_NO_STEP = ("amsgrad", "alpha", "lr_decay", "rho", "etas", "beta2_decay", "ns_steps", "betas")
_EPS = "eps added before the correction"
_FACTORED = {
    "lr": "lr", "decay": "-beta2_decay", "eps1": "eps[0]", "eps2": "eps[1]", "d": "d", "weight_decay": "weight_decay",
}  # fmt: skip
_MUON = {"ns_steps": 5, "nesterov": True, "eps": 1e-7, "ns_coefficients": (3.4445, -4.775, 2.0315)}

# By the name of the rule; the first that fits is taken where no rule is named.
COUNTERPARTS: Mapping[str, Counterpart] = {
    "amsgrad": Counterpart(
        "Adam", {**_MOMENTS, "v_max": "max_exp_avg_sq"}, _ADAM, {"amsgrad": True, **_PLAIN}, ("momentum_decay",)
    ),
    "adam": Counterpart("Adam", _MOMENTS, _ADAM, {"amsgrad": False, **_PLAIN}, ("momentum_decay",)),
    "adam_l2": Counterpart("Adam", _MOMENTS, {**_ADAM, **_DECAY}, {"amsgrad": False, **_COUPLED}),
    "adamw": Counterpart("AdamW", _MOMENTS, {**_ADAM, **_DECAY}, {"amsgrad": False, **_DECOUPLED}),
    "nadam": Counterpart(
        "NAdam", {**_MOMENTS, "product": "mu_product"}, {**_ADAM, "momentum_decay": "momentum_decay"}, _PLAIN
    ),
    "nadamw": Counterpart(
        "NAdam", {**_MOMENTS, "product": "mu_product"}, {**_ADAM, "momentum_decay": "momentum_decay", **_DECAY},
        _DECOUPLED,
    ),
    "radam": Counterpart("RAdam", _MOMENTS, _ADAM, _PLAIN, ("amsgrad", "momentum_decay"), _EPS),
    "radamw": Counterpart("RAdam", _MOMENTS, {**_ADAM, **_DECAY}, _DECOUPLED, ("amsgrad", "momentum_decay"), _EPS),
    "adamax": Counterpart("Adamax", {"m": "exp_avg", "u": "exp_inf"}, _ADAM, _PLAIN),
    "rmsprop": Counterpart("RMSprop", {"v": "square_avg"}, _RMSPROP, {"momentum": 0, "centered": False, **_PLAIN}),
    "rmsprop_momentum": Counterpart(
        "RMSprop", {"v": "square_avg", "velocity": "momentum_buffer"}, {**_RMSPROP, "momentum": "momentum"},
        {"centered": False, **_PLAIN},
    ),
    "rmsprop_centered": Counterpart(
        "RMSprop", {"m": "grad_avg", "v": "square_avg"}, _RMSPROP, {"momentum": 0, "centered": True, **_PLAIN},
        dialect="eps added to the root",
    ),
    "adagrad": Counterpart("Adagrad", {"v": "sum"}, {"lr": "lr", "eps": "eps"}, {"lr_decay": 0, **_PLAIN}),
    "adadelta": Counterpart(
        "Adadelta", {"v": "square_avg", "u": "acc_delta"}, {"lr": "lr", "rho": "rho", "eps": "eps"}, _PLAIN
    ),
    # Of the move that was last, torch keeps the gradient, of which only the sign counts.
    "rprop": Counterpart(
        "Rprop", {"move_last": "prev", "delta": "step_size"},
        {"lr": "lr", "down": "etas[0]", "up": "etas[1]", "least": "step_sizes[0]", "most": "step_sizes[1]"},
    ),
    "asgd": Counterpart(
        "ASGD", {"average": "ax"}, {"lr": "lr", "lambd": "lambd", "alpha": "alpha", "t0": "t0"}, _PLAIN
    ),
    "adafactor": Counterpart("Adafactor", {"r": "row_var", "c": "col_var"}, _FACTORED),
    "adafactor_vector": Counterpart("Adafactor", {"v": "variance"}, _FACTORED),
    "muon": Counterpart(
        "Muon", {"m": "momentum_buffer"}, {"lr": "lr", "momentum": "momentum", **_DECAY},
        {**_MUON, "adjust_lr_fn": (None, "original")},
    ),
    "sgd": Counterpart("SGD", {}, _LR, {**_SGD, "momentum": 0}, _NO_STEP),
    "nesterov": Counterpart(
        "SGD", {"velocity": "momentum_buffer"}, {**_LR, "momentum": "momentum"}, {**_SGD, "nesterov": True}, _NO_STEP
    ),
    "momentum": Counterpart(
        "SGD", {"velocity": "momentum_buffer"}, {**_LR, "momentum": "momentum"}, {**_SGD, "nesterov": False}, _NO_STEP
    ),
}  # fmt: skip
