"""What a rule did, as an `xarray.Dataset` over the dimension `step`.

    trace        run a rule, or a list of rules, over a stream or a landscape
    understand, run_whole
                 the same in two steps: what is asked, checked; and run
    run_in_blocks, write
                 a long one: run some steps at a time, written to zarr as they come
    again        run a saved trace again
    recorded     the trace of a run that was made elsewhere
    save, load, check_save
                 traces on disk; the name to save one under refused beforehand

It knows no drawing and no framework.
"""

from mhat.traces.door import again, run_in_blocks, run_whole, trace, understand
from mhat.traces.files import check_save, load, save
from mhat.traces.run import recorded
from mhat.traces.streaming import write

__all__ = [
    "again", "check_save", "load", "recorded", "run_in_blocks", "run_whole", "save", "trace", "understand", "write",
]  # fmt: skip
