"""Steps of matrices. It knows no rule."""
