"""Checks of rules per matrix: what they need that rules per coordinate and per tensor do not. It knows no verdict.

gradients   the matrices that a subject is driven with, and how it is driven
oracle      what is exact for them, and how far what is computed may lie from it
orthogonals what may be meant by `orthogonal`: other guards, the polar factor itself, types of few digits
deviation   the smallest matrices that show a difference
tables      these matrices in columns
"""
