"""How fast: every figure of the step, the trace and the cold start, against its limit and its peers.

python -m benchmarks.speed [--only WORK ...] [--quick] [--json] [--ours CANDIDATE]
"""
