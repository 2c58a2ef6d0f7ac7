"""Where a rule stands: on which level, what its shards need, and which rules of a library are written like it.

It knows no rule by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mhat.explanations.claims import Claim, Comparison
from mhat.explanations.neighbours import is_same, relatives
from mhat.language import Level, Rule
from mhat.language.shards import on_a_shard, sight_of

LEVELS = {
    Level.COORDINATE: "every coordinate steps by its own gradient alone",
    Level.TENSOR: "a step looks at the whole tensor, through its reductions",
    Level.MATRIX: "it steps matrices, by operations of rows and columns",
}


def claims(rule: Rule) -> Iterator[Claim]:
    """Yield on which level a rule is, and what it needs where tensors are cut into shards."""
    sight = sight_of(rule)
    seen = {"over the tensor": sight.tensor, "over all": sight.everything, "matrix": sight.matrix, "place": sight.place}
    rows = tuple((name, ", ".join(operations) or "none") for name, operations in seen.items())
    found = Comparison(("what it looks at", "operations"), rows)
    yield Claim("cost", f"It is a rule {rule.level}: {LEVELS[rule.level]}.", "computed", found, "level")
    yield Claim("cost", f"On a shard it needs {on_a_shard(rule)}.", "computed", found, "shard")


def relations(rule: Rule, among: Iterable[Rule]) -> Iterator[Claim]:
    """Yield which rules are nearest, and how much of them is written alike."""
    near = relatives(rule, among)
    rows = tuple((other.name, share) for other, share in near)
    found = Comparison(("rule", "share written alike"), rows)
    if not near:
        yield Claim("near", "No rule of the library is written like it.", "computed", found)
        return
    first = near[0][0]
    if is_same(rule, first):
        yield Claim("near", f"It is {first.name} in every line.", "computed", found, first.name)
        return
    listed = ", ".join(f"{other.name} ({share:.0%} alike)" for other, share in near)
    yield Claim("near", f"It is written most like {listed}.", "computed", found, first.name)
