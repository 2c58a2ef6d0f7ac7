"""Optimizers in the styles in which people write them, and slips of the pen in each: a piece and a wrong one.

The files hold text, not code, so that nobody tidies them. They know nothing of mhat.
"""

from benchmarks.fixes import frameworks, functions, objects
from benchmarks.fixes.style import Style

STYLES: tuple[Style, ...] = (*objects.STYLES, *functions.STYLES, *frameworks.STYLES)
