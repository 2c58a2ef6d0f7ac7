"""A rule line by line: what each line is for, and what happens without it.

    claims          both, for every line and the result
    words           expressions in words that can be read aloud, and numbers in them
    degrees         what grows with the gradients' size, and how
    reading         what the tree tells of its lines
    roles, results  what a line is for, by its structure, and what the result is
    freezing        the rule without a line
    lessons         what is looked at on which stream
    consequences    the largest consequence of a change, in one sentence

It knows no rule and no variable by name.
"""

from mhat.explanations.lines.claims import claims, claims_of_line

__all__ = ["claims", "claims_of_line"]
