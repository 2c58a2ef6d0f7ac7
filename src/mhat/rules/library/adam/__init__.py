"""Adam and its kin. It knows no rule."""
