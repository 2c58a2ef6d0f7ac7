"""Several writers of one state file, killed ones among them, links and full disks: the file is always whole."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mhat
from mhat.errors import OutputFileError

SIZE = 200_000
SAVER = f"""
import sys, numpy as np, mhat
path, t = sys.argv[1], int(sys.argv[2])
x = np.zeros({SIZE})
opt = mhat.Optimizer("adam", x)
state = opt.state_dict()
state["t"][:], state["steps"][...], state["started"][:] = t, t, 1
state["state/m/[]"][:] = t
opt.load_state_dict(state)
print("ready", flush=True)
sys.stdin.readline()
while True:
    opt.save(path, force=True)
"""


def saver(path: Path, t: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SAVER, str(path), str(t)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def start() -> mhat.Optimizer:
    return mhat.Optimizer("adam", np.zeros(SIZE))


@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
def test_two_processes_that_save_one_file_until_one_is_killed(ending: str, tmp_path: Path) -> None:
    """At any time the file is one of the two, whole; what the killed one leaves is removed by the next save."""
    path = tmp_path / f"state{ending}"
    start().save(path)
    savers = [saver(path, t) for t in (1, 2)]
    opt, seen = start(), set[int]()
    try:
        for each in savers:
            assert each.stdout is not None
            assert each.stdin is not None
            assert each.stdout.readline() == "ready\n"
            each.stdin.write("\n")
            each.stdin.flush()
        ending_time = time.monotonic() + 60
        while not seen >= {1, 2} and time.monotonic() < ending_time:
            opt.load(path)
            seen.add(opt.t)
            assert (opt.state["m"] == opt.t).all()
    finally:
        for each in savers:
            each.send_signal(signal.SIGKILL)
            each.communicate()
    assert seen >= {1, 2}
    opt.load(path)
    opt.save(path, force=True)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_threads_that_save_one_file(tmp_path: Path) -> None:
    path, opt = tmp_path / "state.npz", mhat.Optimizer("adam", np.zeros(4))
    wrong = list[BaseException]()

    def work() -> None:
        try:
            for _ in range(10):
                opt.step(np.ones(4))
                opt.save(path, force=True)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    other = mhat.Optimizer("adam", np.zeros(4))
    other.load(path)
    assert 10 <= other.t <= 30
    assert [each.name for each in tmp_path.iterdir()] == ["state.npz"]


def test_a_link_is_refused_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    opt = mhat.Optimizer("sgd", np.zeros(2))
    (tmp_path / "link.npz").symlink_to("elsewhere.npz")
    for force in (False, True):
        with pytest.raises(OutputFileError, match=r"link\.npz` is a link to `elsewhere\.npz`\nName the file itself\."):
            opt.save(tmp_path / "link.npz", force=force)
    assert [each.name for each in tmp_path.iterdir()] == ["link.npz"]


def test_what_exists_is_kept_with_a_cure_for_python(tmp_path: Path) -> None:
    opt = mhat.Optimizer("sgd", np.zeros(2))
    opt.save(tmp_path / "a.npz")
    with pytest.raises(OutputFileError) as refused:
        opt.save(tmp_path / "a.npz")
    assert refused.value.cure == "Choose another name, or overwrite it with force=True."


@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
def test_a_full_disk_keeps_the_old_file(ending: str, tmp_path: Path) -> None:
    path, opt = tmp_path / f"a{ending}", mhat.Optimizer("adam", np.zeros(50_000))
    opt.save(path)
    before = path.read_bytes()
    opt.step(np.ones(50_000))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    kept: Any = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        with pytest.raises(OutputFileError) as refused:
            opt.save(path, force=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, kept)
    assert refused.value.what.startswith(f"`{path}` could not be written: ")
    assert refused.value.cure == "Free some space, or choose another place."
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
