"""How fast is a step here: timings taken in turn, the limit of the memory, the optimizers of other packages.

    timing      candidates take turns; medians, spreads, ratios within a turn
    limits      kernels that only move the arrays of a step
    peers       a step of torch, optax and Keras
    report      all of it for one rule

It must not know how mhat makes a step: it is given one.
"""
