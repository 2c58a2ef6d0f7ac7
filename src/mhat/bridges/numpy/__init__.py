"""A rule as an optimizer of NumPy arrays: `mhat.Optimizer`.

optimizer       what a user holds: knobs, gradients, steps, its state
containers      lists and dictionaries of arrays as a flat list, and back
tensor_groups   the tensors of one dtype that step together: memory, states, kernels
state_files     the state as arrays by name, and on disk
"""

from mhat.bridges.numpy.optimizer import Optimizer

__all__ = ["Optimizer"]
