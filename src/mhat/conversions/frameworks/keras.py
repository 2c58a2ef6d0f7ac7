"""The optimizers of Keras 3, seen in 3.15.1, as plain data."""

from __future__ import annotations

from mhat.conversions.edits import (
    CLIP_ALL,
    CLIP_NORM,
    CLIP_VALUE,
    DECAY,
    L2,
    RATE_INSIDE,
    V_START,
    VELOCITY_RATE_INSIDE,
)
from mhat.conversions.entries import Entry, Form, Framework, Recipe

_EPS_HAT = "eps-hat: eps is added before the correction"
_AVERAGE = "the average of the parameters is no part of a step: keep it apart"
_IGNORED = {
    "name": "it is a name only",
    "kwargs": "convert translates what is named",
    "loss_scale_factor": "it is divided out again: scale the loss as before",
    "gradient_accumulation_steps": "accumulate the gradients apart from the optimizer",
    **dict.fromkeys(("use_ema", "ema_momentum", "ema_overwrite_frequency"), _AVERAGE),
}
_LR = {"lr": ("learning_rate", 1e-3)}
_BETAS = {"beta1": ("beta_1", 0.9), "beta2": ("beta_2", 0.999)}
_EPS = {"eps": ("epsilon", 1e-7)}
_EVERY = {
    "weight_decay": ("weight_decay", 0.0), "clip_value": ("clipvalue", 0.0), "clip_norm": ("clipnorm", 0.0),
    "clip_all": ("global_clipnorm", 0.0),
}  # fmt: skip
_CLIPS = (CLIP_VALUE, CLIP_NORM, CLIP_ALL)
_DECAYED = (DECAY, *_CLIPS)

ENTRIES = (
    Entry(
        "keras.optimizers.SGD",
        {"lr": ("learning_rate", 1e-2), "momentum": ("momentum", 0.0), **_EVERY},
        (
            Form("nesterov", {"nesterov": True}, needs=("momentum",), edits=(RATE_INSIDE,)),
            Form("momentum", needs=("momentum",), edits=(RATE_INSIDE,)),
            Form("sgd", lacks=("momentum",)),
        ),
        {"nesterov": False},
        _DECAYED,
        ignored=_IGNORED,
    ),
    Entry(
        "keras.optimizers.Adam",
        {**_LR, **_BETAS, **_EPS, **_EVERY},
        (Form("amsgrad", {"amsgrad": True}, dialects=(_EPS_HAT,)), Form("adam", dialects=(_EPS_HAT,))),
        {"amsgrad": False},
        _DECAYED,
        ignored=_IGNORED,
    ),
    Entry(
        "keras.optimizers.AdamW",
        {**_LR, **_BETAS, **_EPS, **_EVERY, "weight_decay": ("weight_decay", 4e-3)},
        (
            Form("amsgrad", {"amsgrad": True}, dialects=(_EPS_HAT,)),
            Form("adam", dialects=(_EPS_HAT,), called="adamw"),
        ),
        {"amsgrad": False},
        _DECAYED,
        ignored=_IGNORED,
    ),
    Entry(
        "keras.optimizers.Nadam",
        {**_LR, **_BETAS, **_EPS, **_EVERY},
        (Form("nadam", held={"momentum_decay": 1.0}),),
        edits=_DECAYED,
        ignored=_IGNORED,
    ),
    Entry(
        "keras.optimizers.Adamax",
        {**_LR, **_BETAS, **_EPS, **_EVERY},
        (Form("adamax", dialects=("eps added to the maximum",)),),
        edits=_DECAYED,
        ignored=_IGNORED,
    ),
    Entry(
        "keras.optimizers.RMSprop",
        {**_LR, "rho": ("rho", 0.9), "momentum": ("momentum", 0.0), **_EPS, **_EVERY},
        (Form("rmsprop_centered", {"centered": True}), Form("rmsprop", dialects=("eps under the root",))),
        {"centered": False},
        (VELOCITY_RATE_INSIDE, *_DECAYED),
        ignored=_IGNORED,
    ),
    Entry(
        "keras.optimizers.Adagrad",
        {**_LR, "v_start": ("initial_accumulator_value", 0.1), **_EPS, **_EVERY},
        (Form("adagrad", dialects=("eps under the root",)),),
        edits=(V_START, *_DECAYED),
        ignored=_IGNORED,
    ),
    Entry(
        "keras.optimizers.Adadelta",
        {**_LR, "rho": ("rho", 0.95), **_EPS, **_EVERY},
        (Form("adadelta"),),
        edits=_DECAYED,
        ignored=_IGNORED,
    ),
    Entry(
        "keras.optimizers.Lion",
        {**_LR, "beta1": ("beta_1", 0.9), "beta2": ("beta_2", 0.99), **_EVERY},
        (Form("lion", positive=("beta1",)),),
        edits=_CLIPS,
        ignored=_IGNORED,
    ),
    Entry(
        "keras.optimizers.Lamb",
        {**_LR, **_BETAS, **_EPS, **_EVERY},
        (Form("lamb", dialects=("decay before the step, outside of the trust ratio",)),),
        edits=_CLIPS,
        ignored=_IGNORED,
    ),
)

KERAS = Framework(
    "keras",
    "Keras 3",
    ENTRIES,
    module="keras",
    extra="keras",
    lead="",
    aliases=("keras3", "keras.optimizers", "tf.keras"),
    recipes={
        "l2": Recipe(L2, "{line}\n# and for every weight of every layer: regularizer=keras.regularizers.L2({half_l2})"),
    },
    anew="optimizer.{theirs} = {expression}",
    warning="in a loop of your own: what is compiled reads {theirs} once",
)
