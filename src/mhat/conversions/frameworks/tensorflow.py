"""The optimizers of `tf.compat.v1.train`, seen in TensorFlow 2.21.0, as plain data. mhat does not drive them."""

from __future__ import annotations

from mhat.conversions.edits import L2, VELOCITY_RATE_INSIDE
from mhat.conversions.entries import Edit, Entry, Form, Framework, Recipe

_EPS_HAT = "eps-hat: eps is added before the correction"
_IGNORED = {
    "use_locking": "it changes nothing of a step",
    "name": "it is a name only",
    "use_own_namescope_for_non_slot_vars": "it is a name only",
}
_LR = {"lr": ("learning_rate", None)}
# The second moment starts at 1, and nobody can say otherwise.
_START = Edit(states={"v": "v_start"})
_FROM_ONE = {"v_start": 1.0}
ENTRIES = (
    Entry("tf.compat.v1.train.GradientDescentOptimizer", _LR, (Form("sgd"),), ignored=_IGNORED),
    Entry(
        "tf.compat.v1.train.MomentumOptimizer",
        {**_LR, "momentum": ("momentum", None)},
        (
            Form("nesterov", {"use_nesterov": True}, needs=("momentum",)),
            Form("momentum", needs=("momentum",)),
            Form("sgd", lacks=("momentum",)),
        ),
        {"use_nesterov": False},
        ignored=_IGNORED,
    ),
    Entry(
        "tf.compat.v1.train.AdamOptimizer",
        {
            "lr": ("learning_rate", 1e-3), "beta1": ("beta1", 0.9), "beta2": ("beta2", 0.999), "eps": ("epsilon", 1e-8),
        },
        (Form("adam", dialects=(_EPS_HAT,)),),
        ignored=_IGNORED,
    ),
    Entry(
        "tf.compat.v1.train.RMSPropOptimizer",
        {**_LR, "rho": ("decay", 0.9), "momentum": ("momentum", 0.0), "eps": ("epsilon", 1e-10)},
        (
            Form("rmsprop_centered", {"centered": True}, edits=(_START,), held=_FROM_ONE),
            Form("rmsprop", dialects=("eps under the root",), edits=(_START,), held=_FROM_ONE),
        ),
        {"centered": False},
        (VELOCITY_RATE_INSIDE,),
        ignored=_IGNORED,
    ),
    Entry(
        "tf.compat.v1.train.AdagradOptimizer",
        {**_LR, "v_start": ("initial_accumulator_value", 0.1)},
        (Form("adagrad", edits=(_START,), held={"eps": 0.0}, positive=("v_start",)),),
        ignored=_IGNORED,
    ),
    Entry(
        "tf.compat.v1.train.AdadeltaOptimizer",
        {"lr": ("learning_rate", 1e-3), "rho": ("rho", 0.95), "eps": ("epsilon", 1e-8)},
        (Form("adadelta"),),
        ignored=_IGNORED,
    ),
)  # fmt: skip

TENSORFLOW = Framework(
    "tensorflow",
    "TensorFlow's old form",
    ENTRIES,
    lead="",
    aliases=("tf", "tf1", "tf.compat.v1", "tf.compat.v1.train"),
    recipes={"l2": Recipe(L2, "{line}\n# and to the loss, for every weight w: {half_l2} * tf.reduce_sum(w**2)")},
    known="as tensorflow 2.21.0 has it",
)
