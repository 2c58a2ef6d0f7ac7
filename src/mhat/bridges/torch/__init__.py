"""A rule as an optimizer of PyTorch: in every respect a `torch.optim.Optimizer`.

optimizer     what a user holds
classes       a class for one rule, wherever a class is asked for
groups        parameter groups: knobs in both spellings
options       how tensors are stepped, looked at before anything is made
parameters    what can be a parameter
gradients     the gradient as a step sees it: turned around, unscaled
watched       dictionaries that note when they are changed
states        the states of one parameter: how they are made
buckets       tensors that step together
ways          how a bucket is stepped
modes         parameters to train with, and those to evaluate with
checkpoints   what goes on from step to step, written and read
resumption    the states of torch's own optimizers, in and out

`mhat.bridges.torch.adam`, and so every rule of the library, is the class of optimizers of that rule.
"""

from typing import Any

from mhat import rules
from mhat.extras import extra

# Without it, the message says how to install it.
extra("torch", "torch", "PyTorch")

from mhat.bridges.torch.classes import optimizer_class  # noqa: E402
from mhat.bridges.torch.optimizer import Optimizer  # noqa: E402

__all__ = ["Optimizer", "optimizer_class"]


def __getattr__(name: str) -> Any:
    if name in rules.names():
        return optimizer_class(name)
    raise AttributeError(f"module 'mhat.bridges.torch' has no attribute {name!r}")
