"""Proofs of laws: from the tree alone, by degrees, by what is zero, and by induction from closed forms.

    proof          what a proof is: sentences, a formula, and what it assumes
    structure      what is not there cannot influence anything
    degrees        how every name answers when the gradient, or the learning rate, is multiplied
    stillness      what is left of a rule where the gradient is zero
    steadiness     closed forms under a constant gradient; the weights of the past

A law names its own proof (`Law.proof`). They know no rule by name.
"""
