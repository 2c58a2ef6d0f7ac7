"""Rules tried out on a problem: each with its knobs tuned by the same budget, over several seeds.

    problem_of      digits, a landscape, a stream that is followed, or a loss of the user's own
    try_out         tune each rule, run it over the seeds, and say what came out
    Trials          what came out: medians, spread, curves, and what they cannot say

It ranks nothing beyond the problem, and knows no rule by name.
"""

from mhat.trials.problems import Problem, problem_of
from mhat.trials.trying import Trials, try_out

__all__ = ["Problem", "Trials", "problem_of", "try_out"]
