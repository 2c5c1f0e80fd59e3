"""Softmax and log-softmax along an axis, forward and backward.

    softmax(x) = exp(x - c) / Σ exp(x - c)              d x = y (grad - Σ grad y)
    log_softmax(x) = x - c - log Σ exp(x - c)           d x = grad - exp(y) Σ grad

for any c. The largest x keeps exponentials from overflowing and logarithms exact.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np
from numpy import ndarray

from .precision import widened
from .sums import row_sums
from .windows import blocks

SMALL = 1 << 16
"""Up to so many bytes there is nothing to gain from looking at blocks."""


def by_axis(x: ndarray, dim: int) -> ndarray:
    """(outer, axis, inner), contiguous, float32 at least."""
    shape = x.shape or (1,)
    dim %= len(shape)
    if len(shape) == 2 and dim:
        return np.ascontiguousarray(widened(x))[:, :, None]
    sides = prod(shape[:dim]), shape[dim], prod(shape[dim + 1 :])
    return np.ascontiguousarray(widened(x)).reshape(sides)


def _along(compute: Callable[..., None], dim: int, *arrays: ndarray) -> ndarray:
    """Compute blocks of arrays (outer, axis, inner) into a new array."""
    first = arrays[0]
    parts = [by_axis(array, dim) for array in arrays]
    # an array of its own and no view of one: a leaf may keep it as its gradient
    result = np.empty(first.shape, parts[0].dtype)
    if not result.size:
        return result.astype(first.dtype, copy=False)
    out = result.reshape(parts[0].shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        if out.nbytes < SMALL:
            compute(*parts, out)
        else:
            for part in blocks(len(out), 4 * out[:1].nbytes):
                compute(*(array[part] for array in parts), out[part])
    return result if result.dtype == first.dtype else result.astype(first.dtype)


def are_few_rows(x: ndarray, dim: int) -> bool:
    """Whether softmax is that of the rows of a small matrix."""
    small = x.ndim == 2 and dim == 1 and 0 < x.nbytes < SMALL
    return small and x.dtype.char in "fd"


def shifted(x: ndarray) -> ndarray:
    """The rows of a small matrix, each less its largest element."""
    return x - np.maximum.reduce(x.T.copy(), 0)[:, None]


def sums_along(x: ndarray) -> ndarray:
    """Sums over the middle axis of (outer, axis, inner), as (outer, 1, inner)."""
    if x.shape[2] == 1:
        return row_sums(x[:, :, 0])[:, None, None]
    return np.asarray(np.add.reduce(x, 1, keepdims=True))


def largest_along(x: ndarray) -> ndarray:
    """Maxima over the middle axis of (outer, axis, inner), as (outer, 1, inner)."""
    outer, columns, inner = x.shape
    if inner > 1:
        return np.asarray(np.maximum.reduce(x, 1, keepdims=True))
    if columns < 32:
        largest = np.maximum.reduce(np.ascontiguousarray(x[:, :, 0].T), 0)
    else:  # half the time that reduce takes for rows
        starts = np.arange(0, outer * columns, columns)
        largest = np.maximum.reduceat(x.reshape(-1), starts)
    return np.asarray(largest)[:, None, None]


# Softmax needs no shift where exponents stay below the first, so that none overflows,
# and sums exceed the second, so that hardly more underflow than would with a shift.
SAFE_EXPONENT = 60.0
LEAST_SUM = 1e-3


def softmax(input: ndarray, dim: int) -> ndarray:
    """exp(x) divided by its sum along an axis."""
    if are_few_rows(input, dim):
        return _softmax_of_few(input)
    return _along(_softmax, dim, input)


def _softmax_of_few(x: ndarray) -> ndarray:
    """Do as `_softmax`; argmax takes a fifth of the time of max, and finds NaN, too."""
    if x.item(x.argmax()) < SAFE_EXPONENT:
        result = np.exp(x)
        sums = row_sums(result)
        if sums.item(sums.argmin()) > LEAST_SUM:
            result /= sums[:, None]
            return result
    result = shifted(x)
    np.exp(result, result)
    result /= row_sums(result)[:, None]
    return result


def _softmax(x: ndarray, out: ndarray) -> None:
    if x.max(initial=-np.inf) < SAFE_EXPONENT:
        sums = sums_along(np.exp(x, out=out))
        if sums.min(initial=np.inf) > LEAST_SUM:
            out /= sums
            return
    np.subtract(x, largest_along(x), out=out)
    np.exp(out, out=out)
    out /= sums_along(out)


def softmax_vjp(grad: ndarray, result: ndarray, dim: int) -> ndarray:
    """The gradient of the input of `softmax`, which gave `result`."""
    if are_few_rows(grad, dim) and grad.dtype == result.dtype:
        slope = grad * result
        np.subtract(grad, row_sums(slope)[:, None], slope)
        slope *= result
        return slope
    return _along(_softmax_vjp, dim, grad, result)


def _softmax_vjp(grad: ndarray, result: ndarray, out: ndarray) -> None:
    np.multiply(grad, result, out=out)
    np.subtract(grad, sums_along(out), out=out)
    out *= result


def log_softmax(input: ndarray, dim: int) -> ndarray:
    """The logarithm of softmax."""
    if are_few_rows(input, dim):  # as a classifier's: calls take most of the time
        result = shifted(input)
        result -= np.log(row_sums(np.exp(result)))[:, None]
        return result
    return _along(_log_softmax, dim, input)


def _log_softmax(x: ndarray, out: ndarray) -> None:
    np.subtract(x, largest_along(x), out=out)
    out -= np.log(sums_along(np.exp(out)))


def log_softmax_vjp(grad: ndarray, result: ndarray, dim: int) -> ndarray:
    """The gradient of the input of `log_softmax`, which gave `result`."""
    if are_few_rows(grad, dim) and grad.dtype == result.dtype:
        slope = np.exp(result)
        slope *= row_sums(grad)[:, None]
        return np.subtract(grad, slope, out=slope)
    return _along(_log_softmax_vjp, dim, grad, result)


def _log_softmax_vjp(grad: ndarray, result: ndarray, out: ndarray) -> None:
    np.exp(result, out=out)
    out *= sums_along(grad)
    np.subtract(grad, out, out=out)
