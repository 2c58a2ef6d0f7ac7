"""A landscape of two coordinates as a map with the path of the rule on it. It knows no engine."""
from __future__ import annotations
from mhat.figures.canvas import Picture
def can_be_drawn(ds, landscape): return False
def draw(ds, landscape, names): ...
