"""In which arithmetic a subject computes inside, though it is driven and answers in another: found by driving it.

A difference in a gradient that a small type cannot hold is lost in it. Where what a subject does, does not change with
such differences, and does with great ones, it computes in that type. It knows no rule by name, and no mistake.
"""

from __future__ import annotations

import io
import token
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mhat.checks.acceptance import sorted_forms
from mhat.checks.gradients import tensors_of
from mhat.checks.matrices.orthogonals import has_orthogonal
from mhat.checks.question import Question
from mhat.dtypes import DTYPES
from mhat.engines.small import numpy_dtype
from mhat.errors import SubjectError, SubjectHangs
from mhat.language.source import SourceText
from mhat.subjects.subject import Subject

Array = np.ndarray[Any, Any]
INSIDE = "it computes in {} inside: it is judged to the rounding of that type"
# Long enough for a rule that waits some steps before it moves.
STEPS, COORDINATES, SEED = 8, 24, 29
# Small gradients and large ones; the last ones are larger, so that they are most of what is remembered.
SIZES, LAST = (0.03, 1.0), 20.0
# By what the last gradient is multiplied: a great difference, one that bfloat16 mostly loses, one that float16 loses
# too, and one that float32 loses.
GREAT, COARSE, SMALL, FINE = 3.0, 1 + 2.0**-9, 1 + 2.0**-15, 1 + 2.0**-30
# The share of coordinates that must see a great difference, and of them the share that is blind to a small one.
SEEN, BLIND = 0.3, 0.6
# What types are called in code; a lone number or state that is kept in one of them is seen no other way.
CALLED = {
    "float32": ("float32", "single", "fp32", "f32", "jax", "jnp"),
    "float16": ("float16", "half", "fp16", "f16"),
    "bfloat16": ("bfloat16", "bf16"),
}


def inside(subject: Subject, knobs: Mapping[str, float]) -> Subject:
    """Give a subject as one of the type in which it computes inside, and say so in its notes; itself if in its own."""
    if DTYPES[subject.dtype].small:
        return subject
    try:
        dtype = _found(subject, {name: value for name, value in knobs.items() if name in subject.knobs})
    except SubjectHangs:
        raise
    except SubjectError:
        return subject
    return subject if dtype in (None, subject.dtype) else computing_in(subject, str(dtype))


def computing_in(subject: Subject, dtype: str) -> Subject:
    """Give a subject as one that computes in a type, and say so in its notes."""
    return replace(subject, dtype=dtype, notes=(*subject.notes, INSIDE.format(dtype)))


def spoken_types(subject: Subject) -> Iterator[str]:
    """Yield the types, smaller than that of a subject, of which its code speaks outside of comments and strings."""
    if subject.source is None or subject.dtype != "float64":
        return
    words = _words(subject.source)
    yield from (dtype for dtype, called in CALLED.items() if not words.isdisjoint(called))


def as_computed(questions: Sequence[Question]) -> list[Question]:
    """Ask about a subject in the arithmetic in which it computes inside, where it follows none of the rules nearly."""
    first = questions[0]
    if first.recorded is not None or first.observe not in ("x", "update") or any(map(_is_near, questions)):
        return list(questions)
    subject = inside(first.subject, {**first.subject.defaults, **first.held})
    # What is made orthogonal in few digits is held to these there alone.
    few = DTYPES[subject.dtype].small
    return [
        question if few and has_orthogonal(question.rule) else in_arithmetic(question, subject)
        for question in questions
    ]


def in_arithmetic(question: Question, subject: Subject) -> Question:
    """Ask about the same subject in another arithmetic."""
    return question if subject is question.subject else replace(question, subject=subject)


def _is_near(question: Question) -> bool:
    forms = (form for _, form in sorted_forms(question.rule, True)[0])
    return any(question.matcher.agreed(form.tree) == question.matcher.steps for form in forms)


def _found(subject: Subject, knobs: Mapping[str, float]) -> str | None:
    """Give the type that loses what a subject loses; None where nothing tells it."""
    count, wide = tensors_of(subject), COORDINATES if subject.vectors else COORDINATES // 2
    rng = np.random.Generator(np.random.PCG64(SEED))
    sizes = np.resize(SIZES, wide) * rng.uniform(0.5, 2.0, size=wide)
    streams = sizes * rng.uniform(0.5, 1.5, size=(STEPS, count, wide)) * rng.choice((-1.0, 1.0), (STEPS, count, wide))
    streams[-1] *= LAST

    def moved(by: float) -> Array:
        changed = streams.copy()
        changed[-1] *= by
        return np.stack(subject.run([changed[:, k] for k in range(count)], 0.0, knobs), axis=1)

    plain = moved(1.0)
    seen = moved(GREAT)[-1] != plain[-1]
    halves = [slice(i, None, len(SIZES)) for i in range(len(SIZES))]
    if any(seen[:, half].mean() < SEEN for half in halves) or not np.isfinite(plain).all():
        return None

    def blind(by: float) -> tuple[float, float]:
        """Give the least and the greatest share that does not see a difference, of small gradients and of large ones.

        A type loses digits of any number alike; what is rounded to so many behind the point loses those of small ones.
        """
        unseen = moved(by)[-1] == plain[-1]
        shares = [float(unseen[:, half][seen[:, half]].mean()) for half in halves]
        return min(shares), max(shares)

    if blind(FINE)[0] < BLIND:
        return None
    least, most = blind(SMALL)
    if most < 1 - BLIND:
        return "float32"
    if least < BLIND:
        return None
    held = [dtype for dtype in ("bfloat16", "float16", "float32") if _all_in(plain, dtype)]
    if subject.begins or (held and held[0] != "float32"):
        # Beside where it starts, what a type can hold of a step is coarser than of what went into it.
        return held[0] if held else None
    least, most = blind(COARSE)
    return "bfloat16" if least > BLIND else "float16" if most < BLIND else None


def _all_in(values: Array, dtype: str) -> bool:
    """Whether all values are numbers of a type."""
    with np.errstate(all="ignore"):
        return bool(np.array_equal(values.astype(numpy_dtype(dtype)).astype(np.float64), values))


def _words(source: SourceText) -> set[str]:
    """Give the names that a text reads, without what stands in its comments and longer strings."""
    found = set()
    try:
        for each in tokenize.generate_tokens(io.StringIO(source.text).readline):
            if each.type in (token.NAME, token.STRING):
                # A name of a type is often a string of its own: dtype="float16".
                found.add(each.string.strip("'\""))
    except (tokenize.TokenError, SyntaxError):
        pass
    return found
