"""Ways to run a rule. Each engine is one arithmetic; the walk through the tree is shared (`program`).

    program      a tree made into closures over an arithmetic: the same for every engine
    tensors      shapes and rows, for engines that go number by number
    floats       the living definition: doubles (or float32), pure Python
    arrays       NumPy, torch, JAX, anything of the array API
    small        float16 and bfloat16 on arrays: held as float32, every result rounded
    walk         arrays a step at a time, for a caller who finds the next gradient at the new x
    exact        50 digits (mpmath): the oracle
    kernels/     printed for Numba and compiled: the fused step, and traces with the time loop inside
    whole_steps  a step on whole arrays in place, for rules that kernels do not run
    plan         which engine for which work

An engine knows neither which rule it runs nor traces nor drawing.
"""
