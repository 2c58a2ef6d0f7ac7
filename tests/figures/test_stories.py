"""The grid that tells the story mhat began with, and how figures are kept."""

import ast
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr
from matplotlib.figure import Figure

import mhat.figures
from mhat import figures, rules, streams
from mhat.errors import BadValue, OutputFileError, UnknownName
from mhat.figures import canvas
from mhat.language import rule
from mhat.traces import trace
from tests.figures.looks import drawn, lines, said

STORED_BACK = rule("""
def stored_back(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m = m / (1 - beta1**t)
    v = v / (1 - beta2**t)
    ratio = m / (sqrt(v) + eps)
    return x - lr * ratio
""")
STREAMS = [streams.constant(10, steps=100), streams.ramp(steps=100), streams.normal(seed=3, steps=100)]


@pytest.fixture(scope="module")
def grid() -> list[list[xr.Dataset]]:
    return [[trace(one, stream, eps=1e-3) for one in (rules.adam, STORED_BACK)] for stream in STREAMS]


@pytest.fixture(scope="module")
def picture(grid: list[list[xr.Dataset]]) -> Figure:
    return figures.story(grid, ["ten", "ramp", "noise"], ["Adam", "Stored back"], title="A story", caption="Why")


def test_the_answer_is_visible_at_a_glance(picture: Figure) -> None:
    drawn(picture, layout=True)
    assert said(picture, "title") == "A story" and said(picture, "caption") == "Why"
    assert [axes.get_title(loc="left") for axes in picture.axes[:2]] == ["Adam", "Stored back"]
    assert [axes.get_yscale() for axes in picture.axes] == ["linear", "log"] * 3
    ends = [[text.get_text() for text in axes.texts if text.get_gid() == "end value"] for axes in picture.axes[:2]]
    assert ends == [["0.9999 at step 100"], [r"$3.405\cdot10^{-70}$ at step 100"]]
    assert all(lines(axes, "reference")[0].tolist() == [1.0, 1.0] for axes in picture.axes)
    assert picture.axes[2].get_ylabel() == "ramp\n$\\mathrm{ratio}_{t}$"


def test_the_linear_panels_of_a_row_share_their_axis(grid: list[list[xr.Dataset]]) -> None:
    row = [grid[0][0], grid[1][0]]
    figure = figures.story([row], ["Adam"], ["ten", "ramp"], reference=None)
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim() and not lines(figure.axes[0], "reference")


def test_a_story_that_does_not_fit_is_refused(grid: list[list[xr.Dataset]]) -> None:
    with pytest.raises(BadValue, match="rows of 2, 2, 2 traces, 1 row titles and 2 column titles"):
        figures.story(grid, ["ten"], ["a", "b"])
    with pytest.raises(BadValue, match="rows of none traces"):
        figures.story([], [], [])
    with pytest.raises(UnknownName, match="no variable of the trace `ratoi`"):
        figures.story(grid, ["a", "b", "c"], ["a", "b"], "ratoi")
    with pytest.raises(BadValue, match="`x` has the dimensions"):
        figures.story([[trace(rules.sgd, [1.0, 2.0], lr=[0.1, 0.2])]], ["a"], ["b"], "x")


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_the_same_figure_gives_the_same_bytes(ending: str, tmp_path: Path) -> None:
    ds = trace(rules.sgd, [1.0, 2.0])
    first = figures.save(figures.plot(ds, "x"), tmp_path / f"a.{ending}")
    second = figures.save(figures.plot(ds, "x"), str(tmp_path / f"b.{ending}"))
    assert first.read_bytes() == second.read_bytes() and first.stat().st_size > 1000


def test_a_file_is_not_overwritten_unasked(tmp_path: Path) -> None:
    figure, path = figures.plot(trace(rules.sgd, [1.0, 2.0]), []), tmp_path / "a.png"
    figures.save(figure, path)
    with pytest.raises(OutputFileError, match="exists already"):
        figures.save(figure, path)
    figures.save(figure, path, force=True)
    with pytest.raises(OutputFileError, match=r"Choose a name that ends in \.png, \.pdf, \.svg"):
        figures.save(figure, tmp_path / "a.bmp")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.png"]


def test_a_full_disk_leaves_what_was_there_and_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figure, path = figures.plot(trace(rules.sgd, [1.0, 2.0]), []), tmp_path / "a.png"
    before = figures.save(figure, path).read_bytes()

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputFileError) as caught:
        figures.save(figure, path, force=True)
    assert str(caught.value) == (
        f"`{path}` could not be written: No space left on device\nFree some space, or choose another place."
    )
    assert path.read_bytes() == before and [file.name for file in tmp_path.iterdir()] == ["a.png"]


def test_a_folder_that_vanishes_is_said(tmp_path: Path) -> None:
    figure, folder = figures.plot(trace(rules.sgd, [1.0, 2.0]), []), tmp_path / "gone"
    folder.mkdir()
    draw = figure.draw_without_rendering

    def vanishing() -> None:
        draw()
        folder.rmdir()

    figure.draw_without_rendering = vanishing  # type: ignore[method-assign]
    with pytest.raises(OutputFileError, match=r"(?s)a\.png` could not be written: No such file or directory"):
        figures.save(figure, folder / "a.png")


def test_what_comes_to_stand_there_meanwhile_is_overwritten_by_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forced, the figure was kept under another name, with a message that advised to force it."""
    path = tmp_path / "a.png"
    render = canvas._rendered

    def slowly(figure: Figure, **how: object) -> bytes:
        path.write_text("of another process")
        return render(figure, **how)

    monkeypatch.setattr(canvas, "_rendered", slowly)
    figures.save(Figure(figsize=(1, 1)), path, force=True)
    assert path.read_bytes().startswith(b"\x89PNG") and [*tmp_path.iterdir()] == [path]


def test_figures_of_the_user_are_saved_as_they_are(tmp_path: Path) -> None:
    figure = Figure(figsize=(2, 1), dpi=70)
    figure.subplots().set_title("mine")
    header = figures.save(figure, tmp_path / "mine.png").read_bytes()[16:24]
    assert (int.from_bytes(header[:4]), int.from_bytes(header[4:])) == (140, 70)
    assert "mine" in figures.save(figure, tmp_path / "mine.svg").read_text("utf-8")


def test_a_figure_shows_itself_in_a_notebook_without_pyplot() -> None:
    code = (
        "import sys, mhat\n"
        "figure = mhat.plot(mhat.trace('sgd', [1.0, 2.0]))\n"
        "assert figure._repr_png_().startswith(b'\\x89PNG')\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_figures_know_no_engine() -> None:
    for file in Path(mhat.figures.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith("mhat.engines"), file
