"""Random numbers inside vmap: an error, the same for all elements, or different ones.

Ops that draw numbers do so through `fresh`, which knows the vmaps that are running.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from ..tensor import Tensor, plain
from . import messages
from .batched import Batched
from .dual import Dual
from .level import on_level

MODES = ("error", "different", "same")


class Mapped(NamedTuple):
    """A vmap that is running."""

    level: int
    size: int
    randomness: str


class _Local(threading.local):
    maps: tuple[Mapped, ...] = ()
    """The vmaps of this thread, the outermost first."""


local = _Local()


def randomness_of(level: int) -> str:
    """Return what random ops mean in a vmap that is running."""
    known = {found.level: found.randomness for found in local.maps}
    return known.get(level, "error")


def fresh(draw: Callable[[tuple[int, ...]], Any], shape: tuple[int, ...]) -> Tensor:
    """Return a tensor of a shape from what draws an array of any shape."""
    maps = drawn_over()
    sizes = [found.size for found in maps]
    return wrapped(draw((*sizes, *shape)), maps)


def fresh_of(draw: Callable[..., Any], *values: Any) -> Tensor:
    """Return a tensor from what draws numbers for arrays of parameters, and numbers."""
    maps = drawn_over()
    return wrapped(draw(*[stripped(value, maps) for value in values]), maps)


def drawn_over() -> list[Mapped]:
    """Return the vmaps each of whose elements gets numbers of its own."""
    if any(found.randomness == "error" for found in local.maps):
        raise messages.random_in_vmap()
    return [found for found in local.maps if found.randomness == "different"]


def wrapped(array: Any, maps: list[Mapped]) -> Tensor:
    """Hide the first dimensions of an array, one for each vmap."""
    tensor = plain(np.asarray(array))
    for found in maps:
        tensor = on_level(found.level, Batched(tensor, found.level))
    return tensor


def stripped(value: Any, maps: list[Mapped]) -> Any:
    """Return the array of a tensor with the dimensions of these vmaps in front."""
    rank = len(getattr(value, "shape", ()))
    batches: list[Any] = []
    while not isinstance(value, ndarray):
        if isinstance(value, Tensor):
            value = value._data
        elif isinstance(value, Dual):
            value = value.primal
        elif isinstance(value, Batched):
            batches.insert(0, value.level)
            value = value.value
        else:
            return value
    levels = [found.level for found in maps]
    if set(batches) - set(levels):
        raise messages.same_of_batched()
    own = value.shape[len(batches) :]
    assert len(own) == rank
    shape = tuple([found.size if found.level in batches else 1 for found in maps])
    full = tuple([found.size for found in maps])
    return np.broadcast_to(value.reshape(shape + own), full + own)
