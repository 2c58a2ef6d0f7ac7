"""The story mhat began with: Adam and two wrong Adams, on three streams, in a table and a figure.

It knows what the three do; how they are run and drawn, it leaves to others. The two wrong rules are not in the
library: they are files that a user of the library could have written, in `examples/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.text import Text

from mhat import figures, rules, streams, traces
from mhat.errors import InputFileError
from mhat.language import Rule
from mhat.names import find_rule
from mhat.terminal import pages

if TYPE_CHECKING:
    import xarray as xr

STEPS = 100
KNOBS: dict[str, Any] = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-3}
SHOWN = (1, 2, 10, 100)
RULES = ("Adam", "stored back", "first step only")
WIDTHS = (17, 8, 8, 10, 22)
LINES = ("m_hat = m / (1 - beta1**t)", "m = m / (1 - beta1**t)", "m = m / (1 - beta1**t) if t == 1 else m")


@dataclass(frozen=True)
class Scene:
    """One stream of the story: its recipe, its title, and in a sentence each what the three rules make of it."""

    recipe: str
    title: str
    sentences: tuple[str, str, str]


SCENES = (
    Scene(
        "constant:10",
        "Always 10",
        (
            "It sits at 1: under a steady gradient each step is lr long.",
            "v is divided anew at every step, by almost 0: it explodes, the step dies.",
            "Looks right to 15 digits: a steady gradient cannot tell it from Adam.",
        ),
    ),
    Scene(
        "ramp",
        "Ramp 0, 1, 2, ...",
        (
            "It rises above 1: v remembers longer than m, and lags further behind.",
            "Right at step 2, as the first gradient is 0; then it dies.",
            "A first gradient of 0 corrects nothing: steps 3 to 7 times too long.",
        ),
    ),
    Scene(
        "normal:seed=42",
        "Noise around 0",
        (
            "Signs cancel in m and not in v: the steps are short, about 0.24 lr.",
            "It dies, whatever the gradients are.",
            "v keeps to the first gradient, a small one: steps twice too long.",
        ),
    ),
)


@dataclass(frozen=True)
class Story:
    """What was run: a row of traces a scene, one a rule."""

    traces: tuple[tuple[xr.Dataset, ...], ...]

    def ratios(self, scene: int, rule: int) -> list[float]:
        """Give the ratio at the steps that are shown."""
        return [float(self.traces[scene][rule]["ratio"].sel(step=step)) for step in SHOWN]

    def facts(self) -> dict[str, Any]:
        """Tell the story as plain data: steps, knobs, and a row a stream and rule with its ratios and sentence."""
        rows = [
            {"stream": scene.recipe, "rule": name, "ratio": self.ratios(i, j), "sentence": scene.sentences[j]}
            for i, scene in enumerate(SCENES)
            for j, name in enumerate(RULES)
        ]
        return {"steps": list(SHOWN), "knobs": KNOBS, "rows": rows}


def examples() -> Path:
    """Find the folder of examples: inside the installed package, or beside its source."""
    package = Path(__file__).parents[1]
    for folder in (package / "examples", package.parents[1] / "examples"):
        if (folder / "stored_back.py").is_file():
            return folder
    raise InputFileError("the examples were not installed with mhat", "Install mhat again: pip install --force mhat.")


def cast() -> tuple[Rule, ...]:
    """Give the three rules: one of the library, two of a user of the library."""
    folder = examples()
    wrong = (find_rule(str(folder / f"{name}.py")) for name in ("stored_back", "first_step_only"))
    return (rules.adam, *wrong)


def tell() -> Story:
    """Run the three rules on the three streams."""
    players = cast()
    given = [streams.named(scene.recipe, STEPS) for scene in SCENES]
    return Story(tuple(tuple(traces.trace(rule, stream, **KNOBS) for rule in players) for stream in given))


def draw(story: Story, path: Path, *, force: bool) -> None:
    """Draw the story: a row a stream, a column a rule."""
    figure = figures.story(story.traces, [scene.title for scene in SCENES], list(RULES), "ratio")
    figures.save(figure, path, force=force)


def page(story: Story) -> list[RenderableType]:
    """Set the story for a terminal: the question, the numbers, the answer."""
    return [*_question(), *_numbers(story), *_answer()]


def _question() -> list[RenderableType]:
    knobs = ", ".join(f"{name}={pages.short(value)}" for name, value in KNOBS.items())
    lines = [[Text(name, style="bold"), pages.coloured(line)] for name, line in zip(RULES, LINES, strict=True)]
    return [
        pages.heading("The question"),
        pages.prose(
            "You write Adam down from its pseudo code, feed it a gradient of 10 for 100 steps, and plot the factor "
            "of the learning rate:",
            indent=2,
        ),
        pages.code("ratio = m_hat / (sqrt(v_hat) + eps)", indent=6),
        pages.prose(
            "It should sit at 1. Yours ends at 3.4e-70. Is the code wrong, or the idea of what Adam does? Here are "
            f"Adam and two ways to get it wrong, for m, and likewise for v ({knobs}):",
            indent=2,
        ),
        pages.grid(lines, indent=6),
        Text(""),
    ]


def _numbers(story: Story) -> list[RenderableType]:
    parts: list[RenderableType] = [pages.heading("The ratio, three gradients by three rules")]
    for i, scene in enumerate(SCENES):
        rows = [
            ([name, *map(pages.number, early), repr(last)], scene.sentences[j])
            for j, name in enumerate(RULES)
            for *early, last in [story.ratios(i, j)]
        ]
        header = (scene.title, *(f"step {step}" for step in SHOWN))
        parts += [pages.commented(header, rows, WIDTHS, indent=2), Text("")]
    return parts


def _answer() -> list[RenderableType]:
    return [
        pages.heading("The answer"),
        pages.prose(
            "Adam fits the idea, and the code is wrong: the corrected moments are a look at m and v, not new values "
            "for them. Keep `m_hat` apart from `m`. And a constant gradient alone is a weak test: it lets the third "
            "rule pass, which the ramp and the noise give away.",
            indent=2,
        ),
        Text(""),
    ]


def ending(path: Path, *, kept: bool) -> list[RenderableType]:
    """Say where the figure is, and where to look next."""
    example = pages.nearest(examples() / "stored_back.py")
    commands = (
        "mhat rules adam",
        f"mhat trace {example} --stream constant:10",
        "mhat trace adam --stream normal:seed=42 --steps 500 -k beta2=0.9,0.99,0.999",
    )
    drawn = (
        f"{path}: kept as it was; --force draws it anew."
        if kept
        else f"{path}: the nine curves, a row a gradient, a column a rule."
    )
    return [
        pages.heading("The figure"),
        pages.prose(drawn, indent=2),
        Text(""),
        pages.heading("Where to look next"),
        *(f"  {command}" for command in commands),
    ]
