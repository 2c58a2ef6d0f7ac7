"""Every rule of the library once more, from its formula and in NumPy, a file a family."""

from tests.rules.references import (
    adam,
    averaging,
    factored,
    history,
    memory,
    norm,
    plain,
    rate_free,
    sign,
    variance,
)
from tests.rules.references.shared import REFERENCES, Array

__all__ = [
    "REFERENCES",
    "Array",
    "adam",
    "averaging",
    "factored",
    "history",
    "memory",
    "norm",
    "plain",
    "rate_free",
    "sign",
    "variance",
]
