"""Right optimizers in many styles, made wrong by slips that are drawn by chance, and how many of these are named right."""
