"""A rule compiled by Numba: its step fused over all tensors, and its trace with the time loop inside.

    lowering       a tree as a list of values, each computed once
    passes         which passes over memory a step takes; stages: which loops a trace takes
    step_text      the text of a step's kernel
    trace_text     the text of a trace's; narrow_text: of few coordinates; several_text: of several members of a sweep
    trace_steps    the doubles of its steps
    operations     what every elementwise operation is in compiled code; power_tables: many powers of one number
    sums           sums in the one blocked order
    memory         loads and stores at addresses, small types and their rounding
    switches       subnormal numbers as zero, random bits by counting
    tables         which part of which tensor is whose work
    addresses      where many arrays lie, read at once
    pages          memory for results, used again when nobody sees them any more
    modules        printed kernels as modules; cache: their machine code on disk
    step, trace    kernel, tables and numbers together: what the rest of mhat calls

They know no rule by name and hold no arrays of users. The README beside shows the way from a rule to compiled code.
"""
