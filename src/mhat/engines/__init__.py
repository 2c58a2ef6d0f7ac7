"""Ways to run a rule. Each engine is one arithmetic; the walk through the tree is shared (`program`).

    work         what is to be run, and in which names, shapes and axes it is answered
    step_form    how a step in place stores and rounds
    program      a tree made into closures over an arithmetic: the same for every engine
    tensors      shapes and rows, for engines that go number by number

    floats       the living definition: doubles (or float32), pure Python
    exact        50 digits (mpmath): the oracle
    arrays       NumPy, torch, JAX, anything of the array API
    small        float16 and bfloat16 on arrays: held as float32, every result rounded

    layout       how a work lies in arrays before its first step
    running      the time loop, on floats or on arrays
    walk         arrays a step at a time, for a caller who finds the next gradient at the new x
    stepping     one step on what the caller holds
    whole_steps  a step on whole arrays in place, for rules that kernels do not run

    kernels/     printed for Numba and compiled: the fused step, and traces with the time loop inside
    plan         which engine for which work

What stands further down knows what stands above it, never the other way round; only `plan` knows `kernels`. An engine
knows neither which rule it runs nor traces nor drawing.
"""
