"""How fast a step is on an accelerator: in under six minutes, a table of what share of the memory's speed it reaches.

python -m benchmarks.gpu [--device cuda] [--small] [--seconds 330] [--json]

AdamW of mhat against torch's own (fused, foreach, compiled), on 1e8 parameters, the shapes of GPT-2, 10,000 tensors,
and one tensor of more than 2**31 numbers. The share is of the bandwidth that a plain copy has: a step reads x, g, m, v
and writes x, m, v. `--small` runs it all in moments, on the CPU too (`--device cpu`): it says whether it runs, and
nothing of the speed. Ends with 2, measuring nothing, where there is no such device.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

import torch

from benchmarks.speed import shapes
from mhat.bridges.torch import Optimizer
from mhat.errors import MhatError
from mhat.terminal import facts, pages

AIM = 0.85
KNOBS = {"lr": 1e-3, "weight_decay": 1e-2}
TURNS, WARMED = 7, 3
# What compiles a step of more tensors than this is still at it when the time is over.
MOST_COMPILED = 200
Step = Callable[[], object]
Make = Callable[[list[torch.Tensor]], tuple[torch.optim.Optimizer, Step, str]]


@dataclass(frozen=True)
class Work:
    """What is stepped: its name, the shapes of its tensors, and how they are stored."""

    name: str
    shapes: Sequence[tuple[int, ...]]
    dtype: str = "float32"

    @property
    def count(self) -> int:
        """How many numbers there are."""
        return shapes.count(list(self.shapes))

    def moved(self, state: int) -> int:
        """Give how many bytes a step must move, with states of so many bytes."""
        return self.count * (3 * getattr(torch, self.dtype).itemsize + 4 * state)

    @property
    def held(self) -> int:
        """How many bytes must be there at most for one candidate: x, g, m, v, and what it may take on the way."""
        return self.count * (2 * getattr(torch, self.dtype).itemsize + 8) * 5 // 4


@dataclass(frozen=True)
class Row:
    """One candidate on one work: milliseconds a step and of the first, the share of the copy, or why there is none."""

    work: str
    candidate: str
    milliseconds: float | None = None
    first: float | None = None
    share: float | None = None
    said: str = ""

    @property
    def line(self) -> list[str]:
        """Give the cells of the table."""
        numbers = [f"{v:.3f}" if v is not None else "" for v in (self.milliseconds, self.first, self.share)]
        return [self.work, self.candidate, *numbers, self.said]


def works(small: bool) -> list[Work]:
    """List what is stepped."""
    if small:
        beyond = Work("one beyond 2**31, bfloat16", [(2**12 + 5,)], "bfloat16")
        return [
            Work("1e8", [(10_000,)]),
            Work("GPT-2", [(48, 16), (16,)]),
            Work("10,000 tensors", [(10,)] * 20),
            beyond,
        ]
    return [
        Work("1e8", [(100_000_000,)]),
        Work("GPT-2", shapes.gpt2()),
        Work("10,000 tensors", [(1000,)] * 10_000),
        Work("one beyond 2**31, bfloat16", [(2**31 + 4096,)], "bfloat16"),
    ]


def mhat_step(way: str | None = None) -> Make:
    """Make a step of ours, and say which way it takes, and why no quicker one."""

    def make(parameters: list[torch.Tensor]) -> tuple[torch.optim.Optimizer, Step, str]:
        made = Optimizer(parameters, rule="adamw", way=way, **KNOBS)
        return made, made.step, "; ".join(f"{name} ({why})" if why else name for name, why in made.ways)

    return make


def torch_step(**options: bool) -> Make:
    """Make a step of torch's own."""

    def make(parameters: list[torch.Tensor]) -> tuple[torch.optim.Optimizer, Step, str]:
        made = torch.optim.AdamW(parameters, **KNOBS, **options)
        return made, made.step, ""

    return make


def compiled_step(parameters: list[torch.Tensor]) -> tuple[torch.optim.Optimizer, Step, str]:
    """Make a step of torch's own that torch.compile has seen."""
    # So that a schedule compiles nothing there either, torch wants its rate in a tensor.
    rate = torch.tensor(KNOBS["lr"], device=parameters[0].device)
    options = {} if rate.device.type == "cpu" else {"foreach": True, "capturable": True}
    made = torch.optim.AdamW(parameters, lr=rate, weight_decay=KNOBS["weight_decay"], **options)
    return made, torch.compile(made.step), ""


