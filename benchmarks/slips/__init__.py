"""Right optimizers in many styles, made wrong by slips of their text, and how many of these are named right."""
