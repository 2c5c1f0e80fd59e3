"""A chain of 100,000 nodes: what one node costs in time and in memory."""

import os
import statistics
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.measure import Outcome, numbers

LENGTH = 100_000
WARM_UP_LENGTH = 1_000
REPEATS = 3

START = np.linspace(0.5, 1.5, 12, dtype=np.float32).reshape(3, 4)
FACTOR = np.full((3, 4), 1 + 1e-6, np.float32)


class Chain:
    """y = x * w * w * …: each node keeps its left factor for the backward pass."""

    def __init__(self, library: str) -> None:
        self.torch = import_module(library)
        self.x = self.torch.tensor(START, requires_grad=True)
        self.w = self.torch.tensor(FACTOR, requires_grad=True)

    def build(self, length: int) -> Any:
        y, w = self.x, self.w
        for _ in range(length):
            y = y * w
        return y

    def gradient(self, y: Any) -> Any:
        y.backward(self.torch.ones(3, 4))
        grad, self.x.grad = self.x.grad, None
        self.w.grad = None
        return grad

    def run(self, length: int) -> list[float]:
        y = self.build(length)
        grad = self.gradient(y)
        return numbers(y.detach(), grad)


def time_per_node(library: str) -> Outcome:
    """Building, differentiating and freeing the chain, divided by its length."""
    chain = Chain(library)
    chain.run(WARM_UP_LENGTH)
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        result = chain.run(LENGTH)
        seconds.append(time.perf_counter() - start)
    return Outcome(statistics.median(seconds) / LENGTH, result)


def numpy_time_per_node() -> Outcome:
    numpy_run(WARM_UP_LENGTH)
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        result = numpy_run(LENGTH)
        seconds.append(time.perf_counter() - start)
    return Outcome(statistics.median(seconds) / LENGTH, result)


def numpy_run(length: int) -> list[float]:
    y: npt.NDArray[np.float32] = START
    inputs = []
    for _ in range(length):
        inputs.append(y)
        y = y * FACTOR
    grad, grad_w = np.ones_like(START), np.zeros_like(START)
    for saved in reversed(inputs):
        grad_w = grad_w + grad * saved
        grad = grad * FACTOR
    return numbers(y, grad)


def memory_per_node(library: str) -> Outcome:
    """The process's growth while the graph is alive, less the numbers it keeps."""
    chain = Chain(library)
    chain.run(WARM_UP_LENGTH)
    before = resident_bytes()
    y = chain.build(LENGTH)
    growth = resident_bytes() - before
    result = numbers(y.detach(), chain.gradient(y))
    return Outcome(growth / LENGTH - START.nbytes, result)


def resident_bytes() -> int:
    """The process's resident memory; Linux only.

    Raises:
        OSError: there is no /proc here.
    """
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
