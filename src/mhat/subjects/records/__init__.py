"""What somebody else has written down: gradients and parameters of a run. It knows no subject, for none can be driven.

record     what a record holds, and how one is read
tables     a row a number, or a row a step
arrays     arrays with the steps first
columns    which of somebody's columns are gradients, parameters, knobs
digits     how far a number that was written down may lie from what it was
"""

from mhat.subjects.records.reading import record_of
from mhat.subjects.records.record import Record

__all__ = ["Record", "record_of"]
