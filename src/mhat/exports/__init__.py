"""A rule as a file of its own in another language, which needs no mhat: readable, complete, checked. It knows no
verb and no command line.

    export        what a language is here: ending, what it cannot say, and who writes it
    settings      a rule with other defaults
    heading       what every file says of itself: rule, paper, what checked it, first steps with their numbers
    arrays        what files on arrays have in common: numbers of the step apart from tensors
    displacements what a rule adds to x, for those who are to add it themselves
    numpy ...     one language a file
    helpers       functions that files of a language carry along, one language a file

`EXPORTS` lists them. A new language is one file here and one entry.
"""

from mhat.exports.catalogue import EXPORTS, export
from mhat.exports.export import Export

__all__ = ["EXPORTS", "Export", "export"]
