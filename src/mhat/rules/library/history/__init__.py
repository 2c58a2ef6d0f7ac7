"""Rates by what the squares of the gradients were. It knows no rule."""
