"""Sums of arrays over any dimensions, by the quickest way that keeps the digits.

NumPy adds rows one after the other, which loses digits of long float32 columns, and
takes long where rows are short. Products with ones (see `sums`) are quicker from a few
hundred elements on, and add in two stages.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy import ndarray

from .sums import LONG_ROW, column_sums, ones, row_sums

add: Any = np.add  # whose types know `keepdims` as a keyword alone, which is slower

FEW = 400
"""Up to this many elements it does not pay to look how they lie in memory."""

MANY = 40_000
"""From this many elements on the sum of all is quicker in two stages."""

BLOCK = 512
"""So many elements are added in one go."""

BLAS = "fd"
"""The dtypes whose products BLAS knows how to make."""


def summed(array: Any, dim: tuple[int, ...] | None, keepdim: bool = False) -> Any:
    """Return the sum over dimensions, counted from zero up; None means all."""
    if array.dtype.char not in BLAS:
        return add.reduce(array, dim, None, None, keepdim)
    if array.size < FEW:
        return summed_few(array, dim, keepdim)
    ndim = array.ndim
    if not array.flags.c_contiguous:
        if dim is None or not array.flags.f_contiguous:
            return add.reduce(array, dim, None, None, keepdim)
        turned = tuple([ndim - 1 - i for i in dim])
        return summed(array.T, turned, keepdim).T
    if dim is None or len(dim) == ndim:
        total = sum_of_all(array)
        return total.reshape((1,) * ndim) if keepdim else total
    leading, trailing = runs(dim, ndim)
    if leading + trailing < len(dim):
        return add.reduce(array, dim, None, None, keepdim)
    shape = array.shape
    found = array
    if trailing:
        found = row_sums(found.reshape(-1, prod(shape[ndim - trailing :])))
    if leading:
        found = column_sums(found.reshape(prod(shape[:leading]), -1))
    if keepdim:
        return found.reshape([1 if i in dim else n for i, n in enumerate(shape)])
    return found.reshape(shape[leading : ndim - trailing])


def summed_few(array: Any, dim: tuple[int, ...] | None, keepdim: bool) -> Any:
    """Return the sum of few elements: products with ones take half of NumPy's time."""
    if array.flags.c_contiguous:
        if dim is None and not keepdim:
            return array.reshape(-1).dot(ones(array.size, array.dtype))
        if array.ndim == 2 and dim is not None and len(dim) == 1:
            rows, columns = array.shape
            if dim == (1,):
                sums = array.dot(ones(columns, array.dtype))
                return sums[:, None] if keepdim else sums
            sums = ones(rows, array.dtype).dot(array)
            return sums[None] if keepdim else sums
    return add.reduce(array, dim, None, None, keepdim)


def runs(dim: tuple[int, ...], ndim: int) -> tuple[int, int]:
    """Return how many of the first, and how many of the last dimensions are summed."""
    leading = trailing = 0
    while leading in dim:
        leading += 1
    while ndim - 1 - trailing in dim:
        trailing += 1
    return leading, trailing


def sum_of_all(array: ndarray) -> Any:
    """Return the sum of all elements of a contiguous array."""
    if array.size < MANY:
        return add.reduce(array, None)
    flat = array.reshape(-1)
    whole = flat.size - flat.size % BLOCK
    rows = row_sums(flat[:whole].reshape(-1, BLOCK))
    return sum_of_all(rows) + add.reduce(flat[whole:])


def summed_squares(
    array: Any, dim: tuple[int, ...] | None, keepdim: bool = False, spare: bool = False
) -> Any:
    """Return the sum of the squares of real elements.

    Args:
        spare: whether the array may be written over.
    """
    ndim = array.ndim
    if array.size >= FEW and array.dtype.char in BLAS and array.flags.c_contiguous:
        leading, trailing = (ndim, 0) if dim is None else runs(dim, ndim)
        if leading == ndim:
            total = squares_of_all(array.reshape(-1))
            return total.reshape((1,) * ndim) if keepdim else total
        if trailing == len(dim or ()):
            inner = prod(array.shape[ndim - trailing :])
            rows = array.reshape(-1, inner)
            if inner <= LONG_ROW:
                found = np.vecdot(rows, rows)
                outer = array.shape[: ndim - trailing]
                return found.reshape((*outer, *(1,) * trailing) if keepdim else outer)
    squares = np.multiply(array, array, out=array if spare else None)
    return summed(squares, dim, keepdim)


def squares_of_all(flat: ndarray) -> Any:
    """Return the sum of the squares of a vector, in stages."""
    whole = flat.size - flat.size % BLOCK
    rows, rest = flat[:whole].reshape(-1, BLOCK), flat[whole:]
    return sum_of_all(np.vecdot(rows, rows)) + np.vecdot(rest, rest)
