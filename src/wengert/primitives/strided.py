"""Ops that look at memory by strides: windows, diagonals, and any strides at all.

Strides are in bytes where NumPy has them, and in elements where PyTorch has them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .op import linear, view

Shape = tuple[int, ...]

# --- arrays on given memory -----------------------------------------------------------


def storage_of(array: ndarray) -> ndarray:
    """Return the whole memory of which an array shows a part, as a vector."""
    root = array
    while type(root.base) is ndarray:
        root = root.base
    return root.ravel(order="K").view(array.dtype)


def address(array: ndarray) -> int:
    """Return where the first element of an array lies in memory."""
    start: int = array.__array_interface__["data"][0]
    return start


def restrided(array: ndarray, shape: Shape, strides: Shape, offset: int = 0) -> ndarray:
    """Return a view of an array's memory with other sizes and strides.

    Args:
        strides: in bytes.
        offset: in bytes, from the array's first element.
    """
    if array.flags.c_contiguous:
        return ndarray(shape, array.dtype, array, offset, strides)
    storage = storage_of(array)
    offset += address(array) - address(storage)
    return ndarray(shape, array.dtype, storage, offset, strides)


# --- windows --------------------------------------------------------------------------


def _unfold(self: ndarray, *, dim: int, size: int, step: int) -> ndarray:
    count = (self.shape[dim] - size) // step + 1
    stride = self.strides[dim]
    shape = (*self.shape[:dim], count, *self.shape[dim + 1 :], size)
    strides = (*self.strides[:dim], stride * step, *self.strides[dim + 1 :], stride)
    return restrided(self, shape, strides)


unfold = view(
    "unfold",
    _unfold,
    lambda grad, self_shape, dim, size, step: unfold_backward(
        grad, shape=self_shape, dim=dim, size=size, step=step
    ),
)


def _unfold_backward(
    self: ndarray, *, shape: Shape, dim: int, size: int, step: int
) -> ndarray:
    result = np.zeros(shape, self.dtype)
    before: tuple[Any, ...] = (slice(None),) * dim
    count = self.shape[dim]
    if size <= count:  # one slice for each place in a window, or one for each window
        for i in range(size):
            places = slice(i, i + (count - 1) * step + 1, step)
            result[(*before, places)] += self[..., i]
    else:
        windows = np.moveaxis(self, -1, dim + 1)
        for i in range(count):
            result[(*before, slice(i * step, i * step + size))] += windows[(*before, i)]
    return result


unfold_backward = linear(
    "unfold_backward",
    _unfold_backward,
    lambda grad, dim, size, step: unfold(grad, dim=dim, size=size, step=step),
    grad_fn="UnfoldBackwardBackward0",
)

# --- diagonals ------------------------------------------------------------------------


def _diagonal(self: ndarray, *, offset: int, dim1: int, dim2: int) -> ndarray:
    result = self.diagonal(offset, dim1, dim2)
    result.setflags(write=self.flags.writeable)  # NumPy's diagonals are read-only
    return result


diagonal = view(
    "diagonal",
    _diagonal,
    lambda grad, self_shape, offset, dim1, dim2: diagonal_backward(
        grad, shape=self_shape, offset=offset, dim1=dim1, dim2=dim2
    ),
)


def _diagonal_backward(
    self: ndarray, *, shape: Shape, offset: int, dim1: int, dim2: int
) -> ndarray:
    result = np.zeros(shape, self.dtype)
    _diagonal(result, offset=offset, dim1=dim1, dim2=dim2)[...] = self
    return result


diagonal_backward = linear(
    "diagonal_backward",
    _diagonal_backward,
    lambda grad, offset, dim1, dim2: diagonal(
        grad, offset=offset, dim1=dim1, dim2=dim2
    ),
    grad_fn="DiagonalBackwardBackward0",
)
"""Zeros of a shape, except on a diagonal: that is the input."""

# --- any strides ----------------------------------------------------------------------
#
# Sizes and strides are in elements, the offset is from the input's first element.
# ``own`` are the strides of the input, which say where its elements lie.


def _as_strided(
    self: ndarray, *, size: Shape, stride: Shape, offset: int, own: Shape
) -> ndarray:
    width = self.itemsize
    if any(
        [
            actual != step * width and n > 1
            for actual, step, n in zip(self.strides, own, self.shape, strict=True)
        ]
    ):  # a tangent, say, that lies in memory as its primal does not
        return _strided_forward(self, size=size, stride=stride, offset=offset, own=own)
    storage = storage_of(self)
    offset = offset * width + address(self) - address(storage)
    steps = tuple([step * width for step in stride])
    return ndarray(size, self.dtype, storage, offset, steps)


def strided_positions(shape: Shape, stride: Shape, offset: int = 0) -> ndarray:
    """Return where in memory the elements of an array lie, in elements."""
    positions = np.full(shape, offset)
    for i, (size, step) in enumerate(zip(shape, stride, strict=True)):
        ones = [1] * len(shape)
        ones[i] = size
        positions += (np.arange(size) * step).reshape(ones)
    return positions


class Places:
    """Where in one memory the elements of an input lie, and what `as_strided` shows."""

    def __init__(
        self, shape: Shape, own: Shape, size: Shape, stride: Shape, offset: int
    ) -> None:
        self.inputs = strided_positions(shape, own)
        self.shown = strided_positions(size, stride, offset)
        lowest = min([p.min() for p in (self.inputs, self.shown) if p.size], default=0)
        self.inputs -= lowest
        self.shown -= lowest
        self.extent = 1 + max(
            [int(p.max()) for p in (self.inputs, self.shown) if p.size], default=-1
        )
        counts = np.bincount(self.inputs.reshape(-1), minlength=self.extent)
        self.shares = np.maximum(counts, 1)


def _strided_backward(
    self: ndarray, *, shape: Shape, size: Shape, stride: Shape, offset: int, own: Shape
) -> ndarray:
    places = Places(shape, own, size, stride, offset)
    memory = np.zeros(places.extent, self.dtype)
    np.add.at(memory, places.shown.reshape(-1), self.reshape(-1))
    memory /= places.shares
    return memory[places.inputs]


def _strided_forward(
    self: ndarray, *, size: Shape, stride: Shape, offset: int, own: Shape
) -> ndarray:
    places = Places(self.shape, own, size, stride, offset)
    memory = np.zeros(places.extent, self.dtype)
    np.add.at(memory, places.inputs.reshape(-1), self.reshape(-1))
    memory /= places.shares
    return memory[places.shown]


def strided_transpose(
    grad: Any, self_shape: Shape, size: Shape, stride: Shape, offset: int, own: Shape
) -> Any:
    return strided_backward(
        grad, shape=self_shape, size=size, stride=stride, offset=offset, own=own
    )


as_strided = view("as_strided", _as_strided, strided_transpose)
strided_forward = linear(
    "strided_forward",
    _strided_forward,
    strided_transpose,
    grad_fn="AsStridedBackward0",
)
"""What `as_strided` is for an input that lies elsewhere: by the strides it once had."""

strided_backward = linear(
    "strided_backward",
    _strided_backward,
    lambda grad, size, stride, offset, own: strided_forward(
        grad, size=size, stride=stride, offset=offset, own=own
    ),
    grad_fn="AsStridedBackward0",
)
