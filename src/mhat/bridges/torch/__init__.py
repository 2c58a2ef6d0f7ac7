"""A rule as an optimizer of PyTorch: in every respect a `torch.optim.Optimizer`.

optimizer   what a user holds
classes     a class for one rule, wherever a class is asked for
groups      parameter groups: knobs in both spellings
options     how tensors are stepped, looked at before anything is made
watched     dictionaries that note when they are changed
states      the states of one parameter: how they are made
buckets     tensors that step together
ways        how a bucket is stepped
"""

from mhat.extras import extra

# Without it, the message says how to install it.
extra("torch", "torch", "PyTorch")

from mhat.bridges.torch.classes import optimizer_class  # noqa: E402
from mhat.bridges.torch.optimizer import Optimizer  # noqa: E402

__all__ = ["Optimizer", "optimizer_class"]
