"""Files that do not run to their end here, loaded as far as they go.

    statements  a file, statement by statement, what fails left out
    absent      what stands for an import that fails

It knows no subject.
"""

from mhat.subjects.salvage.statements import salvaged

__all__ = ["salvaged"]
