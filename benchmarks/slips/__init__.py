"""Optimizers in the styles in which people write them, and slips of the pen in each: what was written, and what is meant.

The files hold text, not code, so that nobody tidies them. They know nothing of mhat.
"""

from benchmarks.slips import frameworks, functions, objects
from benchmarks.slips.style import Style

STYLES: tuple[Style, ...] = (*objects.STYLES, *functions.STYLES, *frameworks.STYLES)
