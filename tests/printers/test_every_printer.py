"""The same questions to every printer: is every operation of the table written, brackets and all?"""

from __future__ import annotations

import pytest

from mhat.language.tree import Name, Number, Operation
from mhat.ops import OPERATIONS
from mhat.printers import PRINTERS, MissingOperationError, Printer
from mhat.printers.base import Printed
from tests.strategies import applied

every_printer = pytest.mark.parametrize("printer", PRINTERS.values(), ids=PRINTERS.keys())
every_operation = pytest.mark.parametrize("op", OPERATIONS)


def _written(printer: Printer) -> list[str]:
    return [op for op in OPERATIONS if op not in printer.lacking]


@every_printer
@every_operation
def test_every_operation_is_written_or_refused_by_name(printer: Printer, op: str) -> None:
    if op in printer.lacking:
        with pytest.raises(MissingOperationError, match=op):
            printer.expression(applied(op))
        return
    text = printer.expression(applied(op))
    for argument in applied(op).arguments:
        assert isinstance(argument, Name)
        assert argument.id in text


@every_printer
def test_different_operations_are_written_differently(printer: Printer) -> None:
    # Elementwise and matrix products look alike in papers, where the context tells; LatexPrinter has `tensors`.
    texts = {op: printer.expression(applied(op)) for op in _written(printer) if op != "matmul"}
    assert len(set(texts.values())) == len(texts)


@every_printer
@pytest.mark.parametrize("op", [op for op, definition in OPERATIONS.items() if definition.kind == "reduction"])
def test_a_reduction_over_all_tensors_is_told_apart(printer: Printer, op: str) -> None:
    if "over" in printer.lacking:
        with pytest.raises(MissingOperationError, match="over all"):
            printer.expression(applied(op, over="all"))
        return
    assert printer.expression(applied(op)) != printer.expression(applied(op, over="all"))


@every_printer
@pytest.mark.parametrize("op", ["sub", "mod", "matmul", "pow", "lt", "and"])
def test_left_and_right_nesting_are_told_apart(printer: Printer, op: str) -> None:
    if op in printer.lacking:
        return
    a, b, c = Name("a"), Name("b"), Name("c")
    left = Operation(op, (Operation(op, (a, b)), c))
    right = Operation(op, (a, Operation(op, (b, c))))
    assert printer.expression(left) != printer.expression(right)


@every_printer
@every_operation
def test_a_power_shows_what_its_base_is(printer: Printer, op: str) -> None:
    if op in printer.lacking:
        return
    inside = Operation("pow", (applied(op), Number(2.0)))
    if op != "pow":
        outside = applied(op, *(Operation("pow", (Name(name), Number(2.0))) for name in ("a", "b", "c")))
        assert printer.expression(inside) != printer.expression(outside)
    last = Operation("pow", (Name("a" if OPERATIONS[op].arity == 1 else "b"), Number(2.0)))
    first = [Name("a")] if OPERATIONS[op].arity > 1 else []
    assert printer.expression(inside) != printer.expression(applied(op, *first, last))


@every_printer
@pytest.mark.parametrize("value", [0.0, 1.0, 1e-3, 123456.0, 5e-324, 1e308, -1.0, -1e-3, float("inf"), float("nan")])
def test_every_number_is_written(printer: Printer, value: float) -> None:
    alone = printer.number(value)
    assert alone.text
    power = printer.expression(Operation("pow", (Number(value), Name("a"))))
    if value < 0.0:
        assert not power.startswith("-")


class _Mute(Printer):
    def number(self, value: float) -> Printed:
        return Printed(str(value))

    def name(self, name: str) -> Printed:
        return Printed(name)


@every_operation
def test_a_missing_operation_is_named(op: str) -> None:
    with pytest.raises(MissingOperationError) as caught:
        _Mute().expression(applied(op))
    assert str(caught.value) == f"_Mute has no symbol, function or method for {op!r}"


def test_a_mistake_in_a_method_of_a_printer_is_not_taken_for_a_missing_operation() -> None:
    class Broken(_Mute):
        def print_sqrt(self, node: Operation) -> Printed:
            return Printed(node.no_such_thing)  # type: ignore[attr-defined]

    with pytest.raises(AttributeError, match="no_such_thing"):
        Broken().expression(applied("sqrt"))
