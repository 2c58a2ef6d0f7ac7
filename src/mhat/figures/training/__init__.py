"""How rules train beside each other, drawn.

It reads what a trial measured, and runs nothing.
"""

from mhat.figures.training.medians import training_curves

__all__ = ["training_curves"]
