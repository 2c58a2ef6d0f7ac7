"""A rule as an optimizer of NumPy arrays: `mhat.Optimizer`.

optimizer       what a user holds: knobs, gradients, steps, its state
arguments       what users give, looked at before anything moves
knobs           the knobs as they are now
evaluation      the parameters to evaluate with, of rules that assign `x_eval`
parts           several rules, and which parameters each takes
containers      lists and dictionaries of arrays as a flat list, and back
tensor_groups   the tensors of one dtype that step together: memory, states, kernels
apartness       memory that must not overlap
turns           one caller at a time, and no fork meanwhile
state           all that goes on from step to step, as arrays by name
state_files     arrays by name on disk
"""

from mhat.bridges.numpy.optimizer import Optimizer
from mhat.bridges.numpy.parts import matrices, rest

__all__ = ["Optimizer", "matrices", "rest"]
