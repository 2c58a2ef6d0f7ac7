"""Every case of the benchmark computes what its truth says, and the verification would see if it did not."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

import mhat
from benchmarks.cases import CASES, WILD, check_ids
from benchmarks.cases.claims import edited
from benchmarks.cases.verify import problems, run_rule, streams

BY_ID = {case.id: case for case in CASES}


def named(cases):
    return pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in cases])


@named(CASES)
def test_subject_computes_its_truth(case):
    assert problems(case) == []


@named([case for case in CASES if case.truth])
def test_engine_reads_the_truth_alike(case):
    truth, given = mhat.rule(case.truth), streams(case.tensors or 1)["normal"]
    knobs = {name: value for name, value in case.knobs.items() if name in truth.knobs}
    x, state, last = [np.full(g.shape[1:], 0.5) for g in given], None, len(given[0]) - 1
    for i in range(last + 1):
        x, state, _ = mhat.step(truth, x, [g[i] for g in given], i + 1, state, **knobs)
    with np.errstate(all="ignore"):
        expected = run_rule(truth, given, 0.5, knobs)
    for ours, theirs in zip(x, expected, strict=True):
        np.testing.assert_allclose(ours, theirs[last], rtol=1e-12)


@named([case for case in CASES if case.tensors is None])
def test_each_run_is_fresh_and_one_coordinate_may_come_without_its_dimension(case):
    gradients = streams(1)["normal"][0][:, :1]
    first, again, flat = case.subject(gradients), case.subject(gradients), case.subject(gradients[:, 0])
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first[:, 0], flat)
    assert first.shape == gradients.shape


def test_every_case_says_what_it_is():
    assert len(WILD) == 115
    assert all(case.subject.__doc__ for case in CASES)
    assert all(case.deviations == 0 for case in CASES if case.kind == "correct")
    assert all(case.places for case in CASES if case.truth and case.deviations)


def test_ids_are_compared_with_the_file(tmp_path):
    listing = tmp_path / "wild.jsonl"
    rows = [f'{{"id": "{case.id}", "kind": "{case.kind}"}}' for case in WILD]
    listing.write_text("\n".join(rows))
    check_ids(listing)
    listing.write_text("\n".join(rows[1:]))
    with pytest.raises(ValueError, match=WILD[0].id):
        check_ids(listing)


@pytest.mark.parametrize(
    ("name", "change", "seen"),
    [
        ("wb-both-tplus", {"truth": edited("adam")}, "differ by"),
        ("t0-slides", {"truth": edited("adam")}, "differ by inf"),
        ("tparam-keris", {"truth": edited("adam")}, "differ by"),
        ("wd-after-set", {"truth": edited("adamw")}, "differ by"),
        ("ok-silvax", {"deviations": 1}, "does not deviate"),
        ("ok-silvax", {"knobs": {"rho": 0.9}}, "not of the claimed rule"),
        ("sign-error-folded", {"inexpressible": ""}, "neither a truth nor a reason"),
    ],
)
def test_verification_sees_a_wrong_case(name, change, seen):
    assert seen in "; ".join(problems(replace(BY_ID[name], **change)))


def test_an_edit_must_fit_once():
    with pytest.raises(ValueError, match="occurs 2 times"):
        edited("adam", ("v_hat", "w"))
    with pytest.raises(ValueError, match="occurs 0 times"):
        edited("adam", ("w_hat", "w"))
