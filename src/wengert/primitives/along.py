"""Elements picked along a dimension by their indices, and put back there.

Whatever takes elements by index (max, sort, median, cummax ...) has the same
derivative: the gradient is put where the element came from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from .dims import Shape, restore
from .gathering import MANY, added_along, key_along, positions_along
from .op import linear, reduction


def taken_along(array: ndarray, indices: ndarray, dim: int) -> ndarray:
    """Return the elements of an array at indices along a dimension."""
    if not array.ndim:
        return array.copy()
    if indices.size < MANY:
        taken: ndarray = array[key_along(indices, dim)]
        return taken
    return array.reshape(-1).take(positions_along(indices, dim, array.shape))


def _put_along(
    values: Any, indices: Any, *, dim: int, size: int, repeated: bool
) -> ndarray:
    if not values.shape:
        return np.array(values)
    shape = (*values.shape[:dim], size, *values.shape[dim + 1 :])
    result = np.zeros(shape, values.dtype)
    if repeated:
        added_along(indices, values, dim, result)
    else:
        result[key_along(indices, dim)] = values
    return result


def _take_along(
    self: ndarray, indices: ndarray, *, dim: int, repeated: bool
) -> ndarray:
    del repeated  # what matters for the transpose alone
    return taken_along(self, indices, dim)


take_along = linear(
    "take_along",
    _take_along,
    lambda grad, indices, self_shape, dim, repeated: put_along(
        grad,
        indices,
        dim=dim,
        size=self_shape[dim] if self_shape else 1,
        repeated=repeated,
    ),
    inputs=("self", "indices"),
    grad_fn="GatherBackward0",
)
put_along = linear(
    "put_along",
    _put_along,
    lambda grad, indices, dim, repeated: take_along(
        grad, indices, dim=dim, repeated=repeated
    ),
    inputs=("values", "indices"),
    grad_fn="ValueSelectingReductionBackward0",
)
"""The transpose of `take_along`. `repeated` says that an index may occur more than
once: then the values are added up, which takes longer."""


def by_index(
    grad: Any, indices: Any, self_shape: Shape, dim: int, keepdim: bool
) -> Any:
    """The vjp of an op that takes one element along a dimension, at its index."""
    if not self_shape:
        return grad
    grad, indices = [
        restore(item, self_shape, (dim,), keepdim) for item in (grad, indices)
    ]
    return put_along(grad, indices, dim=dim, size=self_shape[dim], repeated=False)


def selection(name: str, find: Callable[..., ndarray], grad_fn: str) -> Any:
    """Declare an op that selects one element along ``dim``: its value and its index.

    Args:
        find: returns the indices, with the dimension kept, given an array that has
            dimensions, ``dim``, and further parameters of the op.
    """

    def forward(
        self: ndarray, *, dim: int, keepdim: bool, **params: Any
    ) -> tuple[ndarray, ndarray]:
        if not self.shape:
            return self.copy(), np.zeros((), np.int64)
        indices = find(self, dim, **params)
        values = taken_along(self, indices, dim)
        if keepdim:
            return values, indices
        return values.squeeze(dim), indices.squeeze(dim)

    return reduction(
        name, forward, by_index, outputs=("values", "indices"), grad_fn=grad_fn
    )
