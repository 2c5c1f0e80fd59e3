"""Ops that copy elements to other places: turned, shifted, repeated, on diagonals."""

from __future__ import annotations

from itertools import accumulate
from math import prod
from typing import Any

import numpy as np
from numpy import ndarray

from .fitting import sum_to
from .indexing import basic_slice
from .op import linear
from .selection import masked
from .strided import diagonal, diagonal_backward

Shape = tuple[int, ...]

# --- turning and shifting -------------------------------------------------------------

BACKWARDS = slice(None, None, -1)


def _flip(self: ndarray, *, dims: Shape) -> ndarray:
    index = [BACKWARDS if dim in dims else slice(None) for dim in range(self.ndim)]
    return self[(*index, ...)].copy()


flip = linear("flip", _flip, lambda grad, dims: flip(grad, dims=dims))

rot90 = linear(
    "rot90",
    lambda self, *, k, dims: np.rot90(self, k, dims).copy(),
    lambda grad, k, dims: rot90(grad, k=-k, dims=dims),
)


def _roll(self: ndarray, *, shifts: Shape, dims: Shape) -> ndarray:
    for shift, dim in zip(shifts, dims, strict=True):
        self = shifted(self, shift, dim)
    return self


def shifted(array: ndarray, shift: int, dim: int) -> ndarray:
    """Return a copy shifted along a dimension; what leaves enters at the other end."""
    size = array.shape[dim]
    if size == 0:
        return array.copy()
    shift %= size
    result = np.empty(array.shape, array.dtype)
    before = (slice(None),) * dim
    result[(*before, slice(shift, None))] = array[(*before, slice(size - shift))]
    result[(*before, slice(shift))] = array[(*before, slice(size - shift, None))]
    return result


roll_all = linear(
    "roll_all",
    lambda self, *, distance: shifted(self.reshape(-1), distance, 0).reshape(
        self.shape
    ),
    lambda grad, distance: roll_all(grad, distance=-distance),
    grad_fn="RollBackward0",
)
"""All elements shifted as a vector."""

roll = linear(
    "roll",
    _roll,
    lambda grad, shifts, dims: roll(
        grad, shifts=tuple([-shift for shift in shifts]), dims=dims
    ),
)

# --- repeating ------------------------------------------------------------------------


def interleaved(repeats: Shape, shape: Shape) -> tuple[Shape, Shape]:
    """Return the shapes with a dimension before each of `shape`: repeated, and not."""
    pairs = list(zip(repeats, shape, strict=True))
    wide = tuple([n for pair in pairs for n in pair])
    narrow = tuple([n for _, size in pairs for n in (1, size)])
    return wide, narrow


def _repeat(self: ndarray, *, repeats: Shape) -> ndarray:
    wide, narrow = interleaved(repeats, self.shape)
    result = np.empty(wide, self.dtype)
    result[...] = self.reshape(narrow)
    shape = [prod(wide[i : i + 2]) for i in range(0, len(wide), 2)]
    return result.reshape(shape)


def unrepeat(grad: Any, self_shape: Shape, repeats: Shape) -> Any:
    """Sum the gradient over the copies."""
    wide, narrow = interleaved(repeats, self_shape)
    return sum_to(grad.reshape(wide), narrow).reshape(self_shape)


repeat = linear("repeat", _repeat, unrepeat)
"""As many repeats as there are dimensions."""

# --- diagonals and triangles ----------------------------------------------------------


def _diag_embed(self: ndarray, *, offset: int, dim1: int, dim2: int) -> ndarray:
    size = self.shape[-1] + abs(offset)
    shape = list(self.shape[:-1])
    for dim in sorted((dim1, dim2)):
        shape.insert(dim, size)
    result = np.zeros(shape, self.dtype)
    diagonal(result, offset=offset, dim1=dim1, dim2=dim2)[...] = self
    return result


diag_embed = linear(
    "diag_embed",
    _diag_embed,
    lambda grad, offset, dim1, dim2: diagonal(
        grad, offset=offset, dim1=dim1, dim2=dim2
    ),
)


diagonal_copy = linear(
    "diagonal_copy",
    lambda self, *, offset: self.diagonal(offset).copy(),
    lambda grad, self_shape, offset: diagonal_backward(
        grad, shape=self_shape, offset=offset, dim1=0, dim2=1
    ),
    grad_fn="DiagonalBackward0_copy",
)


def triangle(shape: Shape, diagonal: int) -> ndarray:
    """Return a mask of the lower triangle of matrices of a shape."""
    rows, columns = shape[-2:]
    return np.arange(rows)[:, None] >= np.arange(-diagonal, columns - diagonal)


def _tril(self: ndarray, *, diagonal: int) -> ndarray:
    return masked(self, triangle(self.shape, diagonal))


def _triu(self: ndarray, *, diagonal: int) -> ndarray:
    return masked(self, ~triangle(self.shape, diagonal - 1))


tril = linear("tril", _tril, lambda grad, diagonal: tril(grad, diagonal=diagonal))
triu = linear("triu", _triu, lambda grad, diagonal: triu(grad, diagonal=diagonal))


def _block_diag(*tensors: ndarray) -> ndarray:
    blocks = [np.atleast_2d(tensor) for tensor in tensors]
    rows = sum([block.shape[0] for block in blocks])
    columns = sum([block.shape[1] for block in blocks])
    result = np.zeros((rows, columns), np.result_type(*blocks))
    row = column = 0
    for block in blocks:
        height, width = block.shape
        result[row : row + height, column : column + width] = block
        row += height
        column += width
    return result


def blocks_of(grad: Any, tensors_shape: tuple[Shape, ...]) -> list[Any]:
    """Return the blocks on the diagonal."""
    sizes = [(1, 1, *shape)[-2:] for shape in tensors_shape]
    rows = list(accumulate([height for height, _ in sizes], initial=0))
    columns = list(accumulate([width for _, width in sizes], initial=0))
    return [
        basic_slice(
            grad,
            index=(
                slice(rows[i], rows[i + 1]),
                slice(columns[i], columns[i + 1]),
                ...,
            ),
        ).reshape(shape)
        for i, shape in enumerate(tensors_shape)
    ]


block_diag = linear("block_diag", _block_diag, blocks_of, inputs=("*tensors",))
