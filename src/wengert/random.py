"""`torch.random`: the state of the generator of random numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .ops.random import (
    get_rng_state as get_rng_state,
    initial_seed as initial_seed,
    manual_seed as manual_seed,
    seed as seed,
    set_rng_state as set_rng_state,
)

__all__ = [
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]


@contextmanager
def fork_rng(
    devices: Any = None, enabled: bool = True, **ignored: Any
) -> Iterator[None]:
    """Go on after the block where the random numbers were before it.

    Args:
        devices: other devices than the CPU, of which there are none.
        enabled: if False, nothing happens.

    >>> import wengert as torch
    >>> _ = torch.manual_seed(0)
    >>> with torch.random.fork_rng():
    ...     first = torch.rand(1)
    >>> torch.equal(first, torch.rand(1))
    True
    """
    state = get_rng_state()
    try:
        yield
    finally:
        if enabled:
            set_rng_state(state)
