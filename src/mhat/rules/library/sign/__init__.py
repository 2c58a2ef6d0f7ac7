"""Steps by the sign alone. It knows no rule."""
