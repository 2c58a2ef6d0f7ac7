"""What several frameworks share, as plain data: edits of rules, and rules that the library does not have."""

from __future__ import annotations

from mhat.conversions.entries import Edit

Pieces = tuple[tuple[str, str], ...]
_FALLING = "lr / (1 + (t - 1) * lr_decay)"


def _closing(template: str) -> tuple[Pieces, ...]:
    """Exchange what is returned, whatever it is that lr is multiplied by."""
    factors = ("ratio", "velocity", "g", "m")
    return tuple(((f"return x - lr * {factor}", template.format(factor)),) for factor in factors)


# Weight decay added to the gradient: coupled.
L2 = Edit("l2", first="g = g + l2 * x")
# Weight decay beside the step, times lr: decoupled. Where x is not read again it does not matter when.
DECAY = Edit(
    "weight_decay",
    exchanges=(
        *_closing("return x - lr * ({} + weight_decay * x)"),
        (("return x - velocity", "return x - velocity - lr * weight_decay * x"),),
        *(
            ((f"return x - {move}", f"return x - {move} - lr * weight_decay * x"),)
            for move in ("ratio", "move", "late")
        ),
        ((f"return x - {_FALLING} * ratio", f"return x - {_FALLING} * ratio - lr * weight_decay * x"),),
    ),
)
# The learning rate inside of the velocity.
RATE_INSIDE = Edit(
    exchanges=(
        (
            ("velocity = momentum * velocity + g", "velocity = momentum * velocity + lr * g"),
            ("ratio = g + momentum * velocity", "ratio = lr * g + momentum * velocity"),
            ("return x - lr * ratio", "return x - ratio"),
        ),
        (
            ("velocity = momentum * velocity + g", "velocity = momentum * velocity + lr * g"),
            ("return x - lr * velocity", "return x - velocity"),
        ),
    )
)
# torch begins its velocity with the first gradient, whole.
DAMPENING = Edit(
    "dampening",
    exchanges=(
        (("momentum * velocity + g", "momentum * velocity + ((1 - dampening) * g if t > 1 else g)"),),
    ),
)  # fmt: skip
# A velocity behind the ratio, as RMSprop has it: lr outside of it, or inside.
VELOCITY = Edit(
    "momentum",
    {"velocity": "0"},
    exchanges=((("return x - lr * ratio", "velocity = momentum * velocity + ratio\nreturn x - lr * velocity"),),),
)
VELOCITY_RATE_INSIDE = Edit(
    "momentum",
    {"velocity": "0"},
    exchanges=((("return x - lr * ratio", "velocity = momentum * velocity + lr * ratio\nreturn x - velocity"),),),
)
V_START = Edit("v_start", {"v": "v_start"})
LR_DECAY = Edit(
    "lr_decay",
    exchanges=((("return x - lr * ratio", f"return x - {_FALLING} * ratio"),),),
)
EPS_ROOT = Edit(
    "eps_root",
    exchanges=(
        (("sqrt(v_hat) + eps", "sqrt(v_hat + eps_root) + eps"),),
        (("sqrt(v_max) + eps", "sqrt(v_max + eps_root) + eps"),),
    ),
)
CLIP_VALUE = Edit("clip_value", first="g = clip(g, -clip_value, clip_value)")
CLIP_NORM = Edit("clip_norm", first="g = g * clip_norm / maximum(norm(g), clip_norm)")
CLIP_ALL = Edit("clip_all", first='g = g * clip_all / maximum(norm(g, over="all"), clip_all)')
