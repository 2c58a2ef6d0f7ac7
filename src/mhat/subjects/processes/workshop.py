"""Texts of one file, found and run one after the other in one process, which is begun once. It knows no rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mhat.errors import SubjectError
from mhat.subjects.processes.failures import error_of
from mhat.subjects.processes.guest import LOADING, NONSENSE, OF_ITS_OWN, Guest, Wanted, subject_of
from mhat.subjects.processes.process import Allowance, Process
from mhat.subjects.subject import Array, Subject


class Workshop:
    """One process, and whose turn it is in it; it is begun again where it has ended."""

    def __init__(self, allowance: Allowance | None = None) -> None:
        self.allowance = allowance or Allowance()
        self.process: Process | None = None
        self.turn: Turn | None = None

    def found(self, wanted: Wanted) -> Subject | None:
        """Find a subject; None where what is named is a rule. Raises as `found_in_process`."""
        turn = Turn(replace(wanted, one_of_several=True), self)
        try:
            answer = turn.found()
            return None if "rule" in answer else subject_of(turn, answer["subject"])
        except (KeyError, TypeError, ValueError) as error:
            raise SubjectError(wanted.named, NONSENSE, OF_ITS_OWN, f"{type(error).__name__}: {error}") from None

    @property
    def seen(self) -> dict[str, Any]:
        """What each expression of the file was worth in the last run, if it is watched."""
        return {} if self.turn is None else self.turn.seen

    def end(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.end()
        self.process = self.turn = None


class Turn(Guest):
    """One text that is run there: it is found anew where another one has been found since."""

    def __init__(self, wanted: Wanted, workshop: Workshop) -> None:
        super().__init__(wanted, workshop.allowance)
        self.workshop = workshop

    def found(self) -> dict[str, Any]:
        """Find it in the process that is there, or in a new one."""
        shop = self.workshop
        shop.turn = self
        if shop.process is None or not shop.process.running:
            try:
                return super().found()
            finally:
                shop.process = self.process
        self.process, self.loading = shop.process, True
        answer = self.ask(shop.process, self.message, [], LOADING)
        if "error" in answer:
            raise error_of(answer["error"])
        return answer

    def drive(self, gradients: list[Array], starts: list[Array], knobs: dict[str, float]) -> list[Array]:
        """Run it once; raises SubjectError."""
        if self.workshop.turn is not self:
            self.found()
        return super().drive(gradients, starts, knobs)
