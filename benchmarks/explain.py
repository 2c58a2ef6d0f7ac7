"""How often does a mistake get a why that says something: a sample of all single edits, and what is said of each.

    python -m benchmarks.explain [RULE ...] [--sample 100] [--seed 0] [--pairs] [--read N] [--again]

A why counts if one of its sentences names a consequence with its numbers; that the edit is there, and that two courses
part, does not count. Edits that change nothing to the bit on any stream are counted apart. `--read` prints that many
whole, `--pairs` makes two edits at once, `--again` repeats every run that is evidence, and says which fails.
"""

from __future__ import annotations

import argparse
import random
import textwrap
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mhat import rules
from mhat.explanations.claims import Claim
from mhat.explanations.consequences.argument import argument_of
from mhat.explanations.consequences.pairs import Pair
from mhat.explanations.evidence import seen_again
from mhat.language import Rule
from mhat.language.definition import of_tree
from mhat.mistakes import edits_of
from mhat.mistakes.slots import assembled

SUBJECTS = ("adam", "adamw", "rmsprop", "momentum")
# Sentences of these classes name no consequence of their own.
OTHERS = frozenset({"cause", "harmless", "where", "comes down", "predicted"})


@dataclass(frozen=True)
class Why:
    """What is said of one mistake."""

    rule: str
    operator: str
    sentence: str
    claims: tuple[Claim, ...]
    kinds: tuple[str, ...]
    seconds: float

    @property
    def equal(self) -> bool:
        """Whether the edit changes nothing, to the bit."""
        return "harmless" in self.kinds and "do the same" in " ".join(claim.sentence for claim in self.claims)

    @property
    def specific(self) -> bool:
        """Whether a sentence names a consequence."""
        return any(kind not in OTHERS for kind in self.kinds)

    @property
    def words(self) -> int:
        """How many words are said."""
        return sum(len(claim.sentence.split()) for claim in self.claims)


def whys(rule: Rule, sample: int, seed: int, pairs: bool = False) -> Iterator[Why]:
    """Explain a seeded sample of the edits of a rule, alone or two at a time in different lines."""
    edits = edits_of(rule.tree).all
    chance = random.Random(seed)
    for edit in chance.sample(edits, min(sample, len(edits))):
        other = chance.choice([each for each in edits if not each.slots & edit.slots]) if pairs else None
        changes = dict(edit.changes) | ({} if other is None else dict(other.changes))
        tree = assembled(rule.tree, changes)
        if tree is None:
            continue
        sentence = edit.sentence if other is None else f"{edit.sentence} and {other.sentence}"
        begun = time.perf_counter()
        argument = argument_of(Pair(rule, of_tree(tree)))
        seconds = time.perf_counter() - begun
        yield Why(rule.name, edit.operator, sentence, argument.claims, argument.kinds, seconds)


def told(found: Sequence[Why]) -> str:
    """Write the answer."""
    different = [why for why in found if not why.equal]
    specific = [why for why in different if why.specific]
    words = sorted(why.words for why in different)
    seconds = sorted(why.seconds for why in found)
    kinds = Counter(kind for why in different for kind in why.kinds)
    lines = [
        f"{len(found)} mistakes, {len(found) - len(different)} of which change nothing to the bit",
        f"a consequence with its numbers: {len(specific)} of {len(different)} ({len(specific) / len(different):.1%})",
        f"words: {words[len(words) // 2]} in the middle, {words[-1]} at most; "
        f"sentences: {max(len(why.claims) for why in found)} at most",
        f"seconds: {seconds[len(seconds) // 2]:.2f} in the middle, {seconds[-1]:.2f} at most",
        *(f"  {kind:18} {count}" for kind, count in kinds.most_common()),
    ]
    return "\n".join(lines)


def page(why: Why) -> str:
    """Write one why to be read."""
    sentences = [
        textwrap.fill(claim.sentence, 100, initial_indent="  ", subsequent_indent="  ") for claim in why.claims
    ]
    return "\n".join([f"{why.rule}: {why.sentence}", *sentences, ""])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it from the command line; exit 1 if fewer than nine of ten get a consequence, or evidence does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rules", nargs="*", default=list(SUBJECTS))
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pairs", action="store_true")
    parser.add_argument("--read", type=int, default=0)
    parser.add_argument("--again", action="store_true")
    asked = parser.parse_args(arguments)
    found = [why for name in asked.rules for why in whys(rules.named(name), asked.sample, asked.seed, asked.pairs)]
    for why in random.Random(asked.seed).sample(found, min(asked.read, len(found))):
        print(page(why))
    print(told(found))
    lost = [why for why in found if not why.equal and not why.specific]
    for why in lost:
        print(f"  nothing of its own: {why.rule}, {why.sentence}")
    unseen = [claim for why in found for claim in why.claims if not seen_again(claim)] if asked.again else []
    for claim in unseen:
        print(f"  not seen again: {claim.sentence}")
    different = sum(not why.equal for why in found)
    return 0 if not unseen and len(lost) <= 0.1 * different else 1


if __name__ == "__main__":
    raise SystemExit(main())
