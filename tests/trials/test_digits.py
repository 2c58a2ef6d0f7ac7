"""The network that reads digits: its gradients are slopes, its images are apart, its batches go through all."""

import numpy as np
import pytest

from mhat.errors import BadValue
from mhat.trials import problem_of
from mhat.trials.digits import _batch, _images, digits


@pytest.mark.parametrize("hidden", [0, 3])
def test_gradients_are_slopes(hidden: int) -> None:
    problem = digits(hidden=hidden, batch=7)
    xs = problem.start(0)
    _, gradients = problem.slope(xs, 1, 0)
    for k, (x, g) in enumerate(zip(xs, gradients, strict=True)):
        for place in [(0, 0), (-1, -1), (20 % len(x), 1)]:
            ends = [[each.copy() for each in xs] for _ in range(2)]
            ends[0][k][place] += 1e-6
            ends[1][k][place] -= 1e-6
            up, down = (problem.slope(each, 1, 0)[0] for each in ends)
            assert g[place] == pytest.approx((up - down) / 2e-6, rel=1e-6, abs=1e-9)


def test_the_images_are_those_of_uci() -> None:
    images, labels = _images()
    assert images.shape == (1797, 65) and (images[:, -1] == 1).all()
    assert (images[:, :-1].min(), images[:, :-1].max()) == (-1.0, 1.0)
    # How often each digit is in optdigits.tes, as its description counts them.
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_an_epoch_goes_through_all_and_seeds_differ() -> None:
    steps = [_batch(0, t, 64) for t in range(1, 17)]
    assert sorted(np.concatenate(steps)[:1000]) == list(range(1000))
    assert all(len(each) == 64 for each in steps)
    assert (_batch(0, 1, 64) != _batch(1, 1, 64)).any()
    problem = digits()
    assert (problem.start(0)[0] != problem.start(1)[0]).any() and (problem.start(2)[0] == problem.start(2)[0]).all()


def test_arguments() -> None:
    assert problem_of("digits:hidden=0").name == "digits:hidden=0,batch=64"
    assert [x.shape for x in problem_of("digits:hidden=0").start(0)] == [(65, 10)]
    with pytest.raises(BadValue) as error:
        problem_of("digits:hidden=-1")
    assert str(error.value) == (
        "in `digits:hidden=-1`: `hidden` is -1\nGive a whole number of at least 0: hidden=1."
    )  # fmt: skip
