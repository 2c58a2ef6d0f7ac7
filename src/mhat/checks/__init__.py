"""Is an implementation right, and if not, which line is wrong. It sees a subject only: gradients in, parameters out.

claims          which rule a name claims to be
question        a subject, a rule, what is seen, and the knobs that are held
gradients       the designed streams that a subject is driven with
oracle          what the rule gives, and how far an honest implementation may lie from it
arithmetic      in which type a subject computes inside
apart           in which tensors a mistake is
ascent          what climbs, and means to
losses          a knob that is zero in that type
conformance     check, identify: one path from a question to its verdict
answers         verdicts made of what was found
blanks          what gives nothing but NaN
lateness        late steps of what computes in a small type
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
