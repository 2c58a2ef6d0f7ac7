"""Steps as long as a norm says. It knows no rule."""
