"""Ops that pick elements by arrays of indices along a dimension; their transposes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy import ndarray

from .accumulation import FEW, add_at
from .op import linear

Shape = tuple[int, ...]

# --- where indices point --------------------------------------------------------------


def is_within(index: ndarray, size: int) -> bool:
    """Whether int64 indices are all from 0 to size - 1."""
    if index.size == 0:
        return True
    # A negative number is a very large one to the unsigned type: one look finds both.
    # For few elements argmax takes a quarter of the time of max.
    unsigned = index.view(np.uint64)
    largest: int = unsigned.item(unsigned.argmax())
    return largest < size


def first_outside(index: ndarray, low: int, high: int) -> int:
    """Return the first index that is not from low to high - 1."""
    return int(index[(index < low) | (index >= high)].flat[0])


def check_bounds(index: ndarray, size: int, dim: int) -> None:
    """Refuse indices outside of a dimension; there are no negative ones here."""
    if not is_within(index, size):
        wrong = first_outside(index, 0, size)
        raise RuntimeError(
            f"index {wrong} is out of bounds for dimension {dim} with size {size}"
        )


@lru_cache(maxsize=256)
def other_positions(shape: Shape, dim: int) -> tuple[ndarray | None, ...]:
    """Return an open grid of positions in all dimensions except one, which is None."""
    grid: list[ndarray | None] = []
    for i, size in enumerate(shape):
        ones = [1] * len(shape)
        ones[i] = size
        grid.append(None if i == dim else np.arange(size).reshape(ones))
    return tuple(grid)


def key_along(index: ndarray, dim: int) -> tuple[ndarray, ...]:
    """Return NumPy's index for indices along a dimension."""
    grid = list(other_positions(index.shape, dim))
    grid[dim] = index
    return tuple(grid)  # type: ignore[arg-type]


def positions_along(index: ndarray, dim: int, shape: Shape) -> ndarray:
    """Return where indices along a dimension point in contiguous memory of a shape."""
    steps = [1] * len(shape)
    for i in range(len(shape) - 1, 0, -1):
        steps[i - 1] = steps[i] * shape[i]
    positions = index * steps[dim]
    for i, grid in enumerate(other_positions(index.shape, dim)):
        if grid is not None:
            positions += grid * steps[i]
    return positions


MANY = 2000
"""The number of indices from which going through positions in memory pays."""


def added_along(index: ndarray, values: ndarray, dim: int, target: ndarray) -> None:
    """Add values to a contiguous target where indices along a dimension point."""
    if index.size < FEW:
        np.add.at(target, key_along(index, dim), values)
        return
    positions = positions_along(index, dim, target.shape)
    np.add.at(target.reshape(-1), positions.reshape(-1), values.reshape(-1))


# --- an index for each element --------------------------------------------------------


def _gather(self: ndarray, index: ndarray, *, dim: int) -> ndarray:
    check_bounds(index, self.shape[dim], dim)
    if index.size == 0:  # its shape may be any then
        return np.empty(index.shape, self.dtype)
    if index.size < MANY:
        picked: ndarray = self[key_along(index, dim)]
        return picked
    return self.reshape(-1).take(positions_along(index, dim, self.shape))


gather = linear(
    "gather",
    _gather,
    lambda grad, index, self_shape, dim: gather_backward(
        grad, index, dim=dim, shape=self_shape
    ),
    inputs=("self", "index"),
)


def _gather_backward(
    self: ndarray, index: ndarray, *, dim: int, shape: Shape
) -> ndarray:
    result = np.zeros(shape, self.dtype)
    if index.size:
        added_along(index, self, dim, result)
    return result


gather_backward = linear(
    "gather_backward",
    _gather_backward,
    lambda grad, index, dim: gather(grad, index, dim=dim),
    inputs=("self", "index"),
    grad_fn="ScatterAddBackward0",
)

# --- an index for each place of one dimension -----------------------------------------


def check_rows(index: ndarray, size: int) -> None:
    """Refuse indices outside of a dimension, with the message of look-up tables."""
    if not is_within(index, size):
        raise IndexError("index out of range in self")


def _index_select(self: ndarray, index: ndarray, *, dim: int) -> ndarray:
    check_rows(index, self.shape[dim])
    return self.take(index, dim)


index_select = linear(
    "index_select",
    _index_select,
    lambda grad, index, self_shape, dim: index_select_backward(
        grad, index, dim=dim, shape=self_shape
    ),
    inputs=("self", "index"),
)


