"""Mistakes as small changes of a rule's tree, derived from the tree itself by general operators.

    edits_of(tree)      every edit: plain ones first, far-fetched ones after

    slots           a rule as slots, places in it, and what an edit is
    parts           a rule taken apart into its operations, so that edits of one line can be joined
    paths           ways into an expression
    shapes          averages, corrections and terms, which edits look for
    expressions     a part dropped, exchanged, replaced, wrapped
    lines           whole lines: stored elsewhere, forgotten, moved, done twice or at one step only
    throughout      several lines at once: made alike, or exchanged throughout
    limits          caution, a floor in place of eps, signs and norms
    numbered        changes with a number of their own, which can be estimated
    brackets        one pair of brackets left out, or one too many
    food            what a state is fed with
    conditions      knobs that change with the step, by epochs or once in so many; states begun anew
    truncated       `//` for `/`, whole numbers where there should be none
    averages        other kinds of averages, products, differences
    matrices        matrices turned, multiplied in another order, averaged along the other side, other iterations
    new_states      a state that the rule does not have
    collection      all of them together
    dialects        documented other forms, which are no mistakes

They serve every rule, also the user's own; none knows a rule by name.
"""

from mhat.mistakes.collection import Edits, edits_of
from mhat.mistakes.new_states import ADDED

__all__ = ["ADDED", "Edits", "edits_of"]
