"""A rule as a transformation of optax: `transformation`, and `factory`, which makes them of knobs.

transformations   what a user holds: init, update, and the parameters of evaluation
members           several rules, each with its part of the tree of parameters
states            the state of a rule: a count, arrays in the shape of the parameters, numbers
settings          knobs: numbers, arrays, schedules
trees             parameters as a flat list of tensors, and back
steps             a step on flat lists, in or out of a trace
frameworks        jax and optax themselves
"""

from mhat.bridges.optax.states import RuleState
from mhat.bridges.optax.transformations import RuleTransformation, factory, transformation

__all__ = ["RuleState", "RuleTransformation", "factory", "transformation"]
