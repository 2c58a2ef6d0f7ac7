"""Adam and its close kin. It knows no rule."""
