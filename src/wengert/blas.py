"""Which matrix kernels NumPy's linear algebra takes, decided before NumPy is loaded.

OpenBLAS, which NumPy's wheels bring, chooses its kernels when it loads. On AMD processors
with AVX-512 it takes those for AVX2; the AVX-512 ones multiply the matrices of small
networks in about two thirds of the time (measured on Zen 5). They are asked for by an
environment variable, which is taken back once NumPy is there. Where NumPy is loaded
already, or the variable is set, or the processor is another, nothing is done.
"""

from __future__ import annotations

import os
import sys

VARIABLE = "OPENBLAS_CORETYPE"
NEEDED = {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}


def wants_avx512() -> bool:
    """Whether this is an AMD processor with AVX-512, as far as the system tells."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            first = file.read(4096)
    except OSError:
        return False
    if "AuthenticAMD" not in first:
        return False
    flags = next((line for line in first.splitlines() if line.startswith("flags")), "")
    return set(flags.split()) >= NEEDED


def load_numpy() -> None:
    """Load NumPy with the quicker kernels, if there is a choice."""
    chosen = "numpy" not in sys.modules and VARIABLE not in os.environ
    chosen = chosen and wants_avx512()
    if chosen:
        os.environ[VARIABLE] = "SkylakeX"
    import numpy  # noqa: F401 (loading it is the purpose)

    if chosen:
        del os.environ[VARIABLE]


load_numpy()
