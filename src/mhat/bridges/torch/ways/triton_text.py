"""The text of a rule's step in Triton: one kernel a pass over memory, and one that folds what a pass has summed.

A program of a launch steps a piece of `WIDTH` coordinates of one tensor, found by tables: which tensor and which piece
a program has, and where each array of each tensor lies. It knows no tensors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mhat.engines.kernels.lowering import Kind, Lowered, NotLowered, Value, lower
from mhat.engines.kernels.passes import Pass, passes_of
from mhat.engines.step_form import StepForm
from mhat.language.definition import Rule
from mhat.language.tree import Name, Operation
from mhat.language.walking import names_in, product_length, subexpressions
from mhat.printers.base import Printed
from mhat.printers.python import PythonPrinter
from mhat.printers.triton import TritonPrinter, called_by, definition
from mhat.version import VERSION

PRINTER = TritonPrinter()
_PRODUCTS = {2: "square", 3: "cube", 4: "fourth"}
_ADDRESS = """@triton.jit
def address_(at, tensor, kind: tl.constexpr, ALIGNED: tl.constexpr):
    address = tl.load(at + tensor).to(tl.pointer_type(kind))
    return tl.multiple_of(address, 16) if ALIGNED else address"""


@dataclass(frozen=True)
class TritonText:
    """A printed module.

    `passes`: the kernels `pass_1`, `pass_2` ... and, of those that sum, `fold_1` ...; `lowered`: the values. `scalars`:
    the states of one number a tensor; `reductions`: the columns of the table of totals.
    """

    text: str
    passes: tuple[Pass, ...]
    lowered: Lowered
    scalars: tuple[str, ...]
    reductions: tuple[Value, ...]

    def arrays_of(self, each: Pass) -> list[str]:
        """List the arrays whose addresses a pass is given, in the order of its arguments."""
        used = {*each.loads.values(), *each.stores, *(("x",) if each.last else ())}
        return [name for name in ("x", "g", *self.lowered.states(Kind.COORDINATE)) if name in used]

    def arguments_of(self, each: Pass) -> list[str]:
        """List what a pass is given, before the tables of programs and sizes."""
        tables = [f"{name}_at" for name in self.arrays_of(each)]
        read = [table for table in ("totals", "scalars") if self.columns(each, table)]
        written = ["partials"] if each.reductions else ["new_scalars"] if self.scalars else []
        return [*tables, "entered", "stride", *read, *written]

    def columns(self, each: Pass, table: str) -> dict[str, int]:
        """Map the values of a table, "totals" or "scalars", that a pass reads to their columns."""
        totals = [value.id for value in self.reductions]
        names = totals if table == "totals" else [self.lowered.before[name] for name in self.scalars]
        return {name: i for i, name in enumerate(names) if name in self.read_by(each)}

    def read_by(self, each: Pass) -> set[str]:
        """Collect the names of values that a pass reads."""
        roots = {name for value in (*each.values, *each.reductions) for name in names_in(value.expression)}
        roots |= {self.lowered.after[name] for name in each.stores}
        after = {self.lowered.after[name] for name in self.scalars}
        return roots | ({self.lowered.result} | after if each.last else set())


def triton_text(rule: Rule, form: StepForm) -> TritonText:
    """Print the kernels of a step; raises NotLowered for what is not printed for Triton.

    >>> from mhat.language import rule
    >>> plain = rule("def plain(x, g, *, lr=0.1):\\n    return x - lr * g")
    >>> print("\\n".join(triton_text(plain, StepForm("float32", "float32", ())).text.splitlines()[13:24]))
    def piece_1(x_at, g_at, entered, stride, tensor, start, size,
        MASKED: tl.constexpr, ALIGNED: tl.constexpr, WIDTH: tl.constexpr):
        places = start + tl.arange(0, WIDTH)
        inside = places < size if MASKED else None
        x_ = address_(x_at, tensor, tl.float32, ALIGNED) + places
        g_ = address_(g_at, tensor, tl.float32, ALIGNED) + places
        e_v8 = tl.load(entered + tensor * stride)  # lr
        x_in = tl.load(x_, mask=inside)
        g_in = tl.load(g_, mask=inside)
        result_v9 = x_in - e_v8 * g_in
        tl.store(x_, result_v9, mask=inside)
    """
    if form.rounding != "nearest":
        raise NotLowered(f"rounding={form.rounding!r}")
    lowered = lower(rule, rearranged=form.rearranged)
    exact = all(stored in (form.computed, "float64") for _, stored in form.states)
    passes = tuple(passes_of(lowered, exact=exact))
    reductions = tuple(value for each in passes for value in each.reductions)
    made = TritonText("", passes, lowered, tuple(lowered.states(Kind.TENSOR)), reductions)
    return TritonText(_Writer(made, form).module(), passes, lowered, made.scalars, reductions)


class _Writer:
    def __init__(self, made: TritonText, form: StepForm) -> None:
        self.made = made
        self.lowered = made.lowered
        self.form = form
        self.number = f"tl.{form.computed}"

    def module(self) -> str:
        parts = [self.heading(), *self.functions(), _ADDRESS]
        for place, each in enumerate(self.made.passes, 1):
            parts += [self.piece(place, each), self.kernel(place, each)]
            if each.reductions:
                parts.append(self.fold(place, each))
        return "\n\n\n".join(parts) + "\n"

    def heading(self) -> str:
        stored = ", ".join(f"{name} {dtype}" for name, dtype in self.form.arrays.items())
        lines = [
            f'"""{self.lowered.rule.name}: one step in Triton. {stored}; printed by mhat {VERSION}."""',
            "",
            "import triton",
            "import triton.language as tl",
        ]
        if any("libdevice" in text for text in self.functions()):
            lines.append("from triton.language.extra import libdevice")
        return "\n".join(lines)

    def functions(self) -> list[str]:
        """Print what expressions call; raises NotLowered where Triton has no such function."""
        used = set(self.used())
        used |= {inner for name in used for inner in called_by(name)}
        texts = []
        for name in sorted(used, key=_innermost):
            text = definition(name, self.form.computed)
            if text is None:
                raise NotLowered(f"`{name}` of a coordinate")
            texts.append(text)
        return texts

    def used(self) -> Iterator[str]:
        for value in self.lowered.values:
            for node in subexpressions(value.expression):
                if isinstance(node, Operation):
                    yield from _called(node)

    def piece(self, place: int, each: Pass) -> str:
        """Print what a pass does with the coordinates of one program."""
        arguments = ", ".join([*self.made.arguments_of(each), "tensor", "start", "size"])
        lines = [
            "places = start + tl.arange(0, WIDTH)",
            "inside = places < size if MASKED else None",
            *(
                f"{name}_ = address_({name}_at, tensor, tl.{self.form.arrays[name]}, ALIGNED) + places"
                for name in self.made.arrays_of(each)
            ),
            *self.constants(each),
            *(self.loaded(name, array) for name, array in each.loads.items()),
            *(_line(value) for value in each.values if value.kind == Kind.COORDINATE),
            *(line for i, value in enumerate(each.reductions) for line in self.partial(i, value)),
            *(self.stored(name, self.lowered.after[name]) for name in each.stores),
        ]
        if each.last:
            lines.append(self.stored("x", self.lowered.result))
            lines += self.scalars_stored()
        head = [f"def piece_{place}({arguments},", f"    {_CONSTANTS}):"]
        return "\n".join(["@triton.jit", *head, *(f"    {line}" for line in lines)])

    def constants(self, each: Pass) -> Iterator[str]:
        """Print what is one number for the whole piece: doubles of the step, reductions, states of the tensor."""
        read = self.made.read_by(each)
        for i, (name, value) in enumerate(self.lowered.entered.items()):
            if name in read:
                yield f"{name} = tl.load(entered + tensor * stride{f' + {i}' if i else ''}){self.meaning(value)}"
        for name, i in self.made.columns(each, "totals").items():
            alone = self.lowered.by_id[name].reduction
            row = "" if alone is not None and alone.over else f" + tensor * {len(self.made.reductions)}"
            yield f"{name} = tl.load(totals{row} + {i})"
        for name, i in self.made.columns(each, "scalars").items():
            yield f"{name} = tl.load(scalars + tensor * {len(self.made.scalars)} + {i})"
        yield from (_line(value) for value in each.values if value.kind == Kind.TENSOR)

    def meaning(self, value: str) -> str:
        """Say beside a number of the step what it is."""
        made = next((each.expression for each in self.lowered.step_values if each.id == value), Name(value))
        return f"  # {_STEPS.expression(made)}"

    def loaded(self, name: str, array: str) -> str:
        entered = "" if self.form.arrays[array] == self.form.computed else f".to({self.number})"
        return f"{name} = tl.load({array}_, mask=inside){entered}"

    def stored(self, array: str, value: str) -> str:
        rounded = "" if self.form.arrays[array] == self.form.computed else f".to(tl.{self.form.arrays[array]})"
        return f"tl.store({array}_, {value}{rounded}, mask=inside)"

    def scalars_stored(self) -> list[str]:
        """Print how the states of the tensor go on: written by its first program, to where nobody reads."""
        lines = ["if start == 0:"] if self.made.scalars else []
        for i, name in enumerate(self.made.scalars):
            lines.append(
                f"    tl.store(new_scalars + tensor * {len(self.made.scalars)} + {i}, {self.lowered.after[name]})"
            )
        return lines

    def partial(self, place: int, value: Value) -> list[str]:
        """Print the sum of a piece."""
        assert value.reduction is not None
        (argument,) = value.reduction.arguments
        assert isinstance(argument, Name)
        summed = f"square_({argument.id})" if value.reduction.op == "norm" else argument.id
        neutral = 'float("-inf")' if value.reduction.op == "largest" else "0.0"
        name = f"part_{place}"
        row = f"{place} * tl.num_programs(0) + " if place else ""
        return [
            f"{name} = tl.where(inside, {summed}, {neutral}) if MASKED else {summed}",
            f"tl.store(partials + {row}tl.program_id(0), {_folded(value, name)})",
        ]

    def kernel(self, place: int, each: Pass) -> str:
        """Print the kernel that gives a program its piece: whole pieces need no mask."""
        given = ", ".join([*self.made.arguments_of(each), "tensor", "start", "size"])
        return "\n".join(
            [
                '@triton.jit(do_not_specialize=["stride"])',
                f"def pass_{place}({', '.join(self.made.arguments_of(each))}, tensor_of, piece_of, sizes,",
                "    ALIGNED: tl.constexpr, WIDTH: tl.constexpr):",
                "    tensor = tl.load(tensor_of + tl.program_id(0))",
                "    start = tl.load(piece_of + tl.program_id(0)) * WIDTH",
                "    size = tl.load(sizes + tensor)",
                "    if start + WIDTH <= size:",
                f"        piece_{place}({given}, False, ALIGNED, WIDTH)",
                "    else:",
                f"        piece_{place}({given}, True, ALIGNED, WIDTH)",
            ]
        )

    def fold(self, place: int, each: Pass) -> str:
        """Print the kernel that folds the sums of pieces, in their order, into one number a tensor, or for all."""
        lines = [
            "tensor = tl.program_id(0)",
            "first, last = tl.load(first_of + tensor), tl.load(first_of + tensor + 1)",
            "lanes = tl.arange(0, WIDTH)",
        ]
        for i, value in enumerate(each.reductions):
            assert value.reduction is not None
            neutral = 'float("-inf")' if value.reduction.op == "largest" else "0.0"
            one_more = f"tl.load(partials + {i} * pieces + at + lanes, mask=at + lanes < last, other={neutral})"
            together = (
                f"maximum_(lane_{i}, {one_more})" if value.reduction.op == "largest" else f"lane_{i} + {one_more}"
            )
            column = self.made.reductions.index(value)
            total = _folded(value, f"lane_{i}")
            lines += [
                f"lane_{i} = tl.full((WIDTH,), {neutral}, {self.number})",
                "for at in range(first, last, WIDTH):",
                f"    lane_{i} = {together}",
                f"total_{i} = {_FINISHED.get(value.reduction.op, '{}').format(total)}",
                f"tl.store(totals + tensor * {len(self.made.reductions)} + {column}, total_{i})",
            ]
        head = f"def fold_{place}(partials, first_of, counts, totals, pieces, WIDTH: tl.constexpr):"
        return "\n".join(['@triton.jit(do_not_specialize=["pieces"])', head, *(f"    {line}" for line in lines)])


_CONSTANTS = "MASKED: tl.constexpr, ALIGNED: tl.constexpr, WIDTH: tl.constexpr"
_FINISHED = {"norm": "sqrt_({})", "mean": "div_({}, tl.load(counts + tensor))"}


class _Plain(PythonPrinter):
    """Writes expressions of the step's doubles, for people."""

    def name(self, name: str) -> Printed:
        return super().name(name.removesuffix("_in"))


_STEPS = _Plain()


def _called(node: Operation) -> Iterable[str]:
    length = product_length(node)
    if length is not None:
        return (_PRODUCTS[length],)
    return {
        "add": (), "sub": (), "mul": (), "neg": (), "sum": (), "mean": ("div",), "norm": ("square", "sqrt"),
        "largest": ("maximum",),
    }.get(node.op, (node.op,))  # fmt: skip


def _innermost(name: str) -> tuple[bool, str]:
    """Sort what calls others behind them."""
    return bool(called_by(name)), name


def _line(value: Value) -> str:
    return f"{value.id} = {PRINTER.expression(value.expression)}"


def _folded(value: Value, name: str) -> str:
    largest = value.reduction is not None and value.reduction.op == "largest"
    return f"tl.reduce({name}, 0, maximum_)" if largest else f"tl.sum({name}, 0)"
