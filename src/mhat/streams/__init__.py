"""Streams: sequences of gradients, given beforehand.

    Stream, of_array                               gradients with named dimensions; one made of an array
    constant, zeros, ramp, exponential             that keep to one course
    alternating, sine, cycle                       that repeat themselves
    sparse, spike, shift, lottery                  in which something happens
    normal, heavy_tailed, drift, correlated,       of chance, from a seed
    scaled
    from_file                                      from csv, npy, npz, netCDF, parquet, zarr
    named, names, summaries                        by text, as on the command line
    stored_or_named                                the same, what is in a file staying there until it is asked for

It knows no rule and no engine. The members are imported eagerly, so that a name is always the function.
"""

from mhat.streams.catalogue import named, names, stored_or_named, summaries
from mhat.streams.events import lottery, shift, sparse, spike
from mhat.streams.files import from_file
from mhat.streams.noise import correlated, drift, heavy_tailed, normal, scaled
from mhat.streams.repeating import alternating, cycle, sine
from mhat.streams.steady import constant, exponential, ramp, zeros
from mhat.streams.stream import Stream, of_array

__all__ = [
    "Stream", "alternating", "constant", "correlated", "cycle", "drift", "exponential", "from_file", "heavy_tailed",
    "lottery", "named", "names", "normal", "of_array", "ramp", "scaled", "shift", "sine", "sparse", "spike",
    "stored_or_named", "summaries", "zeros",
]  # fmt: skip


def __dir__() -> list[str]:
    return sorted(__all__)
