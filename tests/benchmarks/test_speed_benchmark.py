"""The benchmarks of the speed: figures are compared as they should be, and every work runs on tiny sizes."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.speed import kernels, limits, shapes
from benchmarks.speed.harness import Plan, at_least, at_most, compared, figures
from mhat.speed.timing import Timing

ROOT = Path(__file__).parents[2]
TINY = Plan(repeats=2, lasting=0.0)


def test_shapes_are_those_of_the_models():
    assert (len(shapes.resnet50()), shapes.count(shapes.resnet50())) == (161, 25_557_032)
    assert (len(shapes.resnet18()), shapes.count(shapes.resnet18())) == (62, 11_689_512)
    assert (len(shapes.gpt2()), shapes.count(shapes.gpt2())) == (148, 124_439_808)


def test_an_aim_is_reached_missed_or_in_the_noise():
    assert [at_least(2).outcome(value) for value in (2.0, 1.9, 1.7)] == ["yes", "in the noise", "no"]
    assert [at_most(2).outcome(value) for value in (2.0, 2.1, 2.3)] == ["yes", "in the noise", "no"]


def test_figures_divide_by_ours_and_limits_of_size_the_other_way():
    taken = {"mhat": Timing((1.0, 1.0)), "peer": Timing((3.0, 4.0)), "limit": Timing((0.5, 0.5))}
    peer, limit = figures("work", taken, "mhat", {"peer": at_least(3), "limit": at_most(1.5)})
    assert (peer.ratio.median, peer.reads, peer.aim, peer.reached) == (3.5, "peer / ours", ">= 3", "yes")
    assert (limit.ratio.median, limit.reads, limit.aim, limit.reached) == (2.0, "ours / limit", "<= 1.5", "no")


def test_a_candidate_that_cannot_be_made_is_said():
    def missing():
        raise ImportError("no peer here")

    makers = {"mhat": lambda: lambda: None, "peer": missing}
    (figure,) = compared("work", makers, TINY, {"peer": at_least(3)})
    assert (figure.against, figure.ratio, figure.aim, figure.reached) == ("peer", None, ">= 3", "not run: no peer here")


def test_without_ours_the_peers_are_still_timed():
    taken = {"peer": Timing((3.0, 4.0))}
    (figure,) = figures("work", taken, "mhat", {"peer": at_least(3)})
    assert (figure.ours, figure.peer, figure.ratio, figure.aim) == ("", "3.5 s", None, ">= 3")


@pytest.mark.parametrize(
    "make",
    [kernels.numba_step, lambda x, g: kernels.numba_step(x, g, divide=True), kernels.c_step, kernels.numpy_step],
)
def test_what_is_written_by_hand_is_adam(make):
    generator = np.random.default_rng(0)
    g, x, y = generator.standard_normal(1000, dtype=np.float32), np.zeros(1000, np.float32), np.zeros(1000, np.float32)
    try:
        run = make(x, g)
    except RuntimeError as error:
        pytest.skip(str(error))
    plain = kernels.textbook_step(y, g)
    for _ in range(10):
        g[:] = generator.standard_normal(1000, dtype=np.float32)
        run()
        plain()
    assert np.abs(x).max() > 0
    # Both round: they are the same to some ulps of the largest parameter.
    assert np.abs(x - y).max() <= 64 * np.spacing(np.abs(x).max())


def test_the_limits_move_and_write_everything():
    x, g = np.arange(100, dtype=np.float32), np.ones(100, np.float32)
    limits.two_passes(x, g)()
    # m = 0, v = x - 1, and x = m - v - x.
    assert np.array_equal(x, 1 - 2 * np.arange(100))
    buffer = np.zeros((2, 3, 4), np.float32)
    limits.written(buffer, np.float32(1))
    assert (buffer == 1).all()


WORKS = [
    "step-1e6", "resnet50", "gpt2", "small-1000", "bfloat16", "lamb", "denormals", "accuracy", "trace-one",
    "trace-many", "trace-sweep", "torch-fresh", "torch-kept", "torch-resnet18", "torch-training", "muon", "soap",
    "shampoo",
]  # fmt: skip


# Peers compile for minutes: the two that show how a work of each kind runs are seen every time.
@pytest.mark.parametrize("works", [["step-1e6", "trace-one"], pytest.param(WORKS, marks=pytest.mark.long)], ids=len)
def test_works_run_on_tiny_sizes(works):
    command = [sys.executable, "-m", "benchmarks.speed", "--quick", "--json", "--only", *works]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len({figure["work"] for figure in found}) >= len(works)
    assert [figure for figure in found if figure["reached"].startswith("not run")] == []
    assert all(figure["ratio"]["low"] <= figure["ratio"]["high"] for figure in found)
