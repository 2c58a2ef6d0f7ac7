"""Steps as long as a norm of the tensor says. It knows no rule."""
