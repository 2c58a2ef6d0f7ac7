"""Stand between mhat and a process of a subject, and leave nothing running that it started. It knows no subject.

The keeper starts the process, in a session of its own, and adopts whatever outlives its parent there (where the
system can: Linux). When the process ends, when mhat closes its end of a pipe or is gone, or when the process and its
children take too much memory or are too many, the keeper says so in one line of JSON and ends them all.

It is run by itself as a file too, without site packages, so that it starts quickly: it knows the standard library.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

LOOK = 0.05  # seconds between two looks at what the processes use
PATIENCE = 5.0  # seconds in which what is ended must be gone
ADOPT, DIE_WITH_PARENT = 36, 1  # PR_SET_CHILD_SUBREAPER and PR_SET_PDEATHSIG of prctl
KEPT_FROM = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT) if os.name == "posix" else ()


def main() -> None:
    """Do what the first argument of this process says, in JSON: `keep`'s arguments by name."""
    keep(**json.loads(sys.argv[1]))


def keep(
    arguments: Sequence[str],
    control: int,
    report: int,
    memory: float | None = None,
    processes: int | None = None,
    grace: float = 0.0,
    module: str | None = None,
) -> NoReturn:
    """Run `arguments`, or `main` of a Python module in this interpreter, and end everything afterwards.

    `control`: what mhat closes to end it; `report`: where its end is said. `memory`: bytes, and `processes`: how many,
    that it may use at most, its children included. `grace`: seconds between asking processes to end and ending them.
    """
    _prctl(ADOPT, 1)
    for number in KEPT_FROM:
        signal.signal(number, signal.SIG_IGN)
    for descriptor in (control, report):
        os.set_inheritable(descriptor, False)
    started, starting = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(started)
        _become(arguments, module, starting, (control, report))
    os.close(starting)
    _let_go_of_streams()
    failed = os.read(started, 16)
    if failed:
        _say(report, {"ended": "not started", "code": int(failed)})
    else:
        _say(report, {"began": child})
        _say(report, _watched(child, control, memory, processes))
    _end_all(child, grace)
    os._exit(0)


def _prctl(option: int, value: int) -> None:
    """Ask Linux for what other systems do not have."""
    with contextlib.suppress(Exception):
        importlib.import_module("ctypes").CDLL(None).prctl(option, value, 0, 0, 0)


def _become(arguments: Sequence[str], module: str | None, starting: int, apart: Sequence[int]) -> NoReturn:
    """Turn into the process that is kept; what is wrong with that is written to `starting`."""
    keeper = os.getppid()
    for number in KEPT_FROM:
        signal.signal(number, signal.SIG_DFL)
    os.setsid()
    _prctl(DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != keeper:
        os._exit(1)
    if module is not None:
        for descriptor in (starting, *apart):
            os.close(descriptor)
        _run(module)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(arguments[0], list(arguments))
    except OSError as error:
        os.write(starting, str(error.errno or errno.ENOENT).encode())
    finally:
        os._exit(127)


def _run(module: str) -> NoReturn:
    """Run `main` of a module; what it has registered for the end of the process, or left in threads, has no say."""
    code = 1
    try:
        importlib.import_module(module).main()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _let_go_of_streams() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)


