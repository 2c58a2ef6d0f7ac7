"""A change of the user's own file that makes it conform: proposed from a diagnosis, tried on a copy, shown as a diff."""

from mhat.mending.mending import mend

__all__ = ["mend"]
