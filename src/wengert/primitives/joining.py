"""Ops that join arrays along a dimension, and those that take them apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy import ndarray

from .. import dtypes
from .indexing import basic_select, basic_slice
from .op import linear, nondifferentiable, view

Shape = tuple[int, ...]

new_zeros = nondifferentiable(
    "new_zeros", lambda self, *, shape: np.zeros(shape, self.dtype)
)


def section(dim: int, start: int, stop: int) -> tuple[Any, ...]:
    """Return the index of a section along one dimension."""
    return (*(slice(None),) * dim, slice(start, stop), ...)


def position(dim: int, index: int) -> tuple[Any, ...]:
    """Return the index of one place along one dimension."""
    return (*(slice(None),) * dim, index, ...)


def common_dtype(arrays: Sequence[ndarray]) -> np.dtype[Any] | None:
    """Return the dtype in which to join arrays; None if they have it already."""
    first = arrays[0].dtype
    for array in arrays:
        if array.dtype is not first:
            return dtypes.result_dtype(*arrays)
    return None


# --- joining --------------------------------------------------------------------------


def concatenated(arrays: Sequence[ndarray], dim: int) -> ndarray:
    """Return arrays joined in their common dtype."""
    dtype = common_dtype(arrays)
    if dtype is None:
        return np.concatenate(arrays, dim)
    return np.concatenate(arrays, dim, dtype=dtype, casting="unsafe")


def _cat(*tensors: ndarray, dim: int) -> ndarray:
    return concatenated(tensors, dim)


def uncat(
    grad: Any, tensors_shape: tuple[Shape, ...], dim: int, needs: list[bool]
) -> list[Any]:
    """Return for each input its section of the gradient."""
    ends = list(accumulate([shape[dim] for shape in tensors_shape]))
    return [
        basic_slice(grad, index=section(dim, end - shape[dim], end)) if needed else None
        for shape, end, needed in zip(tensors_shape, ends, needs, strict=True)
    ]


cat = linear("cat", _cat, uncat, inputs=("*tensors",))


def _stack(*tensors: ndarray, dim: int) -> ndarray:
    key = (*(slice(None),) * dim, None)
    return concatenated([array[key] for array in tensors], dim)


def unstack(grad: Any, dim: int, needs: list[bool]) -> list[Any]:
    """Return for each input its place in the gradient."""
    return [
        basic_select(grad, index=position(dim, i)) if needed else None
        for i, needed in enumerate(needs)
    ]


stack = linear("stack", _stack, unstack, inputs=("*tensors",))

# --- taking apart ---------------------------------------------------------------------


def _split(self: ndarray, *, sizes: Shape, dim: int) -> tuple[ndarray, ...]:
    before = (slice(None),) * dim
    parts = []
    start = 0
    for size in sizes:
        parts.append(self[(*before, slice(start, start + size))])
        start += size
    return tuple(parts)


def unsplit(grads: list[Any], self_shape: Shape, sizes: Shape, dim: int) -> Any:
    """Join the gradients of the sections, zeros for those that have none."""
    shapes = [(*self_shape[:dim], size, *self_shape[dim + 1 :]) for size in sizes]
    return cat(*with_zeros(grads, shapes), dim=dim)


def with_zeros(grads: list[Any], shapes: Sequence[Shape]) -> list[Any]:
    """Put zeros where there is no gradient."""
    present = next(grad for grad in grads if grad is not None)
    return [
        new_zeros(present, shape=shape) if grad is None else grad
        for grad, shape in zip(grads, shapes, strict=True)
    ]


split = view("split", _split, unsplit, several=True)
split_with_sizes = view("split_with_sizes", _split, unsplit, several=True)
unsafe_split = linear("unsafe_split", _split, unsplit)
"""A split whose results, though they share memory, do not count as views."""


def _unbind(self: ndarray, *, dim: int) -> tuple[ndarray, ...]:
    before: tuple[Any, ...] = (slice(None),) * dim
    return tuple([self[(*before, i, ...)] for i in range(self.shape[dim])])


def unbound(grads: list[Any], self_shape: Shape, dim: int) -> Any:
    """Stack the gradients of the places, zeros for those that have none."""
    shape = self_shape[:dim] + self_shape[dim + 1 :]
    return stack(*with_zeros(grads, [shape] * len(grads)), dim=dim)


unbind = view("unbind", _unbind, unbound, several=True)
