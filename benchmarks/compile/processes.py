"""Fresh processes of each contender in turn, in rounds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

from benchmarks.rounds import LIBRARY_SETTINGS, ROOT, MeasurementFailed

from .worker import THREADS
from .workloads import Workload

Row = dict[str, dict[str, Any]]
PEERS = ("torch", "torch.compile", "jax")
TOLERANCE = 1e-3


def one_round(workload: Workload, contenders: Sequence[str], index: int) -> Row:
    """Measure each contender once, in another order each time.

    Where memory bounds the time, what the machine's memory can do takes a turn, too.
    """
    first = index % len(contenders)
    row = {
        contender: measured(workload.name, contender)
        for contender in (*contenders[first:], *contenders[:first])
    }
    check_equal(workload.name, row)
    if workload.traffic:
        row["memory"] = worker(workload.name, "memory")
    return row


def measured(name: str, contender: str) -> dict[str, Any]:
    """Measure one contender, and compiled Wengert's first call twice.

    First the cache is empty, then it has what the first process left there.
    """
    if contender != "compiled":
        return worker(name, contender)
    with tempfile.TemporaryDirectory() as folder:
        found = worker(name, contender, WENGERT_CACHE_DIR=folder)
        again = worker(name, contender, "--first-call-only", WENGERT_CACHE_DIR=folder)
        return {**found, "again": again["first"]}


def worker(name: str, contender: str, *options: str, **settings: str) -> dict[str, Any]:
    """Run a worker in an environment that has only what is the same for all."""
    environment = {k: v for k, v in os.environ.items() if k not in LIBRARY_SETTINGS}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(THREADS))
    command = [sys.executable, "-m", "benchmarks.compile.worker", name, contender]
    done = subprocess.run(
        [*command, *options],
        cwd=ROOT,
        env={**environment, **threads, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
        raise MeasurementFailed(f"{name}: {contender}: {reason}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def check_equal(name: str, row: Row) -> None:
    """Compare the sums of all contenders' results with compiled Wengert's."""
    ours = row["compiled"]["checks"]
    for contender, found in row.items():
        theirs = found["checks"]
        if len(ours) != len(theirs):
            raise MeasurementFailed(
                f"{name}: {contender} has another number of results"
            )
        sizes = [size for size in theirs[2::3] for _ in range(3)]
        for a, b, size in zip(ours, theirs, sizes, strict=True):
            if not abs(a - b) <= TOLERANCE * size:
                raise MeasurementFailed(f"{name}: {contender} has {b}, compiled: {a}")
