"""Is an implementation right, and if not, which line is wrong. It sees a subject only: gradients in, parameters out.

claims          which rule a name claims to be
question        a subject, a rule, what is seen, and the knobs that are held
gradients       the designed streams that a subject is driven with
oracle          what the rule gives, and how far an honest implementation may lie from it
conformance     check, identify: one path from a question to its verdict
traits/         what is found out beside: casts, signs, single tensors, long runs
answers         verdicts made of what was found
recorded        the same of a record, which cannot be driven
comparison      where two subjects part
deviation       the first difference, and the smallest gradients that show it
diagnosis       an answer of the search as a rule, a diff, and lines of the user's file
lawfulness      the laws that a subject keeps or breaks
findings        what all of these find out, as data
verdict         the answer, which shows itself
story           what is said about it, in passages
text, html      the passages as plain text, and as HTML
"""
