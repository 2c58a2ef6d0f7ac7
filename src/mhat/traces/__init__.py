"""What a rule did, as an `xarray.Dataset` over the dimension `step`.

    trace        run a rule over a stream or a landscape
    run_in_blocks, write
                 a long one: run some steps at a time, written to zarr as they come
    understand   what is asked of a trace, checked: what run_in_blocks takes
    again        run a saved trace again
    recorded     the trace of a run that was made elsewhere
    save, load, check_save
                 traces on disk; the name to save one under refused beforehand

It knows no drawing and no framework.
"""

from mhat.traces.files import check_save, load, save
from mhat.traces.request import understand
from mhat.traces.run import again, recorded, trace
from mhat.traces.streaming import run_in_blocks, write

__all__ = [
    "again", "check_save", "load", "recorded", "run_in_blocks", "save", "trace", "understand", "write",
]  # fmt: skip
