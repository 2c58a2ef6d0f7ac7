"""Why a rule moves as it moves: claims, each with its evidence.

    claims      what is claimed, with what right, and how to see it again

It knows no rule by name, no subject, no drawing and no terminal.
"""
