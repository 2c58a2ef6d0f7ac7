"""Parameters for evaluation that are averages. It knows no rule."""
