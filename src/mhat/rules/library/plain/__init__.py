"""Steps along the gradient or an average of it. It knows no rule."""
