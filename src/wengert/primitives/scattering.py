"""Ops that write values where arrays of indices point."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .accumulation import add_at
from .fitting import sum_to
from .gathering import (
    added_along,
    check_bounds,
    check_flat,
    first_outside,
    gather,
    index_select,
    is_within,
    key_along,
    take,
)
from .indexing import place
from .joining import new_zeros
from .op import fused

Shape = tuple[int, ...]

# --- an index for each value ----------------------------------------------------------


def corner(array: Any, shape: Shape) -> Any:
    """Return the first elements of an array in every dimension."""
    if array.shape == shape:
        return array
    return array[tuple([slice(size) for size in shape])]


def in_corner(grad: Any, shape: Shape) -> Any:
    """Return the gradient of the first elements with zeros for the others."""
    if tuple(grad.shape) == tuple(shape):
        return grad
    index = (*[slice(size) for size in grad.shape], ...)
    return place(grad, index=index, shape=shape)


def _scatter(self: ndarray, index: ndarray, src: ndarray, *, dim: int) -> ndarray:
    check_bounds(index, self.shape[dim], dim)
    result = self.copy()
    result[key_along(index, dim)] = corner(src, index.shape)
    return result


def gathered(grad: Any, index: Any, src_shape: Shape, dim: int) -> Any:
    """The gradient of the values: what is where they were written."""
    return in_corner(gather(grad, index, dim=dim), src_shape)


scatter = fused(
    "scatter",
    _scatter,
    inputs=("self", "index", "src"),
    vjp_self=lambda grad, index, dim: scatter_value(grad, index, dim=dim, value=0),
    vjp_src=gathered,
    jvp=lambda self_t, index, src_t, dim: scatter(self_t, index, src_t, dim=dim),
)


def _scatter_value(self: ndarray, index: ndarray, *, dim: int, value: Any) -> ndarray:
    check_bounds(index, self.shape[dim], dim)
    result = self.copy()
    result[key_along(index, dim)] = value
    return result


scatter_value = fused(
    "scatter_value",
    _scatter_value,
    inputs=("self", "index"),
    grad_fn="ScatterBackward1",
    vjp_self=lambda grad, index, dim: scatter_value(grad, index, dim=dim, value=0),
    jvp=lambda self_t, index, dim: scatter_value(self_t, index, dim=dim, value=0),
)


def _scatter_add(self: ndarray, index: ndarray, src: ndarray, *, dim: int) -> ndarray:
    check_bounds(index, self.shape[dim], dim)
    result = self.copy()
    added_along(index, corner(src, index.shape), dim, result)
    return result


scatter_add = fused(
    "scatter_add",
    _scatter_add,
    inputs=("self", "index", "src"),
    vjp_self=lambda grad: grad,
    vjp_src=gathered,
    jvp=lambda self_t, index, src_t, dim: scatter_add(self_t, index, src_t, dim=dim),
)

# --- an index for each place of one dimension -----------------------------------------


def at_dim(index: ndarray, dim: int) -> tuple[Any, ...]:
    """Return NumPy's index for places of one dimension."""
    return (*(slice(None),) * dim, index)


def _index_add(self: ndarray, index: ndarray, source: ndarray, *, dim: int) -> ndarray:
    check_bounds(index, self.shape[dim], dim)
    result = self.copy()
    add_at(result, at_dim(index, dim), source)
    return result


index_add = fused(
    "index_add",
    _index_add,
    inputs=("self", "index", "source"),
    vjp_self=lambda grad: grad,
    vjp_source=lambda grad, index, source_shape, dim: sum_to(
        index_select(grad, index, dim=dim), source_shape
    ),
    jvp=lambda self_t, index, source_t, dim: index_add(
        self_t, index, source_t, dim=dim
    ),
)


def _index_copy(self: ndarray, index: ndarray, source: ndarray, *, dim: int) -> ndarray:
    if not is_within(index, self.shape[dim]):
        wrong = first_outside(index, 0, self.shape[dim])
        raise IndexError(
            f"index_copy_(): index {wrong} is out of bounds for dimension {dim} with "
            f"size {self.shape[dim]}"
        )
    result = self.copy()
    result[at_dim(index, dim)] = source
    return result


index_copy = fused(
    "index_copy",
    _index_copy,
    inputs=("self", "index", "source"),
    vjp_self=lambda grad, index, dim: index_fill(grad, index, dim=dim, value=0),
    vjp_source=lambda grad, index, source_shape, dim: sum_to(
        index_select(grad, index, dim=dim), source_shape
    ),
    jvp=lambda self_t, index, source_t, dim: index_copy(
        self_t, index, source_t, dim=dim
    ),
)


def _index_fill(self: ndarray, index: ndarray, *, dim: int, value: Any) -> ndarray:
    size = self.shape[dim]
    if index.size and (index.max() >= size or index.min() < -size):
        wrong = first_outside(index, -size, size)
        raise IndexError(
            f"index {wrong} is out of bounds for dimension {dim} with size {size}"
        )
    result = self.copy()
    result[at_dim(index, dim)] = value
    return result


index_fill = fused(
    "index_fill",
    _index_fill,
    inputs=("self", "index"),
    vjp_self=lambda grad, index, dim: index_fill(grad, index, dim=dim, value=0),
    jvp=lambda self_t, index, dim: index_fill(self_t, index, dim=dim, value=0),
)
index_fill_tensor = fused(
    "index_fill_tensor",
    lambda self, index, value, *, dim: _index_fill(self, index, dim=dim, value=value),
    inputs=("self", "index", "value"),
    grad_fn="IndexFillBackward1",
    vjp_self=lambda grad, index, dim: index_fill(grad, index, dim=dim, value=0),
    vjp_value=lambda grad, index, dim: sum_to(
        grad - index_fill(grad, index, dim=dim, value=0), ()
    ),
    jvp=lambda self_t, index, value_t, dim: index_fill_tensor(
        self_t, index, value_t, dim=dim
    ),
)

# --- an index into all elements -------------------------------------------------------


def _put(
    self: ndarray, index: ndarray, source: ndarray, *, accumulate: bool
) -> ndarray:
    check_flat(index, self.size)
    result = self.copy()
    flat, positions, values = result.reshape(-1), index.reshape(-1), source.reshape(-1)
    if accumulate:
        np.add.at(flat, positions, values)
    else:
        flat[positions] = values
    return result


def put_by_self(grad: Any, index: Any, accumulate: bool) -> Any:
    """The gradient with zeros where values were written, unless they were added."""
    if accumulate:
        return grad
    zeros = new_zeros(grad, shape=tuple(index.shape))
    return put(grad, index, zeros, accumulate=False)


put = fused(
    "put",
    _put,
    inputs=("self", "index", "source"),
    vjp_self=put_by_self,
    vjp_source=lambda grad, index, source_shape: take(grad, index).reshape(
        source_shape
    ),
    jvp=lambda self_t, index, source_t, accumulate: put(
        self_t, index, source_t, accumulate=accumulate
    ),
)
