"""Python -OO keeps no docstrings and no assertions: mhat works without them."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import mhat
assert False
print(mhat.check("sgd", "sgd").conforms, mhat.check("sgd", "adam").conforms)
print(float(mhat.trace("adam", "constant:10", steps=2).ratio[-1]) > 0.99)
print(mhat.rules.adam.doc.split(",")[0])
print(mhat.ops.OPERATIONS["clip"].sentence)
try:
    mhat.rule("def f(x): return clip(x)")
except mhat.MhatError as error:
    print(error)
"""


def test_a_check_and_a_trace_and_a_refusal() -> None:
    command = [sys.executable, "-OO", "-W", "error", "-c", CODE]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.splitlines() == [
        "True False",
        "True",
        "Divide the average gradient by its typical size",
        "clip(x, low, high).",
        "<rule>, line 1: `clip` is called with 1 argument",
        "    def f(x): return clip(x)",
        "                     ^^^^^^^",
        "clip takes 3: clip(x, low, high).",
    ]
