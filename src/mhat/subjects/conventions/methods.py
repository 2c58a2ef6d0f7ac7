"""A class whose method is a step that is given its states, or gives more than the new parameters.

w, m, v = Adam(lr).update(w, dw, m, v)          state = opt.init(params); params, state = opt.apply(params, g, state)
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from mhat.subjects.conventions import steps
from mhat.subjects.conventions.making import maker_of, method_maker, methods_of, sample_of
from mhat.subjects.conventions.proposals import Asked, Proposal

NAME = "step-method"


def proposed(asked: Asked) -> Iterator[Proposal]:
    """Propose the methods of a class as steps."""
    if inspect.isroutine(asked.thing):
        return
    maker = maker_of(asked)
    if maker is None or (sample := sample_of(maker)) is None:
        return
    for place, method in enumerate(methods_of(sample)):
        yield from steps.ways(
            asked, getattr(sample, method), method_maker(maker, method), NAME, owner=sample, more=[maker.keywords],
            sure=-0.02 * place,
        )  # fmt: skip
