"""Adding values at indices that may repeat, quickly.

``np.add.at`` takes about 2 ns an element where the target and the index are vectors,
10 ns where they are not; so all indices are turned into positions in memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

FEW = 300
"""The number of values from which working out positions pays."""
WIDE = 400
"""The number of values from which adding a row at a time is quicker."""


def add_at(target: ndarray, key: tuple[Any, ...], values: ndarray) -> None:
    """Add values to a contiguous array at an index of arrays, masks and full slices."""
    if values.size < FEW:
        np.add.at(target, key, values)
        return
    first = key[0]
    if len(key) == 1 and first.dtype.kind != "b":
        if target[0].size >= WIDE and values.shape == first.shape + target.shape[1:]:
            add_rows(target, first, values)
            return
        positions = row_positions(target.shape, first)
    else:
        positions = positions_of(target.shape, key)
    if values.shape != positions.shape:
        values = np.broadcast_to(values, positions.shape)
    np.add.at(target.reshape(-1), positions.reshape(-1), values.reshape(-1))


def add_rows(target: ndarray, index: ndarray, values: ndarray) -> None:
    """Add rows of values at the rows of an index, one after the other."""
    rows = values.reshape(-1, *target.shape[1:])
    for number, row in zip(index.reshape(-1).tolist(), rows, strict=True):
        place = target[number]
        place += row


def positions_of(shape: tuple[int, ...], key: tuple[Any, ...]) -> ndarray:
    """Return where in memory the elements lie that an index shows."""
    numbers = np.arange(np.prod(shape, dtype=np.int64)).reshape(shape)
    found: ndarray = numbers[key]
    return found


def row_positions(shape: tuple[int, ...], rows: ndarray) -> ndarray:
    """Return where in memory the elements of rows lie."""
    if rows.size and rows.min() < 0:
        rows = np.where(rows < 0, rows + shape[0], rows)
    inner = shape[1:]
    columns = np.arange(np.prod(inner, dtype=np.int64)).reshape(inner)
    return np.add.outer(rows.astype(np.int64, copy=False) * columns.size, columns)
