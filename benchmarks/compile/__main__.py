"""Run the workloads in fresh processes, one contender after the other, and report.

``python -m benchmarks.compile [workload ...] [--rounds N]``; ``--worker`` is internal.
Each process has two threads. Ratios are medians over rounds of PyTorch's (or eager's)
time by that of compiled Wengert in the same round: above 1, compiled is faster.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .workloads import WORKLOADS

CONTENDERS = ("compiled", "eager", "torch")
SECONDS = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--worker", choices=CONTENDERS)
    options = parser.parse_args()
    if options.worker:
        work(options.names[0], options.worker)
        return
    for name in options.names or WORKLOADS:
        print(report(name, options.rounds), flush=True)


def work(name: str, contender: str) -> None:
    """Measure one contender, and print what it took as JSON."""
    torch = importlib.import_module("torch" if contender == "torch" else "wengert")
    if contender == "torch":
        torch.set_num_threads(2)
    wrap: Callable[..., Any] = lambda function: function  # noqa: E731
    if contender == "compiled":
        wrap = lambda function: torch.compile(function, fullgraph=True)  # noqa: E731
    run = WORKLOADS[name](torch, wrap)
    began = time.perf_counter()
    checks = [float(np.asarray(x.detach()).sum(dtype=float)) for x in run()]
    first = time.perf_counter() - began
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < 5 or (
        time.perf_counter() - began < SECONDS and len(times) < 2000
    ):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    print(json.dumps([first, statistics.median(times), checks]))


def measured(name: str, contender: str) -> list[Any]:
    environment = dict(os.environ, OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2")
    command = [sys.executable, "-m", "benchmarks.compile", name, "--worker", contender]
    result = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    )
    found: list[Any] = json.loads(result.stdout.splitlines()[-1])
    return found


def report(name: str, rounds: int) -> str:
    """Return a line about one workload."""
    rows = [{c: measured(name, c) for c in CONTENDERS} for _ in range(rounds)]
    for row in rows:
        for contender in CONTENDERS[1:]:
            for a, b in zip(row["compiled"][2], row[contender][2], strict=True):
                if abs(a - b) > 1e-3 * (1 + abs(b)) + 2e-2 * abs(b) ** 0.5:
                    raise SystemExit(f"{name}: {contender} differs: {b}, compiled: {a}")
    ratios = {
        c: statistics.median([row[c][1] / row["compiled"][1] for row in rows])
        for c in CONTENDERS[1:]
    }
    compiled = statistics.median([row["compiled"][1] for row in rows])
    first = statistics.median([row["compiled"][0] for row in rows])
    return (
        f"{name:12} compiled {compiled * 1e3:9.3f} ms  first call {first:6.3f} s"
        + "".join(f"  {c} / compiled {ratio:6.2f}" for c, ratio in ratios.items())
    )


main()
