"""Sums of rows, columns and channels, which BLAS makes faster than NumPy's own."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy import ndarray

# A product with ones adds in order, to about sixteen sums at a time in a row and to one
# in a column. What is longer than this would lose digits, and is added in two stages.
LONG_ROW = 4096
LONG_COLUMN = 256


@lru_cache(maxsize=64)
def ones(count: int, dtype: np.dtype[Any]) -> ndarray:
    """Ones to multiply with; nobody writes into them."""
    return np.ones(count, dtype)


def row_sums(x: ndarray) -> ndarray:
    """(rows,) of (rows, columns)."""
    columns = x.shape[1]
    if columns > LONG_ROW:  # NumPy adds pairwise
        return np.asarray(np.add.reduce(x, axis=1))
    return np.asarray(x @ ones(columns, x.dtype))


def column_sums(x: ndarray) -> ndarray:
    """(columns,) of (rows, columns)."""
    rows, columns = x.shape
    if rows <= LONG_COLUMN:
        return np.asarray(ones(rows, x.dtype) @ x)
    whole = rows - rows % LONG_COLUMN
    parts = x[:whole].reshape(whole // LONG_COLUMN, LONG_COLUMN, columns)
    sums = ones(LONG_COLUMN, x.dtype) @ parts
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
