"""Common ops on tensors of shape (3, 4), recorded and not: `python -m benchmarks.ops`.

Both libraries take turns in one process, and the least time of each counts: the time is
the library's own, as the arrays are tiny (it is the processor's, not the clock's).
Names of ops as arguments choose some.
"""

from __future__ import annotations

import sys
import timeit
from collections.abc import Callable
from functools import partial
from importlib import import_module
from math import exp, log
from time import process_time
from typing import Any

import numpy as np

OPS: dict[str, Callable[..., Any]] = {
    "add": lambda torch, x, y, i, w: x + y,
    "mul": lambda torch, x, y, i, w: x * y,
    "sub": lambda torch, x, y, i, w: x - y,
    "div": lambda torch, x, y, i, w: x / y,
    "add number": lambda torch, x, y, i, w: x + 2.0,
    "number sub": lambda torch, x, y, i, w: 1.0 - x,
    "pow 2": lambda torch, x, y, i, w: x**2,
    "add row": lambda torch, x, y, i, w: x + y[0],
    "neg": lambda torch, x, y, i, w: -x,
    "exp": lambda torch, x, y, i, w: x.exp(),
    "log": lambda torch, x, y, i, w: x.log(),
    "sqrt": lambda torch, x, y, i, w: x.sqrt(),
    "tanh": lambda torch, x, y, i, w: x.tanh(),
    "sigmoid": lambda torch, x, y, i, w: x.sigmoid(),
    "relu": lambda torch, x, y, i, w: x.relu(),
    "gelu": lambda torch, x, y, i, w: torch.nn.functional.gelu(x),
    "clamp": lambda torch, x, y, i, w: x.clamp(0.2, 0.8),
    "maximum": lambda torch, x, y, i, w: torch.maximum(x, y),
    "where": lambda torch, x, y, i, w: torch.where(i > 1, x, y),
    "greater": lambda torch, x, y, i, w: x > y,
    "sum": lambda torch, x, y, i, w: x.sum(),
    "sum dim": lambda torch, x, y, i, w: x.sum(1),
    "mean": lambda torch, x, y, i, w: x.mean(),
    "mean dim": lambda torch, x, y, i, w: x.mean(1, keepdim=True),
    "var dim": lambda torch, x, y, i, w: x.var(1),
    "max dim": lambda torch, x, y, i, w: x.max(1),
    "amax": lambda torch, x, y, i, w: x.amax(1),
    "argmax": lambda torch, x, y, i, w: x.argmax(1),
    "norm": lambda torch, x, y, i, w: x.norm(),
    "cumsum": lambda torch, x, y, i, w: x.cumsum(1),
    "softmax": lambda torch, x, y, i, w: x.softmax(1),
    "log_softmax": lambda torch, x, y, i, w: x.log_softmax(1),
    "sort": lambda torch, x, y, i, w: x.sort(1),
    "matmul": lambda torch, x, y, i, w: x @ w,
    "linear": lambda torch, x, y, i, w: torch.nn.functional.linear(x, y),
    "cat": lambda torch, x, y, i, w: torch.cat((x, y)),
    "stack": lambda torch, x, y, i, w: torch.stack((x, y)),
    "gather": lambda torch, x, y, i, w: x.gather(1, i),
    "index row": lambda torch, x, y, i, w: x[1],
    "index slice": lambda torch, x, y, i, w: x[:, 1:],
    "index tensor": lambda torch, x, y, i, w: x[i[:, 0]],
    "reshape": lambda torch, x, y, i, w: x.reshape(4, 3),
    "view": lambda torch, x, y, i, w: x.view(-1),
    "transpose": lambda torch, x, y, i, w: x.t(),
    "permute": lambda torch, x, y, i, w: x.permute(1, 0),
    "unsqueeze": lambda torch, x, y, i, w: x.unsqueeze(0),
    "expand": lambda torch, x, y, i, w: y[:1].expand(3, 4),
    "detach": lambda torch, x, y, i, w: x.detach(),
    "clone": lambda torch, x, y, i, w: x.clone(),
}
LIBRARIES = ("wengert", "torch")
ROUNDS, BATCH = 15, 400


def operands(torch: Any, recorded: bool) -> tuple[Any, ...]:
    """Return two matrices, indices, and a matrix to multiply with."""
    rng = np.random.default_rng(0)
    arrays = [rng.uniform(0.1, 1, shape).astype("f4") for shape in ((3, 4),) * 2]
    x, y = (torch.tensor(array, requires_grad=recorded) for array in arrays)
    index = torch.tensor(rng.integers(0, 3, (3, 4)))
    w = torch.tensor(rng.uniform(0, 1, (4, 3)).astype("f4"), requires_grad=recorded)
    return x, y, index, w


def microseconds(op: Callable[..., Any], recorded: bool, no_grad: bool) -> list[float]:
    """Return the least time of an op with each library."""
    timers = []
    for name in LIBRARIES:
        torch = import_module(name)
        import_module(f"{name}.nn")
        values = operands(torch, recorded)
        timer = timeit.Timer(partial(op, torch, *values), timer=process_time)
        timers.append((torch, timer))
    times: list[list[float]] = [[] for _ in LIBRARIES]
    for _ in range(ROUNDS):
        for (torch, timer), found in zip(timers, times, strict=True):
            with torch.set_grad_enabled(not no_grad):
                found.append(timer.timeit(BATCH) / BATCH * 1e6)
    return [min(found) for found in times]


def main(chosen: list[str]) -> None:
    import_module("torch").set_num_threads(1)
    modes = {
        "recorded": (True, False),
        "plain": (False, False),
        "no_grad": (True, True),
    }
    print(f"{'':14}", *[f"{mode + ' (µs)':>14}{'ratio':>7}" for mode in modes])
    logs: dict[str, list[float]] = {mode: [] for mode in modes}
    for name in chosen or OPS:
        cells = []
        for mode, how in modes.items():
            ours, theirs = microseconds(OPS[name], *how)
            logs[mode].append(log(theirs / ours))
            cells.append(f"{ours:14.2f}{theirs / ours:7.2f}")
        print(f"{name:14}", *cells)
    means = [exp(sum(values) / len(values)) for values in logs.values()]
    print(f"{'mean':14}", *[f"{'':14}{mean:7.2f}" for mean in means])


if __name__ == "__main__":
    main(sys.argv[1:])
