"""Sums of rows, columns and channels, which BLAS makes faster than NumPy's own."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy import ndarray

# A product with ones adds in order, to about sixteen sums at a time in a row and to one
# in a column. What is longer than this would lose digits, and is added in stages.
LONG_ROW = 1024
LONG_COLUMN = 64
NARROW = 64
"""Rows narrower than this are taken several at a time."""


@lru_cache(maxsize=64)
def ones(count: int, dtype: np.dtype[Any]) -> ndarray:
    """Ones to multiply with; nobody writes into them."""
    return np.ones(count, dtype)


@lru_cache(maxsize=256)
def block_of(length: int) -> int:
    """The largest divisor of a length up to 512, or 0 if there is none of use."""
    return next((size for size in range(512, 127, -1) if length % size == 0), 0)


def row_sums(x: ndarray) -> ndarray:
    """(rows,) of (rows, columns)."""
    rows, columns = x.shape
    if columns <= LONG_ROW:
        return x.dot(ones(columns, x.dtype))
    block = block_of(columns)
    if not block:  # NumPy adds pairwise
        return np.asarray(np.add.reduce(x, axis=1))
    parts = x.reshape(-1, block) @ ones(block, x.dtype)
    return row_sums(parts.reshape(rows, columns // block))


def column_sums(x: ndarray) -> ndarray:
    """(columns,) of (rows, columns)."""
    rows, columns = x.shape
    if rows <= LONG_COLUMN:
        return np.asarray(ones(rows, x.dtype) @ x)
    step = LONG_COLUMN
    if columns < NARROW:
        step = 2 * NARROW // max(columns, 1)
        if rows < 4 * max(step, NARROW):
            return np.asarray(ones(rows, x.dtype) @ x)
    whole = rows - rows % step
    if columns < NARROW:
        wide = x[:whole].reshape(whole // step, step * columns)
        sums = column_sums(wide).reshape(step, columns)
    else:
        parts = x[:whole].reshape(whole // step, step, columns)
        sums = ones(step, x.dtype) @ parts
    return column_sums(np.concatenate([sums, x[whole:]]))


def inner_sums(x: ndarray) -> ndarray:
    """(N, C) of (N, C, inner)."""
    batch, channels, inner = x.shape
    if inner == 1:
        return x[:, :, 0]
    return row_sums(x.reshape(batch * channels, inner)).reshape(batch, channels)


def channel_sums(x: ndarray) -> ndarray:
    """(C,) of (N, C, inner)."""
    return column_sums(inner_sums(x))
