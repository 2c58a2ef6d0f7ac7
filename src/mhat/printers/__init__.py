"""From a rule to text in another language, one file a language. They know no numbers: a printer neither
simplifies nor evaluates.

    python      a rule as the source of the rule language: printed and parsed again it is the same tree
    latex       a rule as papers print it, and names for legends
    mathml      a rule as pages print it, in the formulas of browsers
    kernel      expressions of the Python that Numba compiles
    triton      expressions of the Python that Triton compiles, and its functions
    html        a rule as notebooks show it: highlighted code, and the formulas beneath
    numpy torch keras  expressions on arrays, for files that need no mhat
    jax         the same, where nothing may ask for the truth of a number
    c rust      expressions in two precisions, for the same
    scalars     numbers of the step in such files
    base        what printers share: one method or one table entry an operation, brackets by precedence

`PRINTERS` lists one printer a language; a shared test asks each of them to print every operation.
"""

from mhat.printers.base import MissingOperationError, Printer
from mhat.printers.c import CPrinter
from mhat.printers.jax import JaxPrinter
from mhat.printers.keras import KerasPrinter
from mhat.printers.kernel import KernelPrinter
from mhat.printers.latex import LatexPrinter
from mhat.printers.mathml import MathmlPrinter
from mhat.printers.numpy import NumpyPrinter
from mhat.printers.python import PythonPrinter
from mhat.printers.rust import RustPrinter
from mhat.printers.torch import TorchPrinter
from mhat.printers.triton import TritonPrinter

PRINTERS: dict[str, Printer] = {
    "python": PythonPrinter(),
    "latex": LatexPrinter(),
    "kernel": KernelPrinter(),
    "mathml": MathmlPrinter(),
    "numpy": NumpyPrinter(),
    "jax": JaxPrinter(),
    "torch": TorchPrinter(),
    "keras": KerasPrinter(),
    "c": CPrinter(),
    "rust": RustPrinter(),
    "triton": TritonPrinter(),
}

__all__ = [
    "PRINTERS", "CPrinter", "JaxPrinter", "KerasPrinter", "KernelPrinter", "LatexPrinter", "MathmlPrinter",
    "MissingOperationError", "NumpyPrinter", "Printer", "PythonPrinter", "RustPrinter", "TorchPrinter", "TritonPrinter",
]  # fmt: skip
