"""Measure one contender in this process, and print what it took as JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from benchmarks.measure import seconds_per_call

from .workloads import FLOAT, WORKLOADS

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
    if contender == "memory":
        return {"seconds": streaming(WORKLOADS[name].traffic)}
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


def streaming(traffic: int) -> float:
    """Return the least seconds in which two threads read or write so many bytes.

    A copy does not show what the memory can do, as most processors read what they are
    about to overwrite. So NumPy's copy competes with one of our own, and with an update
    in place, on two arrays of that size together.
    """
    torch = importlib.import_module("wengert")
    copy = torch.compile(lambda x, y: x.copy_(y))
    update = torch.compile(lambda x, y: x.mul_(0.5).add_(y))
    pair = [torch.ones(traffic // (2 * FLOAT)) for _ in range(2)]
    halves = [np.array_split(tensor.numpy(), THREADS) for tensor in pair]
    with ThreadPoolExecutor(THREADS) as pool:
        return min(
            seconds_per_call(lambda: list(pool.map(np.copyto, *halves))),
            seconds_per_call(lambda: copy(*pair)),
            seconds_per_call(lambda: update(*pair)) * 2 / 3,  # half of it read, too
        )


if __name__ == "__main__":
    main()
