"""Two processes that hold tensors together step them as one process does, or say why they cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bridges.torch.two_processes import MATRIX_RULES, RULES, SAVED

HOUSE = Path(__file__).parents[3]
WITHOUT_EACH_OTHER = "moved"
INSTEAD = "Shard the model with torch.distributed.fsdp.fully_shard, or take a rule that steps every shard alone."


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Let two processes go through all cases."""
    folder = tmp_path_factory.mktemp("two")
    path = os.pathsep.join([str(HOUSE), *([os.environ["PYTHONPATH"]] if "PYTHONPATH" in os.environ else [])])
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.bridges.torch.two_processes", str(rank), str(folder)],
            cwd=HOUSE, env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        for rank in (0, 1)
    ]  # fmt: skip
    try:
        said = [each.communicate(timeout=300)[0] for each in both]
    finally:
        for each in both:
            each.kill()
    assert [each.returncode for each in both] == [0, 0], "\n".join(said)
    made: dict[str, Any] = json.loads((folder / "found.json").read_text())
    return made


@pytest.mark.parametrize("name", [*RULES, *MATRIX_RULES])
def test_a_model_over_shards_trains_as_in_one_process(found: dict[str, Any], name: str) -> None:
    assert found[f"fsdp2 {name}"] < 1e-14


def test_shards_that_know_nothing_of_each_other_go_elsewhere(found: dict[str, Any]) -> None:
    assert found[WITHOUT_EACH_OTHER] > 1e-6


@pytest.mark.parametrize("name", ["lamb", "clipped adam", "muon"])
def test_tensors_cut_along_columns_and_tensors_everywhere_step_together(found: dict[str, Any], name: str) -> None:
    assert found[f"columns {name}"] < 1e-14


def test_a_piece_of_a_flat_parameter_is_stepped_by_what_needs_no_more(found: dict[str, Any]) -> None:
    assert found["flat adam"] == ""
    assert found["flat lamb"] == (
        "0.weight is a piece of a flat parameter of FullyShardedDataParallel, and lamb needs `norm` of the whole "
        f"tensor: 2 numbers from every shard\n{INSTEAD}"
    )


def test_a_shard_is_stepped_by_a_kernel_where_it_needs_no_other(found: dict[str, Any]) -> None:
    assert found["ways"] == [["kernel"], ["sharded"]]


def test_a_plain_gradient_of_a_shard_is_refused(found: dict[str, Any]) -> None:
    assert found["plain gradient"] == (
        "weight is a DTensor, and its gradient is a plain tensor\n"
        "Leave gradients to autograd, or give a DTensor: distribute_tensor(gradient, mesh, placements)."
    )


def test_partial_sums_are_no_parameter(found: dict[str, Any]) -> None:
    assert found["partial"] == (
        "bias is a DTensor of partial sums\nRedistribute it: a parameter is sharded, or the same everywhere."
    )


def test_tensors_of_some_processes_are_not_taken_for_all(found: dict[str, Any]) -> None:
    assert found["few adam"] == ""
    assert found["few"] == (
        "parameters are on 1 of 2 processes, and prodigy reads over all tensors: sum: others may have tensors too\n"
        "Take a mesh of all processes, or a rule that looks at one tensor at a time."
    )


@pytest.mark.parametrize("name", ["ddp adam", "ddp lamb", "ddp clipped adam", "zero adam", "zero lamb"])
def test_gradients_averaged_over_processes_train_as_in_one(found: dict[str, Any], name: str) -> None:
    assert found[name] < 1e-14


def test_zero_steps_what_looks_at_one_tensor_at_a_time(found: dict[str, Any]) -> None:
    said = "ZeroRedundancyOptimizer gives every process some of the parameters, and"
    assert found["zero clipped"] == f"{said} clipped_adam reads over all tensors: norm\n{INSTEAD}"
    assert found["zero numbered"] == f"{said} numbered reads `k`\n{INSTEAD}"


def test_a_loss_of_each_process_is_not_the_loss(found: dict[str, Any]) -> None:
    assert found["loss"] == (
        "polyak reads `loss`, which every process has one of its own of, and the tensors are held by several together\n"
        "Take a rule that reads gradients alone."
    )


@pytest.mark.parametrize(("name", "flat"), SAVED)
def test_one_process_goes_on_from_what_two_have_saved(found: dict[str, Any], name: str, flat: bool) -> None:
    assert found[f"resumed {name} {flat}"] < 1e-14


def test_without_its_states_it_goes_elsewhere(found: dict[str, Any]) -> None:
    assert found["resumed forgetful"] > 1e-6
