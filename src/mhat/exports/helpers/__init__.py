"""Functions that exported files carry with them, a file a language: text that nothing here runs."""
