"""Steps along the gradient, its average or its change. It knows no rule."""
