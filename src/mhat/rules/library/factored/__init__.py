"""Second moments by rows, columns and tensors. It knows no rule."""
