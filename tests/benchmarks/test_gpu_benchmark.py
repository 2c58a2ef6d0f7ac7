"""The benchmark of accelerators goes through its works on tiny sizes, and measures nothing where there is none."""

import json
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks import gpu

CPU = torch.device("cpu")
# A compiler takes seconds for each.
QUICK = {name: make for name, make in gpu.CANDIDATES.items() if "compiled" not in name}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(gpu, "CANDIDATES", QUICK)
    monkeypatch.setattr(gpu, "TURNS", 2)
    # A narrow terminal cuts what a table says.
    monkeypatch.setenv("COLUMNS", "200")


def test_all_works_are_gone_through(capsys):
    assert gpu.main(["--device", "cpu", "--small", "--json"]) == 0
    copy, *rows = json.loads(capsys.readouterr().out)
    assert (copy["work"], copy["candidate"]) == ("copy", "torch")
    assert [(row["work"], row["candidate"]) for row in rows] == [
        (work.name, name) for work in gpu.works(small=True) for name in QUICK
    ]
    assert all(row["milliseconds"] > 0 and row["share"] > 0 and "WRONG" not in row["said"] for row in rows)


def test_the_table_says_that_tiny_sizes_say_nothing(capsys):
    assert gpu.main(["--device", "cpu", "--small", "--seconds", "-1"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Tiny sizes: whether it runs, and nothing of the speed.\n")
    assert said.count("left out: the time is over") == len(gpu.works(small=True)) * len(QUICK)


def test_without_an_accelerator_nothing_is_measured(capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main([]) == 2
    assert capsys.readouterr().out == (
        "No GPU that torch can use is here: nothing was measured. Whether it runs: --device cpu --small.\n"
    )
    assert gpu.main(["--device", "cpu"]) == 2


def test_large_works_are_what_they_are_called():
    hundred, gpt, many, beyond = gpu.works(small=False)
    assert (hundred.count, gpt.count, len(many.shapes), len(beyond.shapes)) == (10**8, 124_439_808, 10_000, 1)
    assert beyond.count > 2**31
    # x, g, m, v are read, and x, m, v written.
    assert hundred.moved(4) == 28 * 10**8 and beyond.moved(4) == 22 * beyond.count


def test_a_step_that_leaves_the_end_where_it_was_is_seen():
    def lazy(parameters):
        opt = torch.optim.AdamW([parameters[0].detach()[:10].requires_grad_()], lr=0.1)
        opt.state[parameters[0]] = {"m": torch.zeros_like(parameters[0])}
        return opt, lambda: None, ""

    row = gpu.row(gpu.Work("one", [(20,)]), "lazy", lazy, 1.0, CPU)
    assert row.said == "WRONG: the last number did not move"


def test_what_a_candidate_cannot_do_is_said_in_its_row():
    def broken(parameters):
        raise RuntimeError("no kernel\nand much more")

    assert gpu.row(gpu.Work("one", [(20,)]), "broken", broken, 1.0, CPU).said == "RuntimeError: no kernel"
