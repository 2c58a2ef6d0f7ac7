"""How fast: every figure of the step, the trace and the cold start, against its limit and its peers.

python -m benchmarks.speed [--only WORK ...] [--quick] [--json] [--ours CANDIDATE]
"""

import os

# Before torch, JAX and Numba are loaded: two threads for all of them.
THREADS = 2
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, str(THREADS))
os.environ.setdefault("XLA_FLAGS", f"--xla_cpu_multi_thread_eigen=true intra_op_parallelism_threads={THREADS}")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
