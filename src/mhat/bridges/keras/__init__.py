"""A rule as an optimizer of Keras 3, on torch or JAX: `model.compile(optimizer=Optimizer("adan", learning_rate=1e-3))`.

optimizer   what a user holds: built, applied, configured, saved as every Keras optimizer is
classes     a rule as a class, where a class is asked for
rules       rules as they are given and as a configuration holds them
knobs       numbers and schedules by name
shares      one rule's variables: those it steps, and those its states are kept in
values      the step itself, on tensors
fused       the step by a compiled kernel, where torch keeps tensors on the CPU
backends    what torch and JAX do differently
"""

from mhat.bridges.keras.classes import optimizer_class
from mhat.bridges.keras.optimizer import Optimizer

__all__ = ["Optimizer", "optimizer_class"]
