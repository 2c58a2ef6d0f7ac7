"""The optimizers of PyTorch, seen in 2.13.0, as plain data."""

from __future__ import annotations

from mhat.conversions.edits import CLIP_ALL, CLIP_NORM, CLIP_VALUE, DAMPENING, DECAY, L2, LR_DECAY, V_START, VELOCITY
from mhat.conversions.entries import Entry, Form, Framework, Recipe

_EPS_HAT = "eps added before the correction"
_SAME = "it changes how a step is computed and not what it is: give it to torch as before"
_IGNORED = {
    **dict.fromkeys(("foreach", "fused", "capturable", "differentiable"), _SAME),
    "maximize": "turn the sign of the loss instead",
}
_ADAM = {
    "lr": ("lr", 1e-3), "beta1": ("betas[0]", 0.9), "beta2": ("betas[1]", 0.999), "eps": ("eps", 1e-8),
}  # fmt: skip
_COUPLED = {"l2": ("weight_decay", 0.0)}
_THRESHOLD = {"threshold": 5.0}
_EITHER = {"decoupled_weight_decay": False}


def _decoupled(default: float) -> dict[str, tuple[str, float | None]]:
    return {"weight_decay": ("weight_decay", default)}


ENTRIES = (
    Entry(
        "torch.optim.SGD",
        {"lr": ("lr", 1e-3), "momentum": ("momentum", 0.0), "dampening": ("dampening", 0.0), **_COUPLED},
        (
            Form("nesterov", {"nesterov": True}, needs=("momentum",)),
            Form("momentum", needs=("momentum",)),
            Form("sgd", lacks=("momentum", "dampening")),
        ),
        {"nesterov": False},
        (DAMPENING, L2),
        ignored=_IGNORED,
    ),
    Entry(
        "torch.optim.Adam",
        {**_ADAM, **_COUPLED},
        (Form("amsgrad", {"amsgrad": True}), Form("adam")),
        {"amsgrad": False},
        (L2,),
        ignored={**_IGNORED, "decoupled_weight_decay": "name torch.optim.AdamW, which it is then"},
    ),
    Entry(
        "torch.optim.AdamW",
        {**_ADAM, **_decoupled(0.01)},
        (Form("amsgrad", {"amsgrad": True}), Form("adam", called="adamw")),
        {"amsgrad": False},
        (DECAY,),
        ignored=_IGNORED,
    ),
    Entry(
        "torch.optim.NAdam",
        {**_ADAM, "lr": ("lr", 2e-3), "momentum_decay": ("momentum_decay", 4e-3), **_COUPLED, **_decoupled(0.0)},
        (Form("nadam", {"decoupled_weight_decay": True}, lacks=("l2",)), Form("nadam", lacks=("weight_decay",))),
        _EITHER,
        (L2, DECAY),
        ignored=_IGNORED,
    ),
    Entry(
        "torch.optim.RAdam",
        {**_ADAM, **_COUPLED, **_decoupled(0.0)},
        (
            Form("radam", {"decoupled_weight_decay": True}, dialects=(_EPS_HAT,), held=_THRESHOLD, lacks=("l2",)),
            Form("radam", dialects=(_EPS_HAT,), held=_THRESHOLD, lacks=("weight_decay",)),
        ),
        _EITHER,
        (L2, DECAY),
        ignored=_IGNORED,
    ),
    Entry(
        "torch.optim.Adamax",
        {**_ADAM, "lr": ("lr", 2e-3), **_COUPLED},
        (Form("adamax"),),
        edits=(L2,),
        ignored=_IGNORED,
    ),
    Entry(
        "torch.optim.RMSprop",
        {"lr": ("lr", 1e-2), "rho": ("alpha", 0.99), "eps": ("eps", 1e-8), "momentum": ("momentum", 0.0), **_COUPLED},
        (Form("rmsprop_centered", {"centered": True}, dialects=("eps added to the root",)), Form("rmsprop")),
        {"centered": False},
        (VELOCITY, L2),
        ignored=_IGNORED,
    ),
    Entry(
        "torch.optim.Adagrad",
        {
            "lr": ("lr", 1e-2), "lr_decay": ("lr_decay", 0.0), "v_start": ("initial_accumulator_value", 0.0),
            "eps": ("eps", 1e-10), **_COUPLED,
        },
        (Form("adagrad"),),
        edits=(V_START, LR_DECAY, L2),
        ignored=_IGNORED,
    ),
    Entry(
        "torch.optim.Adadelta",
        {"lr": ("lr", 1.0), "rho": ("rho", 0.9), "eps": ("eps", 1e-6), **_COUPLED},
        (Form("adadelta"),),
        edits=(L2,),
        ignored=_IGNORED,
    ),
    Entry(
        "torch.optim.Rprop",
        {
            "lr": ("lr", 1e-2), "down": ("etas[0]", 0.5), "up": ("etas[1]", 1.2),
            "least": ("step_sizes[0]", 1e-6), "most": ("step_sizes[1]", 50.0),
        },
        (Form("rprop"),),
        ignored=_IGNORED,
    ),
)  # fmt: skip

TORCH = Framework(
    "torch",
    "PyTorch",
    ENTRIES,
    module="torch",
    extra="torch",
    aliases=("pytorch", "torch.optim"),
    recipes={
        "weight_decay": Recipe(
            DECAY,
            "{line}\n# before each step:\nfor p in params:\n    p.data.mul_(1 - {lr} * {weight_decay})",
        ),
        "clip_value": Recipe(
            CLIP_VALUE, "{line}\n# before each step:\ntorch.nn.utils.clip_grad_value_(params, {clip_value})"
        ),
        # clip_grad_norm_ adds 1e-6 to the norm, which is not the same.
        "clip_norm": Recipe(
            CLIP_NORM,
            "{line}\n# before each step:\nfor p in params:\n"
            "    p.grad.mul_({clip_norm} / p.grad.norm().clamp(min={clip_norm}))",
        ),
        "clip_all": Recipe(
            CLIP_ALL,
            "{line}\n# before each step:\nnorm = sum((p.grad**2).sum() for p in params) ** 0.5\nfor p in params:\n"
            "    p.grad.mul_({clip_all} / norm.clamp(min={clip_all}))",
        ),
    },
    anew='for group in optimizer.param_groups:\n    group["{theirs}"] = {expression}',
)
