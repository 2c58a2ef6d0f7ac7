"""A knob that a type cannot hold, and that is zero in it: the eps of float16. It searches and drives nothing."""

from __future__ import annotations

from mhat.checks.question import Question
from mhat.dtypes import DTYPES
from mhat.language.tree import Expression, Name, Number, Operation
from mhat.language.walking import mapped_tree
from mhat.mistakes.slots import Edit
from mhat.notation.decimals import exact
from mhat.search.candidates import Candidate

LOST = "`{knob}` is lost: {value} is zero in {dtype}"


def lost_knob(question: Question) -> Candidate | None:
    """Give the rule with a knob that is rounded to zero, where that is what a subject does; None if it is not."""
    dtype = question.subject.dtype
    half = DTYPES[dtype].smallest / 2
    known = {**question.rule.knobs, **question.subject.defaults, **question.held}
    for knob in question.rule.knobs:
        if not 0 < abs(known[knob]) <= half:
            continue
        kept = Operation(
            "where", (Operation("gt", (Operation("abs", (Name(knob),)), Number(half))), Name(knob), Number(0.0))
        )

        def rounded(node: Expression, name: str = knob, kept: Expression = kept) -> Expression:
            return kept if node == Name(name) else node

        tree = mapped_tree(question.rule.tree, rounded)
        edit = Edit(LOST.format(knob=knob, value=exact(known[knob]), dtype=dtype), (), "lost")
        if question.matcher.agreed(tree) == question.matcher.steps and question.confirms(tree, {}):
            return Candidate(tree, (edit,))
    return None
