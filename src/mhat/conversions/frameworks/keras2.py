"""The optimizers of `tf.keras.optimizers.legacy`, seen in tf_keras 2.21.0, as plain data. mhat does not drive them."""

from __future__ import annotations

from mhat.conversions.edits import DECAY, L2, RATE_INSIDE, V_START, VELOCITY_RATE_INSIDE
from mhat.conversions.entries import Entry, Form, Framework, Recipe

_EPS_HAT = "eps-hat: eps is added before the correction"
_IGNORED = {
    "name": "it is a name only",
    "kwargs": "convert translates what is named",
    "decay": "give the learning rate a schedule instead: lr / (1 + decay * (t - 1))",
    **dict.fromkeys(("clipnorm", "clipvalue", "global_clipnorm"), "convert does not translate it: see keras"),
}
_LR = {"lr": ("learning_rate", 1e-3)}
_BETAS = {"beta1": ("beta_1", 0.9), "beta2": ("beta_2", 0.999)}
_EPS = {"eps": ("epsilon", 1e-7)}

ENTRIES = (
    Entry(
        "tf.keras.optimizers.legacy.SGD",
        {"lr": ("learning_rate", 1e-2), "momentum": ("momentum", 0.0)},
        (
            Form("nesterov", {"nesterov": True}, needs=("momentum",), edits=(RATE_INSIDE,)),
            Form("momentum", needs=("momentum",), edits=(RATE_INSIDE,)),
            Form("sgd", lacks=("momentum",)),
        ),
        {"nesterov": False},
        ignored=_IGNORED,
    ),
    Entry(
        "tf.keras.optimizers.legacy.Adam",
        {**_LR, **_BETAS, **_EPS},
        (Form("amsgrad", {"amsgrad": True}, dialects=(_EPS_HAT,)), Form("adam", dialects=(_EPS_HAT,))),
        {"amsgrad": False},
        ignored=_IGNORED,
    ),
    Entry(
        "tf.keras.optimizers.legacy.Nadam",
        {**_LR, **_BETAS, **_EPS},
        (Form("nadam", held={"momentum_decay": 4e-3}),),
        ignored=_IGNORED,
    ),
    Entry(
        "tf.keras.optimizers.legacy.Adamax",
        {**_LR, **_BETAS, **_EPS},
        (Form("adamax", dialects=("eps added to the maximum",)),),
        ignored=_IGNORED,
    ),
    Entry(
        "tf.keras.optimizers.legacy.RMSprop",
        {**_LR, "rho": ("rho", 0.9), "momentum": ("momentum", 0.0), **_EPS},
        (
            # Its momentum is computed elsewhere, with eps under the root.
            Form("rmsprop_centered", {"centered": True}, needs=("momentum",)),
            Form("rmsprop_centered", {"centered": True}, dialects=("eps added to the root",), lacks=("momentum",)),
            Form("rmsprop", needs=("momentum",), dialects=("eps under the root",)),
            Form("rmsprop", lacks=("momentum",)),
        ),
        {"centered": False},
        (VELOCITY_RATE_INSIDE,),
        ignored=_IGNORED,
    ),
    Entry(
        "tf.keras.optimizers.legacy.Adagrad",
        {**_LR, "v_start": ("initial_accumulator_value", 0.1), **_EPS},
        (Form("adagrad"),),
        edits=(V_START,),
        ignored=_IGNORED,
    ),
    Entry(
        "tf.keras.optimizers.legacy.Adadelta",
        {**_LR, "rho": ("rho", 0.95), **_EPS},
        (Form("adadelta"),),
        ignored=_IGNORED,
    ),
)

KERAS2 = Framework(
    "keras2",
    "tf.keras's legacy optimizers",
    ENTRIES,
    lead="",
    aliases=("tf.keras.legacy", "tf.keras.optimizers.legacy", "legacy", "tf_keras"),
    recipes={
        "l2": Recipe(
            L2, "{line}\n# and for every weight of every layer: regularizer=tf.keras.regularizers.L2({half_l2})"
        ),
        "weight_decay": Recipe(
            DECAY,
            "{line}\n# before each step:\nfor w in model.trainable_variables:\n"
            "    w.assign(w * (1 - {lr} * {weight_decay}))",
        ),
    },
    anew="optimizer.{theirs} = {expression}",
    warning="in a loop of your own: what is compiled reads {theirs} once",
    known="as tf_keras 2.21.0 has it",
)
