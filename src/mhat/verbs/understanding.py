"""Know why a rule moves so, and what it is elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mhat.conversions import Conversion
    from mhat.explanations.explanation import Explanation
    from mhat.writing.passages import Passage


def explain(
    rule: Any,
    stream: Any = None,
    *,
    why: str | None = None,
    seconds: float = 90.0,
    each: Callable[[Iterable[Passage]], None] | None = None,
    in_full: bool = False,
    knobs: Mapping[str, Any] | None = None,
    **more: Any,
) -> Explanation:
    """Explain why a rule moves as it moves: claims in words and numbers, each with its evidence.

    `rule`: a rule, a function written as one, or a name; an implementation that is no rule (`"mine.py:my_adam"`) is
    identified first, for `seconds` at most, and the rule that it is found to be is explained. `stream`: a stream or a
    landscape, or its name: then it is about this rule on that. `why`: one of the questions that `mhat explain
    --questions` lists, by its number or some of its words: then it is about that. `each`: a function that sees every
    section as it is made. `in_full`: all numbers, and in what `each` sees all evidence. A knob with the name of an
    argument stands in `knobs={...}`.

    Every claim is proved by symbols or from the tree, refuted by the smallest gradients, tested on streams, or computed
    by runs that anyone can repeat, and says which; `mhat.explanations.evidence.seen_again` repeats its evidence.

    Raises UnknownName, BadValue, InputFileError, LanguageError, SubjectError.

    >>> import mhat
    >>> explanation = mhat.explain("sgd")
    >>> print(explanation.claims[0].sentence)
    x moves against the gradient, by `lr` = 0.01 times it.
    """
    from mhat import inquiry

    manner = inquiry.Manner("explain", seconds=seconds)
    return inquiry.explain(rule, stream, manner, more, knobs, why=why, each=each, in_full=in_full)


def convert(
    rule: str,
    *,
    from_: str | None = None,
    to: str | None = None,
    measure: bool = True,
    timeout: float | None = None,
    knobs: Mapping[str, Any] | None = None,
    **more: Any,
) -> Conversion:
    """Convert an optimizer to another framework: the lines to paste, or what cannot be the same and by how much.

    `rule`: a rule ("adam") or what the framework calls it ("RMSprop", "keras.optimizers.Adam"). `from_` and `to`:
    torch, optax, keras, tensorflow (`tf.compat.v1`), sklearn or numpy (mhat itself). Knobs as the source spells them,
    or as mhat does, as keywords or in `knobs={...}`; what is not told is as the source has it by default. Where
    both are installed the real optimizers are driven side by side, each no longer than `timeout` seconds, unless
    `measure` is False; else what is said is computed from the pseudo code of both.

    Returns a Conversion: `answer` ("exact", "conditional", "different", "absent"), `lines`, `knobs`, `conditions`,
    `measured`, `to_json()`. Raises UnknownName for a rule, framework or knob that there is not, BadValue for numbers
    that cannot be.

    >>> import mhat
    >>> conversion = mhat.convert("rmsprop", from_="torch", to="optax", measure=False)
    >>> conversion.answer
    'exact'
    >>> print(conversion.lines)
    optimizer = optax.rmsprop(learning_rate=0.01, decay=0.99, eps_in_sqrt=False)
    """
    from mhat import conversions
    from mhat.language.settings import knobs_set

    told = knobs_set("convert", more, knobs, (), {})
    limit = {} if timeout is None else {"limit": timeout}
    return conversions.convert(rule, from_, to, told, measure=measure, **limit)
