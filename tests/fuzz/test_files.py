"""Damaged files of every format: each is read, or refused in one message that names the file and the cure.

Some seconds in CI, hours by hand: `MHAT_FUZZ_EXAMPLES=100000 pytest tests/fuzz/test_files.py`. Each example has a seed.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mhat
from mhat.errors import MhatError
from mhat.streams import from_file, stored_or_named
from mhat.subjects.records import record_of
from tests.fuzz.damage import damaged

pytest.importorskip("pyarrow")
pytest.importorskip("zarr")

EXAMPLES = int(os.environ.get("MHAT_FUZZ_EXAMPLES", "240"))
PARTS = 8
LONGEST_MESSAGE = 1500
# Seconds that no reader needs for a file of some kilobytes.
SLOW = 30.0
TABLE = "# a\nStep,tensor,i,g,x\n0,W,0,,1.0\n1,W,0,1.0,0.9\n2,W,0,-1.0,2.1\n"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """Make a good file of every format: its parts by their paths, one but for a store."""
    folder = tmp_path_factory.mktemp("whole")
    sweep = mhat.trace("adam", mhat.streams.normal(seed=1, size=2, steps=6), lr=[0.1, 0.2], start=1.0)
    plain = mhat.trace("adam", mhat.streams.normal(seed=1, steps=6))
    for ds, name in ((sweep, "a.nc"), (sweep, "a.zarr"), (plain, "a.csv"), (plain, "a.parquet")):
        mhat.save(ds, str(folder / name))
    np.save(folder / "a.npy", np.arange(12.0).reshape(6, 2))
    np.savez(folder / "a.npz", g=np.arange(6.0), x=np.arange(6.0), start=1.0, lr=0.1)
    np.savez_compressed(folder / "packed.npz", g=np.arange(600.0), x=np.arange(600.0))
    (folder / "record.csv").write_text(TABLE)
    (folder / "space.txt").write_text("1 2\n3 4\n")
    return {
        path.name: {str(each.relative_to(folder)): each.read_bytes() for each in files_in(path)}
        for path in sorted(folder.iterdir())
    }


def files_in(path: Path) -> list[Path]:
    return sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]


def ways_in(name: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield all that may be made of a file."""
    yield "a stream", lambda: from_file(name)
    yield "a stored stream", lambda: mhat.trace("sgd", stored_or_named(name))
    yield "a record", lambda: record_of(name)
    if name.endswith((".nc", ".zarr")):
        yield "a trace", lambda: mhat.again(mhat.load(name)).compute()


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.filterwarnings("ignore")
def test_a_damaged_file_is_read_or_refused(
    part: int, whole: dict[str, dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = 0
    for seed in range(part, EXAMPLES, PARTS):
        chance = random.Random(seed)
        name = chance.choice([*whole])
        hit = chance.choice([*whole[name]])
        shutil.rmtree("a.zarr", ignore_errors=True)
        for path, data in whole[name].items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_bytes(damaged(data, chance) if path == hit else data)
        for what, read in ways_in(name):
            began = time.monotonic()
            try:
                read()
            except MhatError as error:
                refused += 1
                assert len(str(error)) < LONGEST_MESSAGE and "\n" not in error.what, (seed, name, what)
                assert error.cure, (seed, name, what)
            except Exception as error:
                raise AssertionError(f"seed {seed}: {name} as {what}, {hit} damaged") from error
            assert time.monotonic() - began < SLOW, (seed, name, what)
    assert refused > 0


def test_damage_is_seen_to_be_refused_and_not_to_be(
    whole: dict[str, dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for path, data in whole["record.csv"].items():
        Path(path).write_bytes(data)
        record_of(path)
        Path(path).write_bytes(data.replace(b"2.1", b"2.x"))
        with pytest.raises(MhatError, match=r"record.csv, line 5, column x: `2.x` is no number"):
            record_of(path)
