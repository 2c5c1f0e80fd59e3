"""How a workload is timed, and what it hands back."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np

WARM_UP_SECONDS = 0.1
BATCH_SECONDS = 0.005
TIMED_SECONDS = 0.5
FEWEST_BATCHES = 5


@dataclass(frozen=True)
class Outcome:
    """What one library needed for a workload, and numbers that the others must equal.

    `cost` is in seconds or bytes.
    """

    cost: float
    result: list[float]


def numbers(*values: object) -> list[float]:
    """The numbers in arrays, tensors without grad and Python scalars, one flat list."""
    flat: list[float] = []
    for value in values:
        flat += np.asarray(value, dtype=np.float64).ravel().tolist()
    return flat


def nothing(result: object) -> None:
    """What has to be waited for after a call that ends with its work."""


def seconds_of(
    step: Callable[[], object], calls: int, wait: Callable[[object], object] = nothing
) -> float:
    """How long `calls` calls take together, the garbage collector's work included."""
    result = None
    start = time.perf_counter()
    for _ in repeat(None, calls):
        result = step()
    wait(result)
    return time.perf_counter() - start


def seconds_per_call(
    step: Callable[[], object], wait: Callable[[object], object] = nothing
) -> float:
    """The median over many batches of calls, after a warm-up.

    `wait` is given the last result of a batch, where calls only begin their work.
    """
    calls, warm_until = 1, time.perf_counter() + WARM_UP_SECONDS
    while True:
        batch = seconds_of(step, calls, wait)
        if batch < BATCH_SECONDS:
            calls *= 2
        elif time.perf_counter() > warm_until:
            break
    count = max(FEWEST_BATCHES, round(TIMED_SECONDS / batch))
    return statistics.median(
        seconds_of(step, calls, wait) / calls for _ in range(count)
    )


def timed(step: Callable[[], object], result: Sequence[float]) -> Outcome:
    """Time a step whose result has been worked out before."""
    return Outcome(seconds_per_call(step), list(result))
