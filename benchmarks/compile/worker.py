"""Measure one contender in this process, and print what it took as JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.measure import seconds_per_call

from .workloads import WORKLOADS

THREADS = 2
CHECKED_CALL = 3
"""The call whose results are compared: a wrong update of state shows only later."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("contender")
    parser.add_argument("--first-call-only", action="store_true")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    print(
        json.dumps(measured(options.name, options.contender, options.first_call_only))
    )


def measured(name: str, contender: str, first_call_only: bool) -> dict[str, Any]:
    if name == "copy":
        return {"seconds": copying()}
    run, wait = prepared(name, contender)
    began = time.perf_counter()
    wait(run())
    first = time.perf_counter() - began
    if first_call_only:
        return {"first": first}
    for _ in range(CHECKED_CALL - 1):
        result = run()
    checks = [check for leaf in leaves(result) for check in checksums(leaf)]
    return {"first": first, "seconds": seconds_per_call(run, wait), "checks": checks}


def prepared(name: str, contender: str) -> tuple[Callable[[], Any], Callable[..., Any]]:
    """Return a workload's step, and what waits for its result."""
    if contender == "jax":
        jax = importlib.import_module("jax")
        in_jax = importlib.import_module("benchmarks.compile.in_jax")
        return getattr(in_jax, name)(), jax.block_until_ready
    torch = importlib.import_module(
        "wengert" if contender in ("compiled", "eager") else "torch"
    )
    if torch.__name__ == "torch":
        torch.set_num_threads(THREADS)
    wrap: Callable[..., Any] = lambda function: function  # noqa: E731
    if contender == "compiled":
        wrap = lambda function: torch.compile(function, fullgraph=True)  # noqa: E731
    if contender == "torch.compile":
        wrap = torch.compile
    return WORKLOADS[name].program(torch, wrap), lambda result: None


def leaves(result: Any) -> list[Any]:
    return list(result) if isinstance(result, list | tuple) else [result]


def checksums(leaf: Any) -> list[float]:
    """Return an array's sum, its sum with weights, and the size of what is summed."""
    if hasattr(leaf, "detach"):
        leaf = leaf.detach()
    array = np.asarray(leaf, np.float64).ravel()
    weights = np.cos(np.arange(array.size))
    return [array.sum(), array @ weights, np.abs(array).sum()]


def copying() -> float:
    """Return the seconds that two threads need to copy a byte, read and written."""
    from concurrent.futures import ThreadPoolExecutor

    size = 2**26
    pairs = [(np.ones(size, np.uint8), np.ones(size, np.uint8)) for _ in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:

        def run() -> None:
            list(pool.map(lambda pair: np.copyto(*pair), pairs))

        return seconds_per_call(run) / (2 * size * THREADS)


if __name__ == "__main__":
    main()
