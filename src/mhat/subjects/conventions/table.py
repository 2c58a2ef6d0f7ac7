"""The conventions in which code that was not written for mhat wants to be called, one a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mhat.subjects.conventions import factories, gradients, methods, owners, steps
from mhat.subjects.conventions.proposals import Asked, Proposal

CONVENTIONS: dict[str, Callable[[Asked], Iterator[Proposal]]] = {
    steps.NAME: steps.proposed,
    methods.NAME: methods.proposed,
    gradients.NAME: gradients.proposed,
    factories.TRIPLE: factories.of_triples,
    factories.FACTORY: factories.of_factories,
    factories.GENERATOR: factories.of_generators,
    owners.PARAMETERS: owners.of_parameters,
    owners.LAYERS: owners.of_layers,
    owners.MODELS: owners.of_models,
}
