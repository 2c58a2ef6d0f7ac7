"""The optimizers in scikit-learn's multi-layer perceptrons, seen in 1.9.1, as plain data. mhat does not drive them."""

from __future__ import annotations

from mhat.conversions.edits import RATE_INSIDE
from mhat.conversions.entries import Entry, Form, Framework

_EPS_HAT = "eps-hat: eps is added before the correction"
_ELSEWHERE = "it is no part of a step"
_IGNORED = {
    "alpha": "it is a penalty of the loss, alpha / (2 * size of the batch) * sum(w**2) over weights without intercepts",
    "learning_rate": "convert answers for a constant rate; give learning_rate_init",
    **dict.fromkeys(
        (
            "hidden_layer_sizes", "activation", "solver", "batch_size", "power_t", "max_iter", "shuffle",
            "random_state", "tol", "verbose", "warm_start", "early_stopping", "validation_fraction", "n_iter_no_change",
            "max_fun", "loss",
        ),
        _ELSEWHERE,
    ),
}  # fmt: skip
_PENALTY = (
    "MLPClassifier also adds alpha / (size of the batch) * w to the gradients of its weights, and alpha is 1e-4 "
    "unless told"
)

ENTRIES = (
    Entry(
        "sklearn.neural_network.MLPClassifier",
        {
            "lr": ("learning_rate_init", 1e-3), "beta1": ("beta_1", 0.9), "beta2": ("beta_2", 0.999),
            "eps": ("epsilon", 1e-8),
        },
        (Form("adam", dialects=(_EPS_HAT,)),),
        always={"alpha": "0"},
        ignored=_IGNORED,
        notes=(_PENALTY,),
    ),
    Entry(
        "sklearn.neural_network.MLPClassifier",
        {"lr": ("learning_rate_init", 1e-3), "momentum": ("momentum", 0.9)},
        (
            Form("nesterov", {"nesterovs_momentum": True}, needs=("momentum",), edits=(RATE_INSIDE,)),
            Form("momentum", {"nesterovs_momentum": False}, needs=("momentum",), edits=(RATE_INSIDE,)),
            Form("sgd", lacks=("momentum",)),
        ),
        {"nesterovs_momentum": True},
        always={"solver": '"sgd"', "alpha": "0"},
        ignored=_IGNORED,
        notes=(_PENALTY,),
    ),
)  # fmt: skip

SKLEARN = Framework(
    "sklearn",
    "scikit-learn's multi-layer perceptrons",
    ENTRIES,
    lead="",
    made="model",
    aliases=("scikit-learn", "scikit", "sklearn.neural_network"),
    known="as scikit-learn 1.9.1 has it",
)
