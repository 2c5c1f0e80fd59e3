"""Pooling over windows: the maximum and the average.

Arrays are (*outer, *spatial); `kernel` has an entry for each spatial axis, as have
`stride`, `padding` and `dilation`. Indices are PyTorch's: positions in the flattened
spatial axes of the input, of the first maximum in a window or of its last NaN.
"""

from __future__ import annotations

from functools import lru_cache, reduce
from math import prod
from typing import Any

import numpy as np
from numpy import ndarray

from .precision import widened
from .windows import Index, Sizes, Windows, blocks, output_size, region, taps


@lru_cache(maxsize=256)
def pool_windows(
    sizes: Sizes,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
) -> Windows:
    """The windows of a pooling over an input of these spatial sizes."""
    pool_size = _ceil_size if ceil_mode else output_size
    out = tuple(map(pool_size, sizes, kernel, stride, padding, dilation))
    return Windows(kernel, stride, dilation, padding, out)


def _ceil_size(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """How many windows, counting one that ends outside but does not begin there."""
    reach = size + 2 * padding - dilation * (kernel - 1) - 1
    out = -(-reach // stride) + 1
    return out - 1 if (out - 1) * stride >= size + padding else out


# The maximum


def max_pool(
    input: ndarray,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
) -> tuple[ndarray, ndarray]:
    """The maximum of each window, and where it is.

    Args:
        input: (*outer, *spatial)
        kernel: the sizes of a window.
        stride: the distance of neighbouring windows.
        padding: how far windows reach over the input's edges, where nothing wins.
        dilation: the distance of neighbouring elements of a window.
        ceil_mode: keep a last window that is not complete.

    Returns:
        The values and their indices (int64), both (*outer, *out).
    """
    axis = input.ndim - len(kernel)
    outer, sizes = input.shape[:axis], input.shape[axis:]
    windows = pool_windows(sizes, kernel, stride, padding, dilation, ceil_mode)
    offsets, starts = _flat_taps(windows, sizes)
    planes = input.reshape(prod(outer), *sizes)
    values = np.empty((len(planes), *windows.out), input.dtype)
    indices = np.empty(values.shape, np.int64)
    for part in blocks(len(planes), prod(sizes) * input.itemsize):
        fill = _lowest(input.dtype)
        padded = region(planes[part], padding, windows.span, axis=1, fill=fill)
        reads = [padded[(..., *positions)] for _, positions in taps(windows)]
        values[part], winners = _first_maximum(reads, _first_inside(windows))
        np.add(offsets.take(winners), starts, out=indices[part])
    return values.reshape(*outer, *windows.out), indices.reshape(*outer, *windows.out)


def _lowest(dtype: np.dtype[Any]) -> Any:
    if dtype.kind == "f":
        return -np.inf
    return np.iinfo(dtype).min if dtype.kind in "iu" else False


def _first_maximum(reads: list[ndarray], first: ndarray) -> tuple[ndarray, ndarray]:
    """The elementwise maximum of arrays, and the number of the first that has it.

    Args:
        reads: the arrays.
        first: the number to give where no array exceeds the lowest value.
    """
    values = reads[0].copy()
    small = np.min_scalar_type(len(reads) - 1)
    winners = np.empty(values.shape, small)
    winners[...] = first
    for number, read in enumerate(reads[1:], 1):
        read = np.ascontiguousarray(read)  # read twice: short strided runs are slow
        # numbers grow, so that a maximum puts this one where `read` is the larger
        larger = (read > values).view(np.uint8)
        np.maximum(winners, larger * small.type(number), out=winners)
        np.maximum(values, read, out=values)
    if values.dtype.kind == "f" and np.isnan(values).any():
        for number, read in enumerate(reads):
            winners[np.isnan(read)] = number
    return values, winners


@lru_cache(maxsize=256)
def _first_inside(windows: Windows) -> ndarray:
    """The number of each window's first tap that is not padding: (*out)."""
    number = np.zeros((1,) * len(windows.out), np.intp)
    for axis, (kernel, stride, dilation, before, out) in enumerate(
        zip(*windows, strict=True)
    ):
        missing = before - np.arange(out) * stride
        first = np.maximum(0, -(-missing // dilation))
        number = number * kernel + _along(first, axis, len(windows.out))
    return number


@lru_cache(maxsize=256)
def _flat_taps(windows: Windows, sizes: Sizes) -> tuple[ndarray, ndarray]:
    """The flat position of each tap in its window, and of each window in the input."""
    dims = len(sizes)
    inner = [prod(sizes[axis + 1 :]) for axis in range(dims)]
    starts, steps = [], []
    for axis, (kernel, stride, dilation, before, out) in enumerate(
        zip(*windows, strict=True)
    ):
        starts.append(_along(np.arange(out) * stride - before, axis, dims))
        steps.append(_along(np.arange(kernel) * dilation, axis, dims))
    offsets = reduce(np.add, map(np.multiply, steps, inner)).ravel()
    return offsets, reduce(np.add, map(np.multiply, starts, inner))


def _along(vector: ndarray, axis: int, dims: int) -> ndarray:
    """The vector as the given axis of an array of so many dimensions."""
    shape = [1] * dims
    shape[axis] = len(vector)
    return vector.reshape(shape)


def _flat_positions(indices: ndarray, dims: int, plane: int) -> ndarray:
    """Indices in planes of so many elements as indices in the whole array, flat."""
    inner = prod(indices.shape[indices.ndim - dims :])
    planes = prod(indices.shape[: indices.ndim - dims])
    starts = np.arange(planes)[:, None] * plane
    return np.ravel(indices.reshape(planes, inner) + starts)


def max_pool_vjp(
    grad: ndarray, indices: ndarray, input_shape: Sizes, dims: int
) -> ndarray:
    """The gradient of the input of a maximum over windows of `dims` axes.

    Each window's gradient is added where its maximum was found.
    """
    plane = prod(input_shape[len(input_shape) - dims :])
    result = np.zeros(prod(input_shape), grad.dtype)
    np.add.at(result, _flat_positions(indices, dims, plane), grad.ravel())
    return result.reshape(input_shape)


def take_pooled(array: ndarray, indices: ndarray, dims: int) -> ndarray:
    """Elements at the indices of a maximum: the adjoint of `max_pool_vjp` in `grad`."""
    plane = prod(array.shape[array.ndim - dims :])
    taken: ndarray = array.ravel()[_flat_positions(indices, dims, plane)]
    return taken.reshape(indices.shape)


# The average


def avg_pool(
    input: ndarray,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> ndarray:
    """The average of each window.

    Args:
        input: (*outer, *spatial)
        kernel: the sizes of a window.
        stride: the distance of neighbouring windows.
        padding: how many zeros are assumed before and after the input.
        ceil_mode: keep a last window that is not complete.
        count_include_pad: whether these zeros count as elements.
        divisor_override: what to divide each sum by, instead of its elements' number.

    Returns:
        (*outer, *out)
    """
    axis = input.ndim - len(kernel)
    sizes = input.shape[axis:]
    ones = (1,) * len(kernel)
    windows = pool_windows(sizes, kernel, stride, padding, ones, ceil_mode)
    divisor = _divisor(windows, sizes, count_include_pad, divisor_override)
    total = _add_windows(region(widened(input), padding, windows.span, axis), windows)
    if input.dtype.kind in "iu":
        total = np.trunc(total / divisor)
    else:
        total /= divisor
    return np.asarray(total, input.dtype)


def avg_pool_vjp(
    grad: ndarray,
    input_shape: Sizes,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> ndarray:
    """The gradient of the input of an average over windows: each gets its share."""
    axis = grad.ndim - len(kernel)
    sizes = input_shape[axis:]
    ones = (1,) * len(kernel)
    windows = pool_windows(sizes, kernel, stride, padding, ones, ceil_mode)
    divisor = _divisor(windows, sizes, count_include_pad, divisor_override)
    share = widened(grad) / widened(np.asarray(divisor, grad.dtype))
    back = tuple(-pad for pad in padding)
    result = region(_spread_windows(share, windows), back, sizes, axis)
    return np.ascontiguousarray(result, grad.dtype)


@lru_cache(maxsize=256)
def _divisor(
    windows: Windows, sizes: Sizes, include_pad: bool, override: int | None
) -> Any:
    """How many elements each window averages: a number, or (*out) where they differ."""
    if override is not None:
        return override
    counts = []
    for size, (kernel, stride, _, before, out) in zip(
        sizes, zip(*windows, strict=True), strict=True
    ):
        start = np.arange(out) * stride - before
        end = np.minimum(start + kernel, size + before)
        if not include_pad:
            start, end = np.maximum(start, 0), np.minimum(end, size)
        counts.append(end - start)
    dims = len(sizes)
    count = reduce(np.multiply, [_along(c, at, dims) for at, c in enumerate(counts)])
    first = count.item(0)
    return first if (count == first).all() else count


def _add_windows(x: ndarray, windows: Windows) -> ndarray:
    """The sum of each window, axis by axis: (*outer, *out) of (*outer, *span)."""
    for reads in _reads_by_axis(windows):
        total = x[reads[0]].copy()
        for read in reads[1:]:
            total += x[read]
        x = total
    return x


def _spread_windows(x: ndarray, windows: Windows) -> ndarray:
    """Add each window's value to all of its elements: the adjoint of `_add_windows`."""
    for axis, reads in enumerate(reversed(_reads_by_axis(windows)), 1):
        shape = list(x.shape)
        shape[-axis] = windows.span[-axis]
        total = np.zeros(shape, x.dtype)
        for read in reads:
            total[read] += x
        x = total
    return x


@lru_cache(maxsize=256)
def _reads_by_axis(windows: Windows) -> list[list[Index]]:
    """For each axis the indices that its taps read, of an array (*outer, *span)."""
    reads, rest = [], windows
    while rest.out:
        after = (slice(None),) * len(rest.tail.out)
        reads.append([(..., *positions, *after) for _, positions in taps(rest.head)])
        rest = rest.tail
    return reads
