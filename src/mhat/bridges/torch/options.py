"""How an optimizer of torch steps its tensors, looked at before anything is made. It steps none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mhat.bridges.numpy.arguments import check_options
from mhat.errors import BadValue
from mhat.notation import cut

# How tensors are stepped, where somebody asks for it.
WAYS = ("kernel", "triton", "compiled", "eager")


@dataclass(frozen=True)
class Options:
    """What holds for all groups of an optimizer; see `mhat.bridges.torch.Optimizer`."""

    missing: str = "skip"
    as_written: bool | None = None
    state_dtype: str | None = None
    rounding: str = "nearest"
    seed: int = 0
    flush_denormals: bool | None = None
    threads: int | None = None
    amp_scaling: bool = False
    way: str | None = None

    @property
    def workers(self) -> int:
        """How many threads step at most."""
        return self.threads or os.cpu_count() or 1


def options_of(given: Mapping[str, Any]) -> Options:
    """Check options; raises UnknownName or BadValue."""
    rest = dict(given)
    amp = rest.pop("amp_scaling")
    if not isinstance(amp, bool):
        raise BadValue(f"amp_scaling={cut(repr(amp))} is neither True nor False", "Give one of them, or leave it out.")
    way = rest.pop("way")
    if way is not None and way not in WAYS:
        raise BadValue(f"way={cut(repr(way))} is none of {', '.join(WAYS)}", "Leave it out: the quickest is taken.")
    # A dtype of torch has no name of its own: `torch.float32` is float32.
    if rest["state_dtype"] is not None:
        rest["state_dtype"] = str(rest["state_dtype"]).rpartition(".")[2]
    return Options(**check_options(rest), amp_scaling=amp, way=way)
