"""Mistakes as small changes of a rule's tree, derived from the tree itself by general operators.

    edits_of(tree)      every edit: plain ones first, far-fetched ones after

    places          ways into an expression
    expressions     a part dropped, exchanged, replaced, wrapped
    statements      a line stored elsewhere, forgotten, moved, done twice or at one step only
    everywhere      several lines at once: made alike, or exchanged throughout
    limits          caution, a floor in place of eps, signs and norms
    numbered        changes with a number of their own, which can be estimated
    averages        other kinds of averages, products, differences
    remembering     a state that the rule does not have

They serve every rule, also the user's own; none knows a rule by name.
"""

from mhat.mistakes.collection import Edits, edits_of
from mhat.mistakes.new_states import ADDED

__all__ = ["ADDED", "Edits", "edits_of"]
