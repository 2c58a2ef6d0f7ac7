"""Choose, by trying, the convention that a thing is written for; a wrong guess must not become a verdict.

What is proposed counts only if, on a trial, it gives the same again, if all of its tensors move, if no step knows of
a later gradient, and if it stays near where it is told to start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from mhat.errors import SubjectError, SubjectHangs, UnknownName
from mhat.subjects.conventions import factories, fits, gradients, owners, steps
from mhat.subjects.conventions.anew import Anew
from mhat.subjects.conventions.proposals import Asked, Proposal, by_confidence
from mhat.subjects.sandbox import source_of
from mhat.subjects.subject import Subject
from mhat.subjects.trials import LATE, RISING, SMALL, TURNED, Single, Together, same, subject_of_driver

# The conventions in which code that was not written for mhat wants to be called.
CONVENTIONS: dict[str, Callable[[Asked], Iterator[Proposal]]] = {
    steps.NAME: steps.proposed,
    factories.METHOD: factories.of_methods,
    gradients.NAME: gradients.proposed,
    factories.TRIPLE: factories.of_triples,
    factories.FACTORY: factories.of_factories,
    factories.GENERATOR: factories.of_generators,
    owners.PARAMETERS: owners.of_parameters,
    owners.LAYERS: owners.of_layers,
    owners.MODELS: owners.of_models,
    fits.NAME: fits.proposed,
}
FAR = 1000.0  # a start so far away that no default step comes back from there
ALIKE = 0.1  # what another way may be less likely, and still be told of
SHOWN = 6
ROUTE = 60
PARTLY = "moved a part of its numbers alone"
WRAP = "Write run(gradients) around it."


def subject_by_convention(asked: Asked, convention: str | None = None) -> Subject:
    """Make a subject of a thing by the likeliest convention that works.

    `convention`: by that one alone; `NAME:2` is the second way of it that does something of its own. Another way that
    is nearly as likely, and does something else, is told of. Raises SubjectError, which lists what was tried.
    """
    name, _, number = (convention or "").partition(":")
    if name and name not in CONVENTIONS:
        raise UnknownName("convention", name, CONVENTIONS)
    anew = Anew(asked.thing)
    tried: list[str] = []
    working: list[tuple[Proposal, Single | Together]] = []
    partly: list[tuple[Proposal, Single | Together]] = []
    wanted = int(number) if number.isdigit() else 1
    for proposal in by_confidence(proposals_of(asked, name or None))[:ROUTE]:
        if len(working) >= wanted and (number or proposal.confidence < working[0][0].confidence - ALIKE):
            break
        if any((proposal.convention, proposal.reading) == (each.convention, each.reading) for each, _ in working):
            continue
        driver = driver_of(asked, proposal, anew)
        try:
            confirm(driver, proposal, asked.observe)
        except SubjectHangs:
            raise
        except SubjectError as error:
            if error.what.endswith(PARTLY):
                partly.append((proposal, driver))
            tried.append(f"{proposal.how}: {_short(error)}")
            continue
        if not any(_does_the_same(driver, other) for _, other in working):
            working.append((proposal, driver))
    working = working or partly[:1]
    if len(working) >= wanted:
        subject = subject_of_proposal(asked, working[wanted - 1][1], working[wanted - 1][0])
        return subject if number else _with_others(subject, [proposal for proposal, _ in working])
    raise SubjectError(
        asked.name, "fits no convention that mhat knows; tried:", WRAP, "\n".join(dict.fromkeys(tried[:SHOWN]))
    )


def _does_the_same(driver: Single | Together, other: Single | Together) -> bool:
    """Whether two ways that work cannot be told apart, or not be compared; the first one serves for both."""
    if type(driver) is not type(other) or driver.vectors != other.vectors:
        return True
    a, b = driver.attempt({}), other.attempt({})
    return len(a) != len(b) or same(a, b)


def _with_others(subject: Subject, working: list[Proposal]) -> Subject:
    """Tell of other ways that work and do something else, and how to choose them."""
    others = working[1:]
    if not others:
        return subject
    number = 1 + sum(each.convention == others[0].convention for each in working[: working.index(others[0])])
    name = others[0].convention if number == 1 else f"{others[0].convention}:{number}"
    note = f"it could also be driven {others[0].how}, which does something else (--convention {name})"
    return replace(subject, notes=(*subject.notes, note))


def proposals_of(asked: Asked, convention: str | None = None) -> list[Proposal]:
    """Collect what the conventions propose."""
    found: list[Proposal] = []
    for name, propose in CONVENTIONS.items():
        if convention not in (None, name):
            continue
        # To look at a thing may be to call it.
        with asked.guard.running(asked.name):
            found += propose(asked)
    return found


def driver_of(asked: Asked, proposal: Proposal, anew: Anew) -> Single | Together:
    """Make what drives a proposal; every run of it begins anew."""
    course = anew.around(proposal.course)
    if proposal.together:
        return Together(asked.name, course, proposal.tensors or 2, asked.dtype, asked.guard, proposal.forms)

    def single(gradients: Any, start: Any, knobs: Mapping[str, float]) -> Any:
        return course([gradients], [start], knobs)[0]

    return Single(asked.name, single, asked.dtype, asked.guard)


def confirm(driver: Single | Together, proposal: Proposal, observe: str) -> None:
    """Try a way of driving; raises SubjectError that says what spoke against it."""
    driver.settle()
    first = driver.attempt({})
    if observe == "x" and not all(np.any(record != 0.0) for record in first):
        raise SubjectError(driver.name, "moved nothing", WRAP)
    if any(np.isnan(record).all() for record in first):
        raise SubjectError(driver.name, "gave nothing but NaN", WRAP)
    if same(first, driver.attempt({}, trial=TURNED)):
        raise SubjectError(driver.name, "took no notice of its gradients", WRAP)
    late = driver.attempt({}, trial=LATE)
    if not all(np.array_equal(a[:4], b[:4], equal_nan=True) for a, b in zip(first, late, strict=True)):
        raise SubjectError(driver.name, "moved by gradients that were still to come", WRAP)
    if observe == "x" and proposal.starts:
        far = driver.attempt({}, FAR, trial=SMALL)
        if any(np.any(np.abs(record[0] - FAR) > FAR / 2) for record in far):
            raise SubjectError(driver.name, "did not stay near its start", WRAP)
    if "it returns is" in proposal.how or observe == "update":
        down = driver.attempt({}, trial=RISING)
        if not all(np.all(np.sum(record if observe == "update" else record[-1:], axis=0) <= 0) for record in down):
            raise SubjectError(driver.name, "climbed", WRAP)
    if observe == "x" and not all(np.any(record != 0.0, axis=0).all() for record in first):
        raise SubjectError(driver.name, PARTLY, WRAP)


def subject_of_proposal(asked: Asked, driver: Single | Together, proposal: Proposal) -> Subject:
    """Make a subject of a way that works."""
    thing = asked.thing
    return subject_of_driver(
        driver,
        knobs=proposal.knobs,
        starts=proposal.starts,
        tensors=proposal.tensors,
        defaults=proposal.defaults,
        source=source_of(thing if callable(thing) and hasattr(thing, "__name__") else type(thing)),
        notes=(f"driven {proposal.how}",),
        called=proposal.called,
    )


def _short(error: SubjectError) -> str:
    what = error.what.partition("` ")[2] or error.what
    return f"{what} ({error.said})" if error.said else what
