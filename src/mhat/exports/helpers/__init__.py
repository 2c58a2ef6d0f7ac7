"""Functions that files of a language carry where they use them, as text: one file a language. It knows no rule."""
