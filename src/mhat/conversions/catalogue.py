"""The frameworks that are known, and which rule is where. It imports none of them."""

from __future__ import annotations

from dataclasses import dataclass

from mhat.conversions.entries import Entry, Form, Framework
from mhat.conversions.frameworks.keras import KERAS
from mhat.conversions.frameworks.keras2 import KERAS2
from mhat.conversions.frameworks.numpy import NUMPY
from mhat.conversions.frameworks.optax import OPTAX
from mhat.conversions.frameworks.sklearn import SKLEARN
from mhat.conversions.frameworks.tensorflow import TENSORFLOW
from mhat.conversions.frameworks.torch import TORCH
from mhat.errors import UnknownName

FRAMEWORKS = {each.name: each for each in (TORCH, OPTAX, KERAS, KERAS2, TENSORFLOW, SKLEARN, NUMPY)}


@dataclass(frozen=True)
class Offer:
    """A rule in a framework: the entry and the form that make it."""

    framework: Framework
    entry: Entry
    form: Form


def find_framework(name: str) -> Framework:
    """Find a framework by its name or another that it goes by; raises UnknownName."""
    asked = name.strip().lower()
    for framework in FRAMEWORKS.values():
        if asked == framework.name or asked in framework.aliases:
            return framework
    raise UnknownName("framework", name, FRAMEWORKS, f"Known: {', '.join(FRAMEWORKS)}.")


def offers() -> dict[str, dict[str, Offer]]:
    """Give what there is, by what users call the rule and by framework; the plainest form where there are several."""
    found: dict[str, dict[str, Offer]] = {}
    for framework in FRAMEWORKS.values():
        for entry in framework.entries:
            for form in entry.forms:
                row = found.setdefault(form.name, {})
                before = row.get(framework.name)
                if before is None or len(form.switches) < len(before.form.switches):
                    row[framework.name] = Offer(framework, entry, form)
    return dict(sorted(found.items()))
