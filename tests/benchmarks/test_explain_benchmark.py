"""The figures of why: nine of ten mistakes get a consequence with its numbers, and what says nothing is seen."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import mhat
from benchmarks import explain as benchmark


def test_a_small_sample_says_what_it_should(capsys):
    assert benchmark.main(["momentum", "rmsprop", "--sample", "8", "--seed", "3", "--read", "1"]) == 0
    told = capsys.readouterr().out
    assert "16 mistakes" in told and "a consequence with its numbers: " in told
    assert told.startswith(("momentum: ", "rmsprop: "))


def test_a_why_that_only_repeats_the_edit_does_not_count():
    (why, *_) = benchmark.whys(mhat.rules.momentum, 1, 3)
    empty = benchmark.Why(why.rule, why.operator, why.sentence, why.claims[:1], ("cause",), 0.1)
    assert why.specific and not empty.specific
    assert "a consequence with its numbers: 1 of 2 (50.0%)" in benchmark.told([why, empty])
