"""Exported C and Rust, compiled once for many rules into a library that Python calls. It knows no test.

`-ffp-contract=off` for C; Rust contracts nothing by itself.
"""

from __future__ import annotations

import ctypes
import math
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mhat.exports import EXPORTS, c, export, rust
from mhat.exports.heading import spoken_name
from mhat.exports.values import Kind, state_kinds
from mhat.language import Rule
from mhat.language.tree import EVALUATION

TYPES = {"float64": ("double", "f64", ctypes.c_double), "float32": ("float", "f32", ctypes.c_float)}


def require(program: str) -> None:
    """Skip where a compiler is not installed, and fail there in CI, where it must be."""
    if shutil.which(program) is None:
        assert not os.environ.get("CI"), f"{program} is not installed"
        pytest.skip(f"{program} is not installed")


def able(rules: Sequence[Rule], language: str) -> list[Rule]:
    """Leave out what the language cannot say."""
    return [rule for rule in rules if EXPORTS[language].lacking(rule) is None]


def compiled(rules: Sequence[Rule], language: str, dtype: str, folder: Path) -> ctypes.CDLL:
    """Compile what is exported of many rules, each beside a function that takes its steps."""
    library = folder / f"{language}_{dtype}.so"
    if language == "c":
        require("gcc")
        source = folder / f"all_{dtype}.c"
        source.write_text(_c_text(rules, dtype))
        flags = ["-std=c99", "-O1", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared"]
        command = ["gcc", *flags, "-o", str(library), str(source), "-lm"]
    else:
        require("rustc")
        source = folder / f"all_{dtype}.rs"
        source.write_text(_rust_text(rules, dtype))
        flags = ["--crate-type", "cdylib", "-C", "opt-level=1", "-C", "panic=abort", "-D", "warnings"]
        command = ["rustc", *flags, "--crate-name", f"all_{dtype}", "-o", str(library), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:6000]
    return ctypes.CDLL(str(library))


def command(rules: Sequence[Rule], folder: Path) -> Path:
    """Compile exported C to a command that speaks JSON lines; its argument chooses the rule."""
    require("gcc")
    entries = [
        f'    {{"{rule.name}", run_{rule.name}, {len(rule.knobs)}, {{{", ".join(map(_quoted, rule.knobs))}}}}},'
        for rule in rules
    ]
    run = "const double *, size_t, size_t, const double *, const double *, double *, double *, double"
    parts = [
        _c_text(rules, "float64"),
        f"struct entry {{ const char *name; void (*run)({run}); int count; const char *knobs[64]; }};",
        "static const struct entry entries[] = {", *entries, "    {0},", "};",
        (Path(__file__).parent / "main.c").read_text(encoding="utf-8"),
    ]  # fmt: skip
    source, program = folder / "command.c", folder / "command"
    source.write_text("\n".join(parts))
    flags = ["-std=c99", "-O1", "-ffp-contract=off"]
    done = subprocess.run(["gcc", *flags, "-o", str(program), str(source), "-lm"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:6000]
    return program


def _quoted(text: str) -> str:
    return f'"{text}"'


def subject(library: ctypes.CDLL, rule: Rule, dtype: str) -> Callable[..., np.ndarray]:
    """Give a function of gradients, a start and knobs, as `mhat check` asks for it."""
    kind = TYPES[dtype][2]
    function = getattr(library, f"run_{rule.name}")
    function.restype = None

    def run(gradients: Any, start: Any = 0.0, others: Any = None, loss: float = 0.0, **knobs: float) -> np.ndarray:
        g = np.ascontiguousarray(gradients, dtype=dtype)
        x = np.ascontiguousarray(np.broadcast_to(np.asarray(start, dtype=dtype), g.shape[1:])).copy()
        out = np.empty(g.shape, dtype=dtype)
        size = max(int(np.prod(g.shape[1:])), 1)
        told = [knobs.get(name, math.nan) for name in rule.knobs]
        h = np.ascontiguousarray(np.zeros_like(g) if others is None else others, dtype=dtype)
        function(
            (ctypes.c_double * max(len(told), 1))(*told), ctypes.c_size_t(len(g)), ctypes.c_size_t(size),
            *(array.ctypes.data_as(ctypes.POINTER(kind)) for array in (g, h, x, out)), ctypes.c_double(loss),
        )  # fmt: skip
        return out

    return run


def _given(rule: Rule, h: str) -> str:
    loss = ", loss" if "loss" in rule.tree.inputs else ""
    return loss + (f", {h}" if "h" in rule.tree.inputs else "")


def _c_text(rules: Sequence[Rule], dtype: str) -> str:
    parts = [f"#define REAL {TYPES[dtype][0]}", "#include <stdlib.h>", "#include <string.h>"]
    for rule in rules:
        name, kinds = rule.name, state_kinds(rule)
        arrays = [c.field(state) for state, kind in kinds.items() if kind == Kind.EACH]
        arrays += [EVALUATION] if EVALUATION in rule.variables else []
        told = [f"    if (!isnan(knobs[{i}])) k.{c.field(knob)} = knobs[{i}];" for i, knob in enumerate(rule.knobs)]
        parts += [
            export(rule, "c"),
            f"void run_{name}(const double *knobs, size_t steps, size_t n, const REAL *g, const REAL *h, REAL *x,",
            "        REAL *out, double loss) {",
            "    (void)h, (void)loss, (void)knobs;",
            f"    struct {name}_state s = {{0}};",
            *(f"    s.{array} = calloc(n, sizeof(REAL));" for array in arrays),
            *([f"    struct {name}_knobs k = {name}_defaults;"] if rule.knobs else []),
            *told,
            "    for (size_t i = 0; i < steps; i++) {",
            f"        {name}_step(&s, {'&k, ' if rule.knobs else ''}n, x, g + i * n{_given(rule, 'h + i * n')});",
            "        memcpy(out + i * n, x, n * sizeof(REAL));",
            "    }",
            *(f"    free(s.{array});" for array in arrays),
            "}",
        ]
    return "\n".join(parts) + "\n"


def _rust_text(rules: Sequence[Rule], dtype: str) -> str:
    real = TYPES[dtype][1]
    parts = ["#![allow(clippy::all)]"]
    for rule in rules:
        text = export(rule, "rust").replace("pub type Real = f64;", f"pub type Real = {real};")
        name, kind = rule.name, spoken_name(rule)
        wrapped = ["{}" if knob.expression is None else "Some({})" for knob in rule.tree.knobs]
        values = [f"*knobs.add({i})" for i in range(len(rule.knobs))]
        told = [
            f"    if !(*knobs.add({i})).is_nan() {{ rule.{rust.field(knob)} = {wrapped[i].format(values[i])}; }}"
            for i, knob in enumerate(rule.knobs)
        ]
        parts += [
            f"pub mod {name} {{",
            text,
            "}",
            "/// Take steps.",
            "/// # Safety",
            "/// The pointers must be good.",
            "#[no_mangle]",
            f'pub unsafe extern "C" fn run_{name}(knobs: *const f64, steps: usize, n: usize, g: *const {real}, '
            f"h: *const {real}, x: *mut {real}, out: *mut {real}, loss: f64) {{",
            "    let _ = (knobs, loss);",
            f"    let mut rule = {name}::{kind}::default();",
            *told,
            "    let x = std::slice::from_raw_parts_mut(x, n);",
            "    for i in 0..steps {",
            "        let g = std::slice::from_raw_parts(g.add(i * n), n);",
            "        let h = std::slice::from_raw_parts(h.add(i * n), n);",
            "        let _ = h;",
            f"        rule.step(x, g{_given(rule, 'h')});",
            "        std::slice::from_raw_parts_mut(out.add(i * n), n).copy_from_slice(x);",
            "    }",
            "}",
        ]
    return "\n".join(parts) + "\n"
