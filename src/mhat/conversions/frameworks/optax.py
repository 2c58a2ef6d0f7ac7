"""The optimizers of optax, seen in 0.2.8, as plain data."""

from __future__ import annotations

from mhat.conversions.edits import (
    CLIP_ALL,
    CLIP_VALUE,
    DECAY,
    EPS_ROOT,
    L2,
    V_START,
    VELOCITY_RATE_INSIDE,
)
from mhat.conversions.entries import Edit, Entry, Form, Framework, Recipe

# So large that 0.96**(t * momentum_decay) is 0: the momentum is constant from the first step on.
CONSTANT_MOMENTUM = 1e6
_LR = {"lr": ("learning_rate", None)}
_EPS = {"eps": ("eps", 1e-8), "eps_root": ("eps_root", 0.0)}
_BETAS = {"beta1": ("b1", 0.9), "beta2": ("b2", 0.999)}
_DTYPE = "it changes the dtype of a moment and not what a step is"
_MASK = "convert answers for parameters that all decay"
_IGNORED = {
    "mu_dtype": _DTYPE, "accumulator_dtype": _DTYPE, "mask": _MASK, "weight_decay_mask": _MASK,
}  # fmt: skip
_NADAM = {"momentum_decay": CONSTANT_MOMENTUM}
_NOT_YET = "convert does not translate it"
_NESTEROV = "it is what makes it Nadam"

# What is moved by is what the step before has come to.
_MOVE = "move = 0 if agree < 0 else delta * sign(g)"
_LATE = Edit(
    exchanges=(((_MOVE, f"late = 0 if agree < 0 else move_last\n{_MOVE}"), ("return x - move", "return x - late")),)
)

