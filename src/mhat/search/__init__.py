"""Which edits make a rule do what was observed. It sees observations, never the subject.

observed    what a subject answered, and to which gradients
evaluator   many candidate rules over the same probes, each stopped at its first differing step
matching    how far a candidate agrees with what was observed
effort      what a search may spend, what it has tried, and to whom it says so
knobs       the knobs that a subject hides, estimated
numbers     the numbers that edits have of their own, found
candidates  what is tried: drafts, and whole rules with knobs
answers     what agrees, confirmed
search      which edits explain what was observed, the fewest first
variants    a rule and its documented other forms, searched together
machine/    a register machine in compiled code, which tries millions of pairs in seconds

README.md draws how an observation and a rule are laid out here.
"""
