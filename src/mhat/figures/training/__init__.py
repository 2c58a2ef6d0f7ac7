"""How rules train, drawn: beside each other, and what their knobs are worth over the steps.

It reads what was measured, and runs nothing.
"""

from mhat.figures.training.medians import training_curves
from mhat.figures.training.rates import rate_curves

__all__ = ["rate_curves", "training_curves"]