ENTRIES = (
    Entry(
        "optax.sgd",
        {**_LR, "momentum": ("momentum", 0.0)},
        (
            Form("nesterov", {"nesterov": True}, needs=("momentum",)),
            Form("momentum", needs=("momentum",)),
            Form("sgd", lacks=("momentum",)),
        ),
        {"nesterov": False},
        ignored=_IGNORED,
    ),
    Entry(
        "optax.adam",
        {**_LR, **_BETAS, **_EPS},
        (Form("nadam", {"nesterov": True}, held=_NADAM), Form("adam")),
        {"nesterov": False},
        (EPS_ROOT,),
        ignored=_IGNORED,
    ),
    Entry(
        "optax.adamw",
        {**_LR, **_BETAS, **_EPS, "weight_decay": ("weight_decay", 1e-4)},
        (Form("nadam", {"nesterov": True}, held=_NADAM, called="nadamw"), Form("adam", called="adamw")),
        {"nesterov": False},
        (EPS_ROOT, DECAY),
        ignored=_IGNORED,
    ),
    Entry(
        "optax.nadam",
        {**_LR, **_BETAS, **_EPS},
        (Form("nadam", held=_NADAM),),
        edits=(EPS_ROOT,),
        ignored={**_IGNORED, "nesterov": _NESTEROV},
    ),
    Entry(
        "optax.nadamw",
        {**_LR, **_BETAS, **_EPS, "weight_decay": ("weight_decay", 1e-4)},
        (Form("nadam", held=_NADAM, called="nadamw"),),
        edits=(EPS_ROOT, DECAY),
        ignored={**_IGNORED, "nesterov": _NESTEROV},
    ),
    Entry(
        "optax.amsgrad",
        {**_LR, **_BETAS, **_EPS},
        (
            Form(
                "amsgrad",
                {"bias_correction_nu": False},
                edits=(Edit(exchanges=((("v_hat = v_max / (1 - beta2**t)", "v_hat = v_max"),),)),),
            ),
            Form("amsgrad", dialects=("maximum of the corrected moment",)),
        ),
        {"bias_correction_nu": True},
        (EPS_ROOT,),
        ignored={**_IGNORED, "bias_correction_mu": _NOT_YET},
    ),
    Entry(
        "optax.adamax", {**_LR, **_BETAS, "eps": ("eps", 1e-8)}, (Form("adamax"),), ignored=_IGNORED
    ),
    Entry(
        "optax.adamaxw",
        {**_LR, **_BETAS, "eps": ("eps", 1e-8), "weight_decay": ("weight_decay", 1e-4)},
        (Form("adamax", called="adamaxw"),),
        edits=(DECAY,),
        ignored=_IGNORED,
    ),
    Entry(
        "optax.radam",
        {**_LR, **_BETAS, **_EPS, "threshold": ("threshold", 5.0)},
        (Form("radam"),),
        edits=(EPS_ROOT,),
        ignored={**_IGNORED, "nesterov": _NOT_YET},
    ),
    Entry(
        "optax.adabelief",
        {**_LR, **_BETAS, "eps": ("eps", 1e-16), "eps_root": ("eps_root", 1e-16)},
        (Form("adabelief", edits=(Edit(exchanges=((("(g - m)**2 + eps", "(g - m)**2 + eps_root"),),)),)),),
        ignored={**_IGNORED, "nesterov": _NOT_YET},
    ),
    Entry(
        "optax.yogi",
        {**_LR, **_BETAS, "eps": ("eps", 1e-3)},
        (Form("yogi", dialects=("bias-corrected", "both moments from 1e-6")),),
        ignored=_IGNORED,
    ),
    Entry(
        "optax.adan",
        {
            **_LR, "beta1": ("b1", 0.98), "beta2": ("b2", 0.92), "beta3": ("b3", 0.99), "eps": ("eps", 1e-8),
            "eps_root": ("eps_root", 1e-8), "weight_decay": ("weight_decay", 0.0),
        },
        (
            Form(
                "adan",
                dialects=("decay beside the step",),
                edits=(
                    Edit(
                        exchanges=(
                            (
                                ("(g + beta2 * change)**2", "(g + (1 - beta2) * change)**2"),
                                ("(m_hat + beta2 * d_hat)", "(m_hat + (1 - beta2) * d_hat)"),
                            ),
                        )
                    ),
                ),
            ),
        ),
        edits=(EPS_ROOT,),
        ignored=_IGNORED,
    ),
    Entry(
        "optax.contrib.adopt",
        {**_LR, "beta1": ("b1", 0.9), "beta2": ("b2", 0.9999), "eps": ("eps", 1e-6)},
        (Form("adopt", {"use_clipping": False}, dialects=("without clipping",)), Form("adopt")),
        {"use_clipping": True},
        ignored={**_IGNORED, "nesterov": _NOT_YET, "clip_value_fn": _NOT_YET},
    ),
    Entry("optax.sign_sgd", _LR, (Form("signsgd"),)),
    Entry("optax.signum", {**_LR, "beta1": ("beta", 0.9)}, (Form("signum"),), ignored=_IGNORED),
    Entry(
        "optax.lion",
        {**_LR, "beta1": ("b1", 0.9), "beta2": ("b2", 0.99), "weight_decay": ("weight_decay", 1e-3)},
        (Form("lion"),),
        ignored=_IGNORED,
    ),
    Entry(
        "optax.lamb",
        {**_LR, **_BETAS, "eps": ("eps", 1e-6), "eps_root": ("eps_root", 0.0), "weight_decay": ("weight_decay", 0.0)},
        (Form("lamb"),),
        edits=(EPS_ROOT,),
        ignored=_IGNORED,
    ),
    Entry(
        "optax.rmsprop",
        {
            **_LR, "rho": ("decay", 0.9), "eps": ("eps", 1e-8), "v_start": ("initial_scale", 0.0),
            "momentum": ("momentum", 0.0),
        },
        (
            Form("rmsprop_centered", {"centered": True, "eps_in_sqrt": False}, dialects=("eps added to the root",)),
            Form("rmsprop_centered", {"centered": True}),
            Form("rmsprop", {"eps_in_sqrt": False}),
            Form("rmsprop", dialects=("eps under the root",)),
        ),
        {"centered": False, "eps_in_sqrt": True},
        (V_START, VELOCITY_RATE_INSIDE),
        ignored={"nesterov": _NOT_YET, "bias_correction": _NOT_YET},
    ),
    Entry(
        "optax.adagrad",
        {**_LR, "v_start": ("initial_accumulator_value", 0.1), "eps": ("eps", 1e-7)},
        (Form("adagrad", dialects=("eps under the root",)),),
        edits=(V_START,),
    ),
    Entry(
        "optax.adadelta",
        {**_LR, "rho": ("rho", 0.9), "eps": ("eps", 1e-6), "l2": ("weight_decay", 0.0)},
        (Form("adadelta"),),
        edits=(L2,),
        ignored=_IGNORED,
    ),
    Entry(
        "optax.rprop",
        {
            **_LR, "down": ("eta_minus", 0.5), "up": ("eta_plus", 1.2),
            "least": ("min_step_size", 1e-6), "most": ("max_step_size", 50.0),
        },
        (Form("rprop", edits=(_LATE,)),),
    ),
)  # fmt: skip

OPTAX = Framework(
    "optax",
    "optax (JAX)",
    ENTRIES,
    module="optax",
    extra="optax",
    lead="",
    schedule="lambda count: {expression}",
    injected="optax.inject_hyperparams({call})",
    aliases=("jax",),
    recipes={
        "l2": Recipe(L2, "optax.chain(\n    optax.add_decayed_weights({l2}),\n    {line},\n)"),
        # Behind the step, which has its sign and lr already.
        "weight_decay": Recipe(
            DECAY, "optax.chain(\n    {line},\n    optax.add_decayed_weights(-{lr} * {weight_decay}),\n)"
        ),
        "clip_value": Recipe(CLIP_VALUE, "optax.chain(\n    optax.clip({clip_value}),\n    {line},\n)"),
        "clip_all": Recipe(CLIP_ALL, "optax.chain(\n    optax.clip_by_global_norm({clip_all}),\n    {line},\n)"),
    },
)
