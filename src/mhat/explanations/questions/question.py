"""What a question is, and what answers are made of. It knows no question and no rule.

A question is data: its number, how people phrase it, the words it is found by; and a short function from a rule with
its knobs to claims. What a rule has nothing to answer with is said with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mhat.explanations.claims import Claim, Comparison, Evidence, Formula, Number, Proof, Run
from mhat.explanations.runs import Setting

TOPIC = "question"
Answer = Callable[[Setting], Iterator[Claim]]


@dataclass(frozen=True)
class Question:
    """One of what people ask again and again.

    `phrases`: how it is put, the first being how it is listed; `words`: what else it is found by. `settled`: it is
    answered by what a rule does once it has settled, and not for one that never does.
    """

    number: int
    phrases: tuple[str, ...]
    words: tuple[str, ...]
    answer: Answer
    settled: bool = False

    @property
    def text(self) -> str:
        """How it is listed."""
        return self.phrases[0]


def computed(sentence: str, evidence: Evidence, about: str = "") -> Claim:
    """Claim what was computed."""
    return Claim(TOPIC, sentence, "computed", evidence, about)


def table(head: tuple[str, ...], *rows: tuple[Any, ...], runs: tuple[Run, ...] = ()) -> Comparison:
    """Put numbers side by side."""
    return Comparison(head, tuple(tuple(map(_plain, row)) for row in rows), runs)


def number(value: float, formula: str = "", source: str = "", run: Run | None = None, relative: float = 1e-3) -> Number:
    """Give a number, its formula, and the run that shows it."""
    return Number(float(value), Formula(formula) if formula else None, source, run, relative)


def not_asked(reason: str, shown: str) -> Claim:
    """Say why a question is none for a rule, and what of its lines shows that."""
    return Claim(TOPIC, reason, "proved", Proof((shown,)))


def asked(claims: Iterable[Claim]) -> Iterator[Claim]:
    """Take claims of other places for an answer."""
    for claim in claims:
        yield Claim(TOPIC, claim.sentence, claim.status, claim.evidence, claim.about)


def _plain(value: Any) -> Any:
    """Give a number of NumPy as Python's."""
    return value.item() if hasattr(value, "item") else value
