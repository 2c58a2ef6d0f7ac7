"""Mistakes as small changes of a rule's tree, derived from the tree itself by general operators.

    edits_of(tree)      every edit: plain ones first, far-fetched ones after

    places          ways into an expression
    expressions     a part dropped, exchanged, replaced, wrapped
    statements      a line stored elsewhere, forgotten, moved, done twice or at one step only
    everywhere      several lines at once: made alike, or exchanged throughout

They serve every rule, also the user's own; none knows a rule by name.
"""

from mhat.checks.edits.collection import Edits, edits_of

__all__ = ["Edits", "edits_of"]
