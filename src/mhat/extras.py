"""Optional dependencies: imported when they are used, and named with the command that installs them where they lack.

It knows none of them.
"""

from __future__ import annotations

import importlib
from typing import Any

from mhat.errors import MissingExtra


def extra(module: str, name: str, called: str = "", needs: tuple[str, ...] = ()) -> Any:
    """Import `module`, which the extra `name` of mhat installs; `called` is what people call it.

    `needs`: what it cannot do without. Raises MissingExtra where one of them is not installed, or what is installed
    cannot be imported.
    """
    own = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ImportError as error:
        absent = isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in (own, *needs)
        raise MissingExtra(called or own, name, "" if absent else str(error)) from error
