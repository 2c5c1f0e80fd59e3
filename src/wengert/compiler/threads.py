"""The native runtime of this process: loaded once, with its worker threads.

How many threads work is `WENGERT_NUM_THREADS` or `OMP_NUM_THREADS` where set, else the
number of CPUs that this process may use: its affinity, and its cgroup's quota.
"""

from __future__ import annotations

import ctypes
import functools
import math
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

from . import llvm
from .runtime import runtime_ir

_SPINS = 8000  # some 150 us: as long as Python takes between two replays
_WORST = -2_000_000  # ns: how far a balance falls, so lone runs last 64 ms at most


def available_cpus() -> int:
    """CPUs that this process may use, by affinity and by cgroup quota."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    return max(1, math.ceil(min(count, _cgroup_quota())))


def _cgroup_quota() -> float:
    """The CPUs that this process's cgroup grants (version 2, then 1); or infinity."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return math.inf if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        pass
    try:
        base = Path("/sys/fs/cgroup/cpu")
        granted = int((base / "cpu.cfs_quota_us").read_text())
        every = int((base / "cpu.cfs_period_us").read_text())
        return granted / every if granted > 0 else math.inf
    except (OSError, ValueError):
        return math.inf


def wanted_threads() -> int:
    for name in ("WENGERT_NUM_THREADS", "OMP_NUM_THREADS"):
        value = os.environ.get(name, "")
        if value.isdigit() and int(value) > 0:
            return int(value)
    return available_cpus()


class Runtime:
    """The functions of `runtime`, as Python callables; and the threads' number."""

    def __init__(self) -> None:
        names = ["prepare", "run", "replay", "enter", "batched"]
        names += ["start_workers", "forget_workers"]
        ir = runtime_text()
        self.addresses = llvm.compile_module(ir, names, finished=True)
        word, address, thing = ctypes.c_int64, ctypes.c_void_p, ctypes.py_object
        self.prepare = self._function("prepare", word, address, thing, thing)
        self.enter = self._function("enter", word, address, thing, thing)
        self.replay = self._function("replay", word, address, address)
        self.run = self._function("run", word, address, address, word, ctypes.c_bool)
        self._start = self._function("start_workers", word, word)
        self._forget = self._function("forget_workers", None)
        self.threads = 1
        self.use_threads(wanted_threads())
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)

    def _function(self, name: str, result: Any, *arguments: Any) -> Any:
        # a CFUNCTYPE call releases the interpreter lock
        return ctypes.CFUNCTYPE(result, *arguments)(self.addresses[name])

    def use_threads(self, count: int) -> None:
        """Have at least ``count`` threads (the caller's included)."""
        if sys.platform != "win32" and count > 1:
            self.threads = 1 + self._start(count - 1)

    def _after_fork(self) -> None:
        """Workers do not survive a fork: start them again in the child."""
        wanted, self.threads = self.threads, 1
        self._forget()
        self.use_threads(wanted)


@functools.cache
def runtime() -> Runtime:
    """The process's runtime, compiled (or loaded) when first asked for."""
    return Runtime()


def runtime_text() -> str:
    """The runtime of this process as LLVM IR."""
    head = object.__basicsize__  # NumPy's array struct follows the object header
    offsets = {
        "OBJECT_TYPE": head - ctypes.sizeof(ctypes.c_void_p),
        "OBJECT_SIZE": head,
        "TUPLE_ITEMS": tuple.__basicsize__,
        "ARRAY_DATA": head,
        "ARRAY_RANK": head + 8,
        "ARRAY_SHAPE": head + 16,
        "ARRAY_STRIDES": head + 24,
        "ARRAY_DTYPE": head + 40,
        "ARRAY_FLAGS": head + 48,
    }
    pause, declaration = "", ""
    if platform.machine().lower() in ("x86_64", "amd64", "i386", "i686"):
        pause = "call void @llvm.x86.sse2.pause()"
        declaration = "declare void @llvm.x86.sse2.pause()\n"
    constants = {
        "SIG_BLOCK": 1 if sys.platform == "darwin" else 0,
        "SPINS": _SPINS,
        "CLOCK": getattr(time, "CLOCK_MONOTONIC", 1),
        "WORST": _WORST,
    }
    return runtime_ir(offsets, pause, constants) + declaration