def _index_select_backward(
    self: ndarray, index: ndarray, *, dim: int, shape: Shape
) -> ndarray:
    result = np.zeros(shape, self.dtype)
    add_at(result, (*(slice(None),) * dim, index), self)
    return result


index_select_backward = linear(
    "index_select_backward",
    _index_select_backward,
    lambda grad, index, dim: index_select(grad, index, dim=dim),
    inputs=("self", "index"),
    grad_fn="IndexAddBackward0",
)

# --- an index into all elements -------------------------------------------------------


def check_flat(index: ndarray, count: int) -> None:
    """Refuse indices that point to no element."""
    if index.size and (index.max() >= count or index.min() < -count):
        wrong = first_outside(index, -count, count)
        raise IndexError(
            f"out of range: tried to access index {wrong} on a tensor of {count} "
            "elements."
        )


def _take(self: ndarray, index: ndarray) -> Any:
    check_flat(index, self.size)
    return self.reshape(-1).take(index)


take = linear(
    "take",
    _take,
    lambda grad, index, self_shape: take_backward(grad, index, shape=self_shape),
    inputs=("self", "index"),
)


def _take_backward(self: ndarray, index: ndarray, *, shape: Shape) -> ndarray:
    result = np.zeros(shape, self.dtype)
    np.add.at(result.reshape(-1), index.reshape(-1), self.reshape(-1))
    return result


take_backward = linear(
    "take_backward",
    _take_backward,
    lambda grad, index: take(grad, index),
    inputs=("self", "index"),
    grad_fn="PutBackward0",
)

# --- rows of a table ------------------------------------------------------------------


def _embedding(
    weight: ndarray, indices: ndarray, *, padding_idx: int, scale_grad_by_freq: bool
) -> ndarray:
    check_rows(indices, weight.shape[0])
    return weight.take(indices, 0)


def embedding_transpose(
    grad: Any,
    indices: Any,
    weight_shape: Shape,
    padding_idx: int,
    scale_grad_by_freq: bool,
) -> Any:
    return embedding_backward(
        grad,
        indices,
        shape=weight_shape,
        padding_idx=padding_idx,
        scale_grad_by_freq=scale_grad_by_freq,
    )


embedding = linear(
    "embedding", _embedding, embedding_transpose, inputs=("weight", "indices")
)


def frequencies(indices: ndarray) -> ndarray:
    """Return for each index how often it occurs."""
    counts = np.bincount(indices.reshape(-1))
    found: ndarray = counts[indices]
    return found


def scaled_rows(
    rows: ndarray, indices: ndarray, padding_idx: int, scale_grad_by_freq: bool
) -> ndarray:
    """Return what of rows reaches the table: none of padding, less of repeated ones."""
    if scale_grad_by_freq and indices.size:
        rows = rows / frequencies(indices).astype(rows.dtype)[..., None]
    if padding_idx >= 0:
        padding = indices == padding_idx
        if padding.any():
            rows = np.where(padding[..., None], rows.dtype.type(0), rows)
    return rows


def _embedding_backward(
    self: ndarray,
    indices: ndarray,
    *,
    shape: Shape,
    padding_idx: int,
    scale_grad_by_freq: bool,
) -> ndarray:
    result = np.zeros(shape, self.dtype)
    add_at(
        result, (indices,), scaled_rows(self, indices, padding_idx, scale_grad_by_freq)
    )
    return result


embedding_backward = linear(
    "embedding_backward",
    _embedding_backward,
    lambda grad, indices, padding_idx, scale_grad_by_freq: embedding_rows(
        grad, indices, padding_idx=padding_idx, scale_grad_by_freq=scale_grad_by_freq
    ),
    inputs=("self", "indices"),
    grad_fn="EmbeddingDenseBackwardBackward0",
)


def _embedding_rows(
    self: ndarray, indices: ndarray, *, padding_idx: int, scale_grad_by_freq: bool
) -> ndarray:
    return scaled_rows(self.take(indices, 0), indices, padding_idx, scale_grad_by_freq)


embedding_rows = linear(
    "embedding_rows",
    _embedding_rows,
    lambda grad, indices, self_shape, padding_idx, scale_grad_by_freq: (
        embedding_transpose(grad, indices, self_shape, padding_idx, scale_grad_by_freq)
    ),
    inputs=("self", "indices"),
)
"""The transpose of `embedding_backward`: rows scaled as their gradients were."""