def _say(report: int, what: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        os.write(report, json.dumps(what).encode() + b"\n")


def _watched(child: int, control: int, memory: float | None, processes: int | None) -> dict[str, Any]:
    """Wait until the process ends, mhat wants it to, or it takes too much; say which."""
    woken, waking = os.pipe()
    os.set_blocking(waking, False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    waiting = select.poll()
    waiting.register(control, select.POLLIN | select.POLLHUP)
    waiting.register(woken, select.POLLIN)
    looked = time.monotonic()
    while True:
        ready = [descriptor for descriptor, _ in waiting.poll(LOOK * 1000)]
        status = _reaped(child)
        if status is not None:
            return _how(status)
        if control in ready:
            return {"ended": "asked"}
        if woken in ready:
            os.read(woken, 4096)
        if time.monotonic() - looked >= LOOK:
            looked = time.monotonic()
            family = below(os.getpid()) or [child]
            if processes is not None and len(family) > processes:
                return {"ended": "processes"}
            if memory is not None and uses_more(family, memory):
                return {"ended": "memory"}


def _reaped(child: int) -> int | None:
    """Bury the processes that have ended; give the status of `child` if it is among them."""
    status = None
    while True:
        try:
            number, code = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return status
        if number == 0:
            return status
        if number == child:
            status = code


def _how(status: int) -> dict[str, Any]:
    if os.WIFSIGNALED(status):
        return {"ended": "signal", "code": os.WTERMSIG(status)}
    return {"ended": "exit", "code": os.WEXITSTATUS(status)}


def below(root: int) -> list[int]:
    """List the processes that descend from one, by their numbers; none where the system does not tell."""
    listed = _listed if os.path.exists(f"/proc/{root}/task/{root}/children") else _children_of_all()  # noqa: PTH110
    found: list[int] = []
    left = [root]
    while left:
        children = listed(left.pop())
        found += children
        left += children
    return found


def _listed(number: int) -> list[int]:
    """List the children of a process, as Linux keeps them."""
    children: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{number}/task"):  # noqa: PTH208 (quick, and without pathlib)
            with contextlib.suppress(OSError), open(f"/proc/{number}/task/{thread}/children") as told:  # noqa: PTH123
                children += map(int, told.read().split())
    return children


def _children_of_all() -> Callable[[int], list[int]]:
    """Collect the children of every process, where Linux keeps no lists of them."""
    children: dict[int, list[int]] = {}
    with contextlib.suppress(OSError):
        for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208
            with contextlib.suppress(OSError, ValueError), open(f"/proc/{name}/stat") as told:  # noqa: PTH123
                children.setdefault(int(told.read().rpartition(")")[2].split()[1]), []).append(int(name))
    return lambda number: children.get(number, [])


def uses_more(family: Sequence[int], memory: float) -> bool:
    """Whether processes use more bytes than they may; what they share is counted once."""
    own = [_pages(number) for number in family]
    # Pages that were copied on a fork and not written to since count for each process here.
    return sum(own) > memory and sum(map(_proportional, family, own)) > memory


def _pages(number: int) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{number}/statm") as told:  # noqa: PTH123
        fields = told.read().split()
        return (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _proportional(number: int, otherwise: int) -> int:
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{number}/smaps_rollup") as told:  # noqa: PTH123
        for line in told:
            if line.startswith("Pss_Anon:"):
                return int(line.split()[1]) * 1024
    return otherwise


def _end_all(child: int, grace: float) -> None:
    """Ask all that is left to end, then end it; where the system does not list it, the group of `child`."""
    if _signal(child, signal.SIGTERM) and grace:
        deadline = time.monotonic() + grace
        while _left(child) and time.monotonic() < deadline:
            time.sleep(0.005)
    deadline = time.monotonic() + PATIENCE
    while _left(child) and time.monotonic() < deadline:
        # Stopped first: what starts others as fast as it is ended starts none while it stands still.
        _signal(child, signal.SIGSTOP)
        _signal(child, signal.SIGKILL)
        time.sleep(0.002)


def _left(child: int) -> bool:
    _reaped(child)
    try:
        os.killpg(child, 0)
    except OSError:
        return bool(below(os.getpid()))
    return True


def _signal(child: int, number: int) -> bool:
    """Send a signal to the group of `child` and to every descendant and its group; whether there was one."""
    own = os.getpgrp()
    groups, descendants = {child}, below(os.getpid())
    for descendant in descendants:
        with contextlib.suppress(OSError):
            groups.add(os.getpgid(descendant))
    reached = False
    for group in groups - {own}:
        with contextlib.suppress(OSError):
            os.killpg(group, number)
            reached = True
    for descendant in descendants:
        with contextlib.suppress(OSError):
            os.kill(descendant, number)
            reached = True
    return reached


if __name__ == "__main__":
    main()
