"""What people ask about optimizers again and again, answered for the rule at hand by its own numbers.

    questions, find_question    all of them in order; the one that is meant by some words
    answer                      the claims that answer one for a rule

    question        what a question is
    starts, rates, denominators, memories, troubles, practice, shapes: a family of questions each

Adding a question is one entry in the file of its family. It knows no rule by name.
"""

from mhat.explanations.questions.finding import answer, find_question, questions
from mhat.explanations.questions.question import Question

__all__ = ["Question", "answer", "find_question", "questions"]
