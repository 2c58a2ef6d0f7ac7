"""What a rule did, as an `xarray.Dataset` over the dimension `step`.

    trace        run a rule over a stream or a landscape
    again        run a saved trace again
    recorded     the trace of a run that was made elsewhere
    save, load   traces on disk; check_output refuses before anything is computed

It knows no drawing and no framework.
"""

from mhat.traces.files import check_output, load, save
from mhat.traces.run import again, recorded, trace

__all__ = ["again", "check_output", "load", "recorded", "save", "trace"]
