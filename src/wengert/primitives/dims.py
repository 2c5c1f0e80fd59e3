"""What ops along dimensions share: reduced shapes, wide accumulators."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Dims = tuple[int, ...]
Shape = tuple[int, ...]


def kept(shape: Shape, dim: Dims | None) -> Shape:
    """Return a shape with the reduced dimensions (None: all) at size 1."""
    if dim is None:
        return (1,) * len(shape)
    return tuple([1 if i in dim else size for i, size in enumerate(shape)])


def dropped(shape: Shape, dim: Dims | None) -> Shape:
    """Return a shape without the reduced dimensions."""
    if dim is None:
        return ()
    return tuple([size for i, size in enumerate(shape) if i not in dim])


def restore(value: Any, shape: Shape, dim: Dims | None, keepdim: bool) -> Any:
    """Give a reduced value its dimensions of size 1 again, to be broadcast."""
    return value if keepdim else value.reshape(kept(shape, dim))


def drop(value: Any, shape: Shape, dim: Dims | None, keepdim: bool) -> Any:
    """Take the dimensions of size 1 away from a value reduced from `shape`."""
    return value if keepdim else value.reshape(dropped(shape, dim))


def count(shape: Shape, dim: Dims | None) -> int:
    """Return how many elements go into each result."""
    if dim is None:
        return math.prod(shape)
    return math.prod([shape[i] for i in dim])


ACCUMULATORS: dict[str, np.dtype[Any]] = {
    **dict.fromkeys("?bBhHiIlLqQ", np.dtype("int64")),
    "e": np.dtype("float32"),
}
"""What sums and products of a dtype are accumulated in, by its character; no entry: in
the dtype itself. Results of float16 are cast back, those of integers stay int64."""
