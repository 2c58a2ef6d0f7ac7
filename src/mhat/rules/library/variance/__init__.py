"""Adam with another second moment. It knows no rule."""