CANDIDATES: dict[str, Make] = {
    "mhat": mhat_step(),
    "mhat compiled": mhat_step("compiled"),
    "torch fused": torch_step(fused=True),
    "torch foreach": torch_step(foreach=True),
    "torch compiled": compiled_step,
}


def measure(device: torch.device, small: bool, seconds: float) -> Iterator[Row]:
    """Give the rows of the table as they are found."""
    start = time.perf_counter()
    bandwidth = copied(device, small)
    yield Row("copy", "torch", said=f"{bandwidth / 1e9:.0f} GB/s")
    for work in works(small):
        for name, make in CANDIDATES.items():
            if time.perf_counter() - start > seconds:
                yield Row(work.name, name, said="left out: the time is over")
            elif name.endswith("compiled") and len(work.shapes) > MOST_COMPILED:
                yield Row(work.name, name, said=f"left out: {len(work.shapes)} tensors take minutes to compile")
            elif work.held > room(device):
                yield Row(work.name, name, said=f"left out: it wants {work.held / 2**30:.0f} GiB")
            else:
                yield row(work, name, make, bandwidth, device)
            forget(device)


def row(work: Work, name: str, make: Make, bandwidth: float, device: torch.device) -> Row:
    """Time one candidate; what it cannot do is said."""
    try:
        parameters = [torch.zeros(shape, dtype=getattr(torch, work.dtype), device=device) for shape in work.shapes]
        for parameter in parameters:
            parameter.requires_grad_()
            parameter.grad = torch.ones_like(parameter)
        made, step, said = make(parameters)
        first = timed(step, device, 1)
        for _ in range(WARMED):
            step()
        took = statistics.median(timed(step, device, 1) for _ in range(TURNS))
        state = max(s.itemsize for s in made.state[parameters[0]].values() if s.shape == parameters[0].shape)
        ends = [parameter.detach().reshape(-1)[-1].item() for parameter in (parameters[0], parameters[-1])]
    except (RuntimeError, ValueError, NotImplementedError, ImportError, MhatError) as error:
        return Row(work.name, name, said=f"{type(error).__name__}: {str(error).splitlines()[0][:60]}")
    if not all(end < 0.0 for end in ends):
        said = "WRONG: the last number did not move"
    return Row(work.name, name, took * 1e3, first * 1e3, work.moved(state) / took / bandwidth, said)


def copied(device: torch.device, small: bool) -> float:
    """Measure how many bytes a second a copy moves."""
    source = torch.ones(2**16 if small else 2**28, device=device)
    target = torch.empty_like(source)
    timed(lambda: target.copy_(source), device, 3)
    took = statistics.median(timed(lambda: target.copy_(source), device, 5) for _ in range(TURNS))
    return 2 * source.numel() * source.itemsize / took


def timed(step: Step, device: torch.device, calls: int) -> float:
    """Give the seconds of a call, with the device waited for before and after."""
    wait(device)
    start = time.perf_counter()
    for _ in range(calls):
        step()
    wait(device)
    return (time.perf_counter() - start) / calls


def wait(device: torch.device) -> None:
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def room(device: torch.device) -> float:
    """Give how many bytes are free on the device; on the CPU nothing large is asked for."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 2.0**32


def forget(device: torch.device) -> None:
    gc.collect()
    torch.compiler.reset()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--device", default="cuda", help="where to step [cuda]")
    parser.add_argument("--small", action="store_true", help="tiny sizes: does it run?")
    parser.add_argument("--seconds", type=float, default=330.0, help="start nothing more after this [330]")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    given = parser.parse_args(arguments)
    device = torch.device(given.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print("No GPU that torch can use is here: nothing was measured. Whether it runs: --device cpu --small.")
        return 2
    if device.type == "cpu" and not given.small:
        print("The sizes are those of an accelerator: on the CPU say --small too, or `python -m benchmarks.speed`.")
        return 2
    rows = []
    for each in measure(device, given.small, given.seconds):
        rows.append(each)
        print(f"{each.work}, {each.candidate}: {each.line[2:]}", file=sys.stderr)
    if given.json:
        pages.say(facts.as_json([asdict(each) for each in rows]))
        return 0
    if given.small:
        pages.say("Tiny sizes: whether it runs, and nothing of the speed.")
    pages.show(pages.grid([each.line for each in rows], ("work", "candidate", "ms", "first ms", "share", "")))
    pages.say(f"Share: of the bandwidth of a copy; the aim is {AIM} of it for mhat with 1e8 parameters.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
