"""Know whether an implementation is right, and what it does: its verdict, its name, its pseudo code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from pathlib import Path

    from mhat.checks.comparison import Comparison
    from mhat.checks.schedules.verdict import ScheduleVerdict
    from mhat.checks.verdict import Verdict
    from mhat.reading.reading import Reading
    from mhat.trials import Trials


def check(
    subject: Any = None,
    against: Any = None,
    *,
    observe: str | None = None,
    strict: bool = False,
    dialects: bool | str | Sequence[str] = True,
    maximize: bool = False,
    seconds: float = 45.0,
    dtype: str | None = None,
    feed: str | None = None,
    read: str | None = None,
    command: str | None = None,
    recorded: str | Path | None = None,
    tensors: int | None = None,
    timeout: float | None = None,
    memory: float | None = None,
    in_process: bool = False,
    explain: bool = False,
    fix: bool = False,
    write: bool = False,
    convention: str | None = None,
    columns: Mapping[str, str] | None = None,
    knobs: Mapping[str, Any] | None = None,
    **more: Any,
) -> Verdict:
    """Check an implementation against a rule: does it conform, and if not, which line is wrong.

    `subject`: a function `run(gradients) -> parameters` (shapes (T,) or (T, n)), a class with a step method, a
    rule, a torch optimizer class, an optax transformation, a Keras optimizer, or a name of one (`"mine.py:my_adam"`,
    `"torch.optim:Adam"`); with `feed` and `read` a script, of which one name is fed and one read. In its place:
    `command`, a command line that speaks JSON lines, driven with `tensors` tensors at once; or `recorded`, the file of
    a run. `against`: the rule it claims to be; None: the one that its name claims (MyAdamW is adamw), else it is
    identified among the library's; the verdict's notes say which. `observe`: what it returns: "x", the "update", or
    a variable of the rule. Knobs given are held; others that the subject takes are varied, and those it hides are
    estimated, unless `strict`. `dialects`: which documented other forms conform, too: a name or a list of names; True:
    all that decay alike, and none if `strict`; False: none. `maximize`: it climbs. `seconds` limits the search for the
    mistake, `timeout` each run of it, `memory` (GB; half of what there is) its process. What is named by text runs in a
    process of its own, unless `in_process`; a thing of yours runs where it is. `explain`: say also what becomes of the
    mistake (`verdict.why`). `fix`: where it deviates, look, for as long as `seconds`, for a change of the file that it
    stands in with which the same check passes (`verdict.fix`: its `diff`, or the `reason` why there is none); `write`:
    change the file so, and keep it as it was beside it, as NAME.py.orig (`verdict.fix.kept`).
    `convention`: how code is called that was not written for mhat, if what is found out (the notes say) is not meant.
    `columns`: in a record whose names are not the usual ones, what stands where: {"g": "grad_w0", "x": "w0"}.
    Keywords that are no knobs of the rule are options of the subject's constructor; a knob with the name of an argument
    stands in `knobs={...}`.

    Raises SubjectError if the subject fails, UnknownName, BadValue, InputFileError.

    >>> import mhat, numpy as np
    >>> def my_sgd(gradients, lr=0.1):
    ...     return -lr * np.cumsum(gradients, axis=0)
    >>> verdict = mhat.check(my_sgd)
    >>> verdict.conforms, verdict.against
    (True, 'sgd')
    """
    from mhat.inquiry import Manner, judge, parties

    (party,) = parties([subject], command=command, recorded=recorded, feed=feed, read=read)
    manner = Manner(
        "check",
        observe,
        strict,
        maximize,
        seconds,
        dtype,
        tensors,
        timeout,
        memory,
        in_process,
        convention,
        columns,
        dialects,
    )
    verdict = judge(party, against, manner, more, knobs)
    if fix or write:
        from mhat import mending

        verdict = mending.mend(verdict, party, manner, more, knobs, write=write)
    return verdict.explained() if explain else verdict


def check_schedule(
    schedule: Any,
    against: Any = None,
    *,
    steps: int | None = None,
    first: int | None = None,
    timeout: float | None = None,
    memory: float | None = None,
    in_process: bool = False,
    options: Mapping[str, Any] | None = None,
    **more: Any,
) -> ScheduleVerdict:
    """Check a scheduler, seen as steps in and rates out: which schedule is it, or is it the one that is meant.

    `schedule`: a function of the step number, a class or generator that gives one rate a step, an LRScheduler of torch
    or a function that makes one of an optimizer, a LearningRateSchedule of Keras, a schedule of optax, one of
    `mhat.schedules`; a name (`"mine.py:my_schedule"`, `"torch.optim.lr_scheduler:StepLR"`); or rates, one a step: a
    list, an array, a file (`"rates.csv"`). `against`: what it is meant to be, a schedule or its text
    (`"warmup_cosine:1e-3,warmup=10,steps=100"`); None: it is only recognised. `steps`: how many the training has (as
    many as show all of it). `first`: the number that a function is called with at the first step (0, or 1 where it says
    so). Other keywords, and `options={...}`, go to the scheduler: `T_max=100`; `lr` is the rate of the optimizer that
    one of torch is given.

    Raises SubjectError if it fails, UnknownName, BadValue, InputFileError.

    >>> import mhat
    >>> verdict = mhat.check_schedule(lambda step: 1e-3 * min(1, step / 10), "warmup_constant:1e-3,warmup=10")
    >>> verdict.conforms, verdict.slips
    (False, ('every rate comes 1 step late: the first step is counted as 0, and should be as 1',))
    """
    from mhat import rates

    return rates.check_schedule(
        schedule, against, steps=steps, first=first, options={**more, **(options or {})}, timeout=timeout,
        memory=memory, in_process=in_process,
    )  # fmt: skip


def read(
    subject: Any,
    *,
    dtype: str | None = None,
    feed: str | None = None,
    read: str | None = None,
    timeout: float | None = None,
    memory: float | None = None,
    in_process: bool = False,
    knobs: Mapping[str, Any] | None = None,
    **more: Any,
) -> Reading:
    """Read the pseudo code of what an implementation does: some of its steps are recorded and folded into a rule.

    Takes subjects as `check` does, but no commands and records. Knobs given are held, other keywords are options of its
    constructor. The reading has the `rule` (None where nothing could be folded), `lines` with the places that they
    came from, `complete` (the rule does what the subject does, on all streams of `agreement`) and `notes` (what could
    not be read, and where). Raises SubjectError if the subject does not run, UnknownName, BadValue, InputFileError.

    >>> import mhat, numpy as np
    >>> def slow(gradients, lr=0.1):
    ...     x, path = 0.0, []
    ...     for g in gradients:
    ...         x = x - lr * g
    ...         path.append(x)
    ...     return np.array(path)
    >>> mhat.read(slow).complete
    True
    """
    from mhat import inquiry

    (party,) = inquiry.parties([subject], feed=feed, read=read)
    manner = inquiry.Manner("read", dtype=dtype, timeout=timeout, memory=memory, in_process=in_process)
    return inquiry.read(party, manner, more, knobs)


def identify(
    subject: Any = None,
    *,
    observe: str | None = None,
    maximize: bool = False,
    seconds: float = 90.0,
    dtype: str | None = None,
    feed: str | None = None,
    read: str | None = None,
    command: str | None = None,
    recorded: str | Path | None = None,
    tensors: int | None = None,
    timeout: float | None = None,
    memory: float | None = None,
    in_process: bool = False,
    explain: bool = False,
    convention: str | None = None,
    columns: Mapping[str, str] | None = None,
    knobs: Mapping[str, Any] | None = None,
    **more: Any,
) -> Verdict:
    """Find out which rule of the library an implementation is, with which knobs, and which edits.

    The verdict's `against` names the rule. Takes subjects and raises as `check` does. Keywords that are knobs of
    no rule in the library are options of the subject's constructor.
    """
    from mhat import inquiry

    (party,) = inquiry.parties([subject], command=command, recorded=recorded, feed=feed, read=read)
    manner = inquiry.Manner(
        "identify",
        observe,
        False,
        maximize,
        seconds,
        dtype,
        tensors,
        timeout,
        memory,
        in_process,
        convention,
        columns,
    )
    verdict = inquiry.identify(party, manner, more, knobs)
    return verdict.explained() if explain else verdict


@overload
def compare(a: Any = None, b: Any = None, *others: Any, train: None = None, **how: Any) -> Comparison: ...


@overload
def compare(a: Any = None, b: Any = None, *others: Any, train: Any, **how: Any) -> Trials: ...


def compare(
    a: Any = None,
    b: Any = None,
    *others: Any,
    observe: str | None = None,
    seconds: float | None = None,
    dtype: str | None = None,
    feed: str | Sequence[str] | None = None,
    read: str | Sequence[str] | None = None,
    command: str | Sequence[str] | None = None,
    recorded: str | Path | Sequence[str | Path] | None = None,
    tensors: int | None = None,
    timeout: float | None = None,
    memory: float | None = None,
    in_process: bool = False,
    convention: str | None = None,
    columns: Mapping[str, str] | None = None,
    train: Any = None,
    seeds: int | None = None,
    tries: int | None = None,
    steps: int | None = None,
    start: Any = None,
    knobs: Mapping[str, Any] | None = None,
    **more: Any,
) -> Comparison | Trials:
    """Compare two implementations: where they part, and why; or, with `train`, how rules train.

    Takes subjects and keywords and raises as `identify` does; a command or a record stands for one of the two, a list
    of them for both. `feed` and `read` serve every script, or are lists in the order of the scripts. Options go to the
    constructors of both.

    `train`: what any number of rules are tried out on: "digits" (a small network that reads handwritten digits;
    "digits:hidden=0": softmax alone), a landscape, a stream whose values x is to follow, or a loss of your own, a
    function of x or its name ("mine.py:loss"), which gives the loss or (loss, gradient) and runs in this process. The
    knobs of each rule, but those given, are tuned by `tries` runs (16), and it runs for `steps` from `seeds` seeds (5);
    `start`: where a landscape or a loss begins (a loss: the default of its argument). Returns Trials, with the medians,
    their spread, the curves, and what they cannot say.

    >>> import mhat
    >>> trials = mhat.compare("sgd", "momentum", train="quadratic", seeds=3, tries=4, steps=20)
    >>> [one.name for one in trials.tried], trials.to_dataset().measured.shape
    (['sgd', 'momentum'], (2, 3, 21))
    """
    from mhat import inquiry

    of_training = {"seeds": seeds, "tries": tries, "steps": steps, "start": start}
    of_judging = {
        "observe": observe, "seconds": seconds, "dtype": dtype, "feed": feed, "read": read, "command": command,
        "recorded": recorded, "tensors": tensors, "timeout": timeout, "memory": memory,
        "in_process": in_process or None, "convention": convention, "columns": columns,
    }  # fmt: skip
    if train is not None:
        _refuse(of_judging, "belongs to a comparison of implementations, and train= tries rules out")
        named = [each for each in (a, b, *others) if each is not None]
        return _tried_out(named, train, of_training, more, knobs)
    _refuse(of_training, "belongs to training", 'Say on what: train="digits".')
    pair = inquiry.parties([a, b, *others], command=command, recorded=recorded, feed=feed, read=read, wanted=2)
    manner = inquiry.Manner(
        "compare",
        observe,
        False,
        False,
        90.0 if seconds is None else seconds,
        dtype,
        tensors,
        timeout,
        memory,
        in_process,
        convention,
        columns,
    )
    return inquiry.compare(pair, manner, more, knobs)


def _refuse(options: Mapping[str, Any], why: str, cure: str = "") -> None:
    """Refuse options of the other question that `compare` answers; raises BadValue."""
    from mhat.errors import BadValue

    for name, value in options.items():
        if value is not None:
            raise BadValue(f"{name}= {why}", cure or f"Leave {name}= out, or train=.")


def _tried_out(
    named: Sequence[Any],
    train: Any,
    options: Mapping[str, Any],
    keywords: Mapping[str, Any],
    mapping: Mapping[str, Any] | None,
) -> Trials:
    """Find the rules and the problem that are meant, and try the rules out."""
    from mhat import trials
    from mhat.errors import BadValue
    from mhat.inquiry import Party
    from mhat.language.settings import knobs_set
    from mhat.names import rule_if_one
    from mhat.progress import line

    rules = []
    for each in named:
        rule = rule_if_one(each)
        if rule is None:
            name = Party(each).name
            raise BadValue(
                f"{name} is no rule, and only rules are trained here", f"`mhat read {name}` writes it as one."
            )
        rules.append((each if isinstance(each, str) and "\n" not in each else rule.name, rule))
    known = {name for _, rule in rules for name in rule.knobs}
    told = {name: value for name, value in options.items() if value is not None}
    held = knobs_set("compare", keywords, mapping, known, {**told, "train": train})
    problem = trials.problem_of(train, told.pop("start", None))
    with line(f"training on {problem.name}") as say:
        return trials.try_out(rules, problem, knobs=held, report=say, **told)
