"""Ops that look for elements: where they are not zero, which there are, their place."""

from __future__ import annotations

from math import prod
from typing import Any, Literal

import numpy as np
from numpy import ndarray

from ..errors import Unsupported
from .op import fused, nondifferentiable

# --- where ----------------------------------------------------------------------------

nonzero = nondifferentiable(
    "nonzero", lambda self: np.stack(np.nonzero(np.atleast_1d(self)), 1)[:, : self.ndim]
)
"""The indices of the elements that are not zero, as rows."""


def _nonzero_static(self: ndarray, *, size: int, fill_value: int) -> ndarray:
    found = np.stack(np.nonzero(np.atleast_1d(self)), 1)[:size, : self.ndim]
    result = np.full((size, self.ndim), fill_value, np.int64)
    result[: found.shape[0]] = found
    return result


nonzero_static = nondifferentiable("nonzero_static", _nonzero_static)


def _searchsorted(
    sorted_sequence: ndarray, values: ndarray, *, right: bool, dtype: np.dtype[Any]
) -> ndarray:
    side: Literal["left", "right"] = "right" if right else "left"
    if sorted_sequence.ndim == 1:
        found = sorted_sequence.searchsorted(values, side)
        return np.asarray(found, dtype)
    rows = sorted_sequence.reshape(
        prod(sorted_sequence.shape[:-1]), sorted_sequence.shape[-1]
    )
    wanted = values.reshape(rows.shape[0], values.shape[-1])
    result = np.empty(wanted.shape, dtype)
    for i, row in enumerate(rows):
        result[i] = row.searchsorted(wanted[i], side)
    return result.reshape(values.shape)


searchsorted = nondifferentiable(
    "searchsorted", _searchsorted, inputs=("sorted_sequence", "values")
)

# --- which ----------------------------------------------------------------------------


def runs(rows: ndarray) -> tuple[ndarray, ndarray, ndarray]:
    """Find runs of equal rows: where each begins, which each row is in, how long."""
    count = rows.shape[0]
    begins = np.ones(count, bool)
    np.any(rows[1:] != rows[:-1], axis=1, out=begins[1:])
    starts = np.flatnonzero(begins)
    lengths = np.diff(np.append(starts, count))
    return starts, np.cumsum(begins) - 1, lengths


def as_rows(array: ndarray, dim: int | None) -> ndarray:
    """Return what is compared with each other as rows: elements, or places of `dim`."""
    if dim is None:
        return array.reshape(-1, 1)
    count = array.shape[dim]
    if not array.size and count:
        raise RuntimeError(
            "There are 0 sized dimensions, and they aren't selected, so unique cannot "
            "be applied"
        )
    return np.moveaxis(array, dim, 0).reshape(count, array.size // max(count, 1))


def chosen_rows(array: ndarray, rows: ndarray, dim: int | None) -> ndarray:
    """Return the elements, or places of `dim`, with the given numbers."""
    return array.reshape(-1)[rows] if dim is None else array.take(rows, dim)


def _unique(self: ndarray, *, dim: int | None) -> tuple[ndarray, ndarray, ndarray]:
    rows = as_rows(self, dim)
    if rows.shape[1] < 2:
        order = rows.reshape(-1).argsort(kind="stable")
    else:
        order = np.lexsort(rows.T[::-1])
    starts, numbers, counts = runs(rows[order])
    inverse = np.empty_like(numbers)
    inverse[order] = numbers
    return chosen_rows(self, order[starts], dim), shaped(inverse, self, dim), counts


def _unique_consecutive(
    self: ndarray, *, dim: int | None
) -> tuple[ndarray, ndarray, ndarray]:
    starts, inverse, counts = runs(as_rows(self, dim))
    return chosen_rows(self, starts, dim), shaped(inverse, self, dim), counts


def shaped(inverse: ndarray, array: ndarray, dim: int | None) -> ndarray:
    """Return the numbers of the elements in the shape of the array."""
    return inverse.reshape(array.shape) if dim is None else inverse


def refuse(grad: Any) -> Any:
    """Say that what is unique has no derivative."""
    raise Unsupported(
        "the derivative of unique is not implemented, as in PyTorch; use the indices "
        "that return_inverse gives, and scatter or gather with them"
    )


def distinct(name: str, forward: Any, grad_fn: str) -> Any:
    """Declare one of the ops that return each element once."""
    return fused(
        name,
        forward,
        inputs=("self",),
        outputs=("result", "inverse", "counts"),
        vjp_self=refuse,
        grad_fn=grad_fn,
    )


unique = distinct("unique", _unique, "Unique2Backward0")
unique_dim = distinct("unique_dim", _unique, "UniqueDimBackward0")
unique_consecutive = distinct(
    "unique_consecutive", _unique_consecutive, "UniqueConsecutiveBackward0"
)

# --- classes --------------------------------------------------------------------------


def _one_hot(self: ndarray, *, num_classes: int) -> ndarray:
    result = np.zeros((*self.shape, num_classes), np.int64)
    np.put_along_axis(result, self[..., None], 1, axis=-1)
    return result


one_hot = nondifferentiable("one_hot", _one_hot)
