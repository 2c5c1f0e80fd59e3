"""How the C library hands out the memory of arrays.

glibc gives the memory of large arrays back to the system when they are freed. The next
array of that size is then filled page by page anew, which takes as long as computing
it: gradients for each of 64 samples of a small network take 4.2 ms so and 1.4 ms in
memory that was kept. Up to `KEPT` bytes are kept for what comes next.
"""

from __future__ import annotations

import ctypes
import os
import sys

KEPT = 64 << 20
LARGEST = 32 << 20
"""Larger arrays have memory of their own, which goes back with them: glibc's limit."""

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Names in glibc's malloc.h."""


def keep_freed_memory() -> None:
    """Let freed memory be used again, unless the user has set glibc's own limits."""
    chosen = any(
        name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ
    )
    if chosen or not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGEST)
        mallopt(M_TRIM_THRESHOLD, KEPT)
