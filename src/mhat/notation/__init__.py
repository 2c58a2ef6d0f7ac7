"""How things are written in text, for people and for machines.

    Call, parse, arguments, call, read_number,     `name:value,key=value`, which names streams and landscapes,
    recipe, written, summary                       read, called, and written again
    cut                                            a text cut to what a message has room for
    number, positive, between, whole, count_steps  values of arguments, checked
    decimals                                       numbers for people: exact, brief, told apart
    strict_json                                    data as JSON that every language reads: "nan", "inf" and "-inf"

It knows no array, no stream, no rule and no drawing.
"""

from mhat.notation.bounds import MOST_STEPS, between, count_steps, number, positive, whole
from mhat.notation.specs import Call, arguments, call, cut, parse, read_number, recipe, summary, written

__all__ = [
    "MOST_STEPS", "Call", "arguments", "between", "call", "count_steps", "cut", "number", "parse", "positive",
    "read_number", "recipe", "summary", "whole", "written",
]  # fmt: skip
