"""Ways to run a rule. Each engine is one arithmetic; the walk through the tree is shared (`program`).

    program      a tree made into closures over an arithmetic: the same for every engine
    tensors      shapes and rows, for engines that go number by number
    floats       the living definition: doubles (or float32), pure Python
    arrays       NumPy, torch, JAX, anything of the array API
<<<<<<< HEAD
    small        float16 and bfloat16 on arrays: held as float32, every result rounded
=======
    walk         arrays a step at a time, for a caller who finds the next gradient at the new x
>>>>>>> bf36ae0 (Engines: a walk, one tensor a step at a time; traces: the trace of a run made elsewhere)
    exact        50 digits (mpmath): the oracle
    plan         which engine for which work; the place where a compiled engine will be chosen

An engine knows neither which rule it runs nor traces nor drawing.
"""
