"""Why a rule moves otherwise than the one it should be: from what was changed to what becomes of it, with its numbers.

    argument     the sentences in their order
    namesakes    what one calls otherwise than the other
    pairs        two rules on the same gradients, every variable kept
    panel        the gradients that they are run on
    causes       what was changed, read from the trees: a gain, a weight, an input, a start, a factor
    standings    what that makes of the states: products of gains, predicted and measured
    shapes       what kind of difference there is between two courses
    effects      what is said of it
    compositions by what the whole step is multiplied, through all lines
    traits       what steps answer to: the gradient's size and sign, other coordinates, where x is
    memories     what they remember: a turn, a rare gradient, a spike
    landings     where it shows most and least, and what it does to training
    inlining     variables written as what their lines make of them
    factors      what one expression is times another
    formulas     which formula of the knobs a number is
    speech       numbers and streams as they are read aloud

They know no rule by name. A sentence is said only where its own numbers confirm it, with the runs that show them.
"""

from mhat.explanations.consequences.argument import argue

__all__ = ["argue"]
