"""Laws: properties that hold for a class of rules, each with the intuition it stands for.

    hold                            hold a run against every law that applies to a rule
    laws, applies, check            every law; whether it applies to a rule; a search for gradients that break it
    settle, Outcome, Proof          a law of a rule proved, refuted or tested, and with what right
    Law, Finding, Counterexample    what a law is, and what is found
    Examined, examined_of           what is held against the laws; a rule itself as that
    Run, run_of                     a rule or a subject seen from outside; a rule as that
    longest_step, bound             the longest step there is, from the tree, and the gradients that come nearest to it
    LongestStep, NoLongestStep

    starting, steadiness, symmetry, stillness, independence, memory: a family of laws each
    rounding, forms, reference: how near a law must be kept, by the honest ways to compute a rule
    gradients, shrinking: what laws are asked about, and the smallest that breaks one

It knows no rule by name: a law asks the rule whether it applies.
"""

from mhat.laws.holding import Outcome, applies, check, hold, laws, settle
from mhat.laws.law import Counterexample, Examined, Finding, Law, Run
from mhat.laws.longest import LongestStep, NoLongestStep, longest_step
from mhat.laws.proofs.proof import Proof
from mhat.laws.reference import examined_of, run_of
from mhat.laws.steadiness import bound

__all__ = [
    "Counterexample", "Examined", "Finding", "Law", "LongestStep", "NoLongestStep", "Outcome", "Proof", "Run",
    "applies", "bound", "check", "examined_of", "hold", "laws", "longest_step", "run_of", "settle",
]  # fmt: skip
