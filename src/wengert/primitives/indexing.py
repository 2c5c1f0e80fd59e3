"""Ops of ``x[index]``: views by integers and slices, copies by arrays of indices.

Note [Basic and advanced indexing]
    A basic index is a tuple of integers, slices, None and one Ellipsis. PyTorch takes
    it apart into one op for each entry; here it is one op, with the name of the last of
    them. What is left is a list of index arrays, each with the dimension at which it
    starts: an integer array stands for that dimension, a mask for as many as it has.
    The dimensions of the result go where NumPy has them, as PyTorch does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .accumulation import add_at
from .fitting import sum_to
from .op import fused, linear, view

Shape = tuple[int, ...]
Index = tuple[Any, ...]

# --- basic ----------------------------------------------------------------------------


def _place(self: ndarray, *, index: Index, shape: Shape) -> ndarray:
    placed = np.zeros(shape, self.dtype)
    placed[index] = self
    return placed


place = linear(
    "basic_index_backward",
    _place,
    lambda grad, index: basic_slice(grad, index=index),
    grad_fn="SliceBackward0",
)
"""Zeros of a shape, except what an index shows: that is the input."""


def basic(step: str) -> Any:
    """Declare basic indexing whose last step is the op of this name."""
    return view(
        f"basic_{step}",
        lambda self, *, index: self[index],
        lambda grad, index, self_shape: place(grad, index=index, shape=self_shape),
        grad_fn=f"{step.title()}Backward0",
    )


basic_select, basic_slice, basic_unsqueeze, basic_alias = (
    basic(step) for step in ("select", "slice", "unsqueeze", "alias")
)

# --- advanced -------------------------------------------------------------------------


def key_of(indices: tuple[ndarray, ...], dims: Shape) -> Index:
    """Return NumPy's index for index arrays that start at these dimensions."""
    key: list[Any] = []
    at = 0
    for index, dim in zip(indices, dims, strict=True):
        key += [slice(None)] * (dim - at)
        key.append(index)
        at = dim + (index.ndim if index.dtype.kind == "b" else 1)
    return tuple(key)


def _index(self: ndarray, *indices: ndarray, dims: Shape) -> Any:
    return self[key_of(indices, dims)]


index = fused(
    "index",
    _index,
    inputs=("self", "*indices"),
    vjp=lambda grad, indices, dims, self_shape: [
        index_backward(grad, *indices, dims=dims, shape=self_shape),
        *[None] * len(indices),
    ],
    jvp=lambda self_t, indices, dims: index(self_t, *indices, dims=dims),
)


def _index_backward(
    self: ndarray, *indices: ndarray, dims: Shape, shape: Shape
) -> ndarray:
    spread = np.zeros(shape, self.dtype)
    key = key_of(indices, dims)
    if all(array.dtype.kind == "b" for array in indices):
        spread[key] = self
    else:
        add_at(spread, key, self)
    return spread


index_backward = fused(
    "index_backward",
    _index_backward,
    inputs=("self", "*indices"),
    vjp=lambda grad, indices, dims: [
        index(grad, *indices, dims=dims),
        *[None] * len(indices),
    ],
    jvp=lambda self_t, indices, dims, shape: index_backward(
        self_t, *indices, dims=dims, shape=shape
    ),
    grad_fn="IndexPutBackward0",
)
"""The transpose of `index`: what repeated indices show is added up."""


def _index_put(
    self: ndarray, values: ndarray, *indices: ndarray, dims: Shape, accumulate: bool
) -> ndarray:
    result = self.copy()
    key = key_of(indices, dims)
    if accumulate:
        add_at(result, key, values)
    else:
        result[key] = values
    return result


def index_put_vjp(
    grad: Any,
    indices: Any,
    values_shape: Shape,
    dims: Shape,
    accumulate: bool,
    needs: list[bool],
) -> list[Any]:
    by_self = by_values = None
    if needs[0]:
        by_self = grad if accumulate else index_clear(grad, *indices, dims=dims)
    if needs[1]:
        by_values = sum_to(index(grad, *indices, dims=dims), values_shape)
    return [by_self, by_values, *[None] * len(indices)]


index_put = fused(
    "index_put",
    _index_put,
    inputs=("self", "values", "*indices"),
    vjp=index_put_vjp,
    jvp=lambda self_t, values_t, indices, dims, accumulate: index_put(
        self_t, values_t, *indices, dims=dims, accumulate=accumulate
    ),
)


def _index_clear(self: ndarray, *indices: ndarray, dims: Shape) -> ndarray:
    cleared = self.copy()
    cleared[key_of(indices, dims)] = 0
    return cleared


index_clear = fused(
    "index_clear",
    _index_clear,
    inputs=("self", "*indices"),
    vjp=lambda grad, indices, dims: [
        index_clear(grad, *indices, dims=dims),
        *[None] * len(indices),
    ],
    jvp=lambda self_t, indices, dims: index_clear(self_t, *indices, dims=dims),
    grad_fn="IndexPutBackward0",
)
"""The input with zeros where the indices show."""
