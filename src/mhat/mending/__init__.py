"""A change of the user's own file that makes it conform: proposed from a diagnosis, tried on a copy, shown as a diff.

It knows no framework, and nothing of how anything is shown.
"""

from mhat.mending.mending import mend

__all__ = ["mend"]
