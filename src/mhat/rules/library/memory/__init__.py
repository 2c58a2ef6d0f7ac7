"""Adam with another first moment. It knows no rule."""
