"""Rates by all squares so far. It knows no rule."""
