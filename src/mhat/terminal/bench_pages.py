"""What `mhat bench` says of measurements. It times nothing."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from mhat.speed import report, timing
from mhat.terminal import pages


def page(measured: report.Standing) -> list[RenderableType]:
    """Say what was measured: a line a candidate, and what the ratios mean."""
    size = measured.size
    rows: list[list[str | Text]] = []
    for row in measured.rows:
        spread = "" if row.name == report.OURS else timing.times((row.low, row.high))
        rows.append([Text(row.name, style="bold"), timing.duration(row.seconds), timing.times((row.ratio,)), spread])
    title = f"One step of {measured.rule}, {size:,} {'parameter' if size == 1 else 'parameters'}, {measured.dtype}"
    parts: list[RenderableType] = [pages.heading(title), Text("")]
    parts += [
        pages.grid(rows, ("", "a step", "ratio", "spread"), indent=2),
        Text(""),
        pages.prose(_meaning(measured)),
    ]
    if measured.absent:
        said = "; ".join(f"{name}: {why}" for name, why in measured.absent.items())
        parts += [Text(""), pages.prose(f"Not compared: {said}.", style="dim")]
    return parts


def _meaning(measured: report.Standing) -> str:
    limit = measured.rows[1]
    gigabytes = measured.moved_bytes / limit.seconds / 1e9
    each = measured.moved_bytes // measured.size
    said = (
        f"The ratio is how many times as long as the step of mhat one takes. The limit computes nothing: it moves the "
        f"{each} bytes a parameter that a step must read and write, at {gigabytes:.3g} GB/s here; mhat runs at "
        f"{measured.of_limit:.0%} of it."
    )
    others = measured.rows[2:]
    if not others:
        return said
    return f"{said} {' '.join(_compared(row) for row in others)}"


def _compared(row: report.Row) -> str:
    # Differences under a tenth are noise on most machines.
    if 0.9 <= row.ratio <= 1.1:
        return f"{row.name} is as fast."
    if row.ratio > 1:
        return f"{row.name} takes {timing.times((row.ratio,))} times as long."
    return f"{row.name} is {timing.times((1 / row.ratio,))} times as fast."
