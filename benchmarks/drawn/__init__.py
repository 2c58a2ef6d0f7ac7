"""Right optimizers in many styles, made wrong by slips drawn by chance, and how many of these are named right."""
