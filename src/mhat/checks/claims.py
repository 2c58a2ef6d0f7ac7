"""Which rule the name of an implementation claims to be: whole words of it, CamelCase split and joined again.

It runs nothing, and a word inside another (million, clambda) is none.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import PurePath

# What people call a rule besides the library's name for it.
OTHER_NAMES = {
    "gradientdescent": "sgd",
    "stochasticgradientdescent": "sgd",
    "sgdm": "momentum",
    "heavyball": "momentum",
    "nag": "nesterov",
    "nesterovmomentum": "nesterov",
    "momentumnesterov": "nesterov",
    "nesterovacceleratedgradient": "nesterov",
}
# Said beside the name of a rule as often as for themselves: adam_with_momentum, sgd_amsgrad.
WEAK = ("sgd", "momentum")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def claimed_rule(name: str, known: Iterable[str]) -> str | None:
    """Give the one rule of `known` that a name claims; None where it claims none, or two that exclude each other.

    `name`: as a user types it (`mine.py:MyAdamW`, `torch.optim:Adam`, `adam_loop.py`, `./my_adam --fast`). What
    stands behind the colon counts first, then the file or module before it.

    >>> [claimed_rule(name, ["adam", "adamw", "lion", "sgd"]) for name in ("MyAdamW", "million.py", "opt/adam.py:Opt")]
    ['adamw', None, 'adam']
    """
    rules = {rule.replace("_", ""): rule for rule in known}
    rules |= {other: rule for other, rule in OTHER_NAMES.items() if rule in rules.values()}
    for part in _parts(name):
        claims = _claims(part, rules)
        if claims:
            return claims[0] if len(claims) == 1 else None
    return None


def _parts(name: str) -> Iterator[str]:
    """Give the parts of a name that may say what it is, the most telling first."""
    try:
        words = shlex.split(name)
    except ValueError:
        words = name.split()
    for word in reversed(words):
        where, _, inner = word.rpartition(":")
        if inner.endswith(".py") or not where:
            yield PurePath(inner).stem
        else:
            yield inner
            yield PurePath(where).stem if where.endswith(".py") else where.rpartition(".")[2]


def _claims(part: str, rules: dict[str, str]) -> list[str]:
    """Give the rules whose names are whole words of a part, or neighbouring words joined; the widest word counts."""
    words = [word.lower() for word in _WORD.findall(part)]
    spans = [
        (start, end, rules[joined])
        for start in range(len(words))
        for end in range(start + 1, len(words) + 1)
        if (joined := "".join(words[start:end])) in rules
    ]
    widest = [
        (start, end, rule)
        for start, end, rule in spans
        if not any(s <= start and end <= e and e - s > end - start for s, e, _ in spans)
    ]
    claims = list(dict.fromkeys(rule for _, _, rule in widest))
    strong = [rule for rule in claims if rule not in WEAK]
    return strong or claims[-1:]
