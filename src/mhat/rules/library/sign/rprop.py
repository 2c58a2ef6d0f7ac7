"""Resilient backpropagation."""

from mhat.language import rule
from mhat.ops import clip, sign


@rule(
    paper="Igel & Huesken 2000, iRprop-, after Riedmiller & Braun 1993, RPROP, doi:10.1109/ICNN.1993.298623",
    knobs={
        "down": "factor of a coordinate's step where the gradient's sign has changed",
        "up": "factor of a coordinate's step where the gradient's sign has stayed",
        "least": "smallest step of a coordinate",
        "most": "largest step of a coordinate",
    },
)
def rprop(x, g, move_last=0, delta="lr", *, lr=0.01, down=0.5, up=1.2, least=1e-6, most=50.0):
    """Give each coordinate a step of its own that grows while the gradient's sign stays and halves when it turns.

    After a change of sign the coordinate rests for a step, and is free to move at the next, as in torch; in
    Rprop+ the last step is taken back instead. `lr` is the first step. It needs gradients without noise.
    """
    agree = sign(g * move_last)
    factor = up if agree > 0 else (down if agree < 0 else 1)
    delta = clip(delta * factor, least, most)
    move = 0 if agree < 0 else delta * sign(g)
    move_last = move
    return x - move
