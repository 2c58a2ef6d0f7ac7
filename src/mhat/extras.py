"""Optional dependencies: imported when they are used, and named with the command that installs them where they lack.

It knows none of them.
"""

from __future__ import annotations

import importlib
from typing import Any

from mhat.errors import MissingExtra


def extra(module: str, name: str, called: str = "") -> Any:
    """Import `module`, which the extra `name` of mhat installs; `called` is what people call it.

    Raises MissingExtra where it is not installed, or what is installed cannot be imported.
    """
    called = called or module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        raise MissingExtra(called, name) from None
    except ImportError as error:
        raise MissingExtra(called, name, str(error)) from error
