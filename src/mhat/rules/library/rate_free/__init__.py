"""Learning rates that are found. It knows no rule."""
