"""Pooling to an output size that is given: the maximum and the average.

Along an axis, window `i` of `out` is `[⌊i size / out⌋, ⌈(i + 1) size / out⌉)`, so that
neighbours may overlap by an element. Arrays are (*outer, *spatial); `output_size` has
an entry for each spatial axis. Indices are those of `pooling`.
"""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np
from numpy import ndarray

from .pooling import max_pool
from .precision import widened
from .windows import Index, Sizes


def _bounds(size: int, out: int) -> list[slice]:
    return [slice(i * size // out, -(-(i + 1) * size // out)) for i in range(out)]


def _at(axis: int, position: int | slice, dims: int) -> Index:
    """The index of a position along one of the last `dims` axes."""
    return (..., position, *(slice(None),) * (dims - axis - 1))


def adaptive_avg_pool(input: ndarray, output_size: Sizes) -> ndarray:
    """The average of each window.

    Returns:
        (*outer, *output_size)
    """
    dims = len(output_size)
    x, sizes = widened(input), input.shape[input.ndim - dims :]
    if prod(output_size) == 1:
        outer, plane = input.shape[: input.ndim - dims], prod(sizes)
        weights = np.full(plane, 1 / plane, x.dtype)
        x = (x.reshape(prod(outer), plane) @ weights).reshape(*outer, *output_size)
    elif output_size != sizes:
        for axis, (size, out) in enumerate(zip(sizes, output_size, strict=True)):
            windows = [x[_at(axis, at, dims)] for at in _bounds(size, out)]
            x = np.stack([seen.mean(axis - dims) for seen in windows], axis - dims)
    return x.astype(input.dtype)


def adaptive_avg_pool_vjp(
    grad: ndarray, input_shape: Sizes, output_size: Sizes
) -> ndarray:
    """The gradient of the input of `adaptive_avg_pool`: each element gets its share."""
    dims = len(output_size)
    x, sizes = widened(grad), input_shape[len(input_shape) - dims :]
    for axis in reversed(range(dims)):
        shape = list(x.shape)
        shape[axis - dims] = sizes[axis]
        spread = np.zeros(shape, x.dtype)
        for i, window in enumerate(_bounds(sizes[axis], output_size[axis])):
            share = x[_at(axis, slice(i, i + 1), dims)] / (window.stop - window.start)
            spread[_at(axis, window, dims)] += share
        x = spread
    return x.astype(grad.dtype, copy=False)


def adaptive_max_pool(input: ndarray, output_size: Sizes) -> tuple[ndarray, ndarray]:
    """The maximum of each window, and where it is, as `max_pool` returns them."""
    dims = len(output_size)
    sizes = input.shape[input.ndim - dims :]
    step = tuple(map(int.__floordiv__, sizes, output_size))
    equal = tuple(map(int.__mul__, step, output_size)) == sizes
    if equal and prod(step) < prod(output_size):  # few taps for many windows
        zeros, ones = (0,) * dims, (1,) * dims
        return max_pool(input, step, step, zeros, ones, False)
    shape = (*input.shape[: input.ndim - dims], *output_size)
    values, indices = np.empty(shape, input.dtype), np.empty(shape, np.int64)
    positions = np.arange(prod(sizes)).reshape(sizes)
    bounds = [list(enumerate(axis)) for axis in map(_bounds, sizes, output_size)]
    for numbered in product(*bounds):
        at, window = zip(*numbered, strict=True)
        found = _maximum(input[(..., *window)], dims)
        values[(..., *at)], winner = found
        indices[(..., *at)] = positions[window].ravel()[winner]
    return values, indices


def _maximum(seen: ndarray, dims: int) -> tuple[ndarray, ndarray]:
    """The maxima over the last axes, and their flat positions there.

    Of several maxima, the first; of several NaNs, the last.
    """
    outer = seen.shape[: seen.ndim - dims]
    flat = seen.reshape(*outer, prod(seen.shape[seen.ndim - dims :]))
    winner = flat.argmax(axis=-1)
    values = np.take_along_axis(flat, winner[..., None], -1)[..., 0]
    missing = np.isnan(values) if values.dtype.kind == "f" else np.False_
    if missing.any():
        last = flat.shape[-1] - 1 - np.isnan(flat[..., ::-1]).argmax(axis=-1)
        winner = np.where(missing, last, winner)
    return values, winner
