"""Cases to be named from outside: slips written down without a look at the search, one, two and three at a time."""

from benchmarks.cases.outside.tables import SETS, Outside, outside_cases

__all__ = ["SETS", "Outside", "outside_cases"]
