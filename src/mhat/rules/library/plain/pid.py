"""A PID controller."""

from mhat.language import rule


@rule(
    paper="An, Wang, Sun, Xu, Dai & Zhang 2018, PID optimizer, equation 14, CVPR",
    knobs={
        "integral": "weight of the velocity, which adds the gradients up",
        "derivative": "weight of the averaged change of the gradient",
    },
)
def pid(x, g, velocity=0, d=0, g_last="g", *, lr=0.01, momentum=0.9, integral=5.0, derivative=10.0):
    """Steer by the gradient, by its sum and by its change, so that the change brakes where the sum overshoots.

    On step 1 the change is zero. The weights 5 and 10 are those of the authors' code.
    """
    change = g - g_last
    g_last = g
    velocity = momentum * velocity + g
    d = momentum * d + (1 - momentum) * change
    ratio = g + integral * velocity + derivative * d
    return x - lr * ratio
