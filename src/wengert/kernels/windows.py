"""Sliding windows over an array's spatial axes: padding, views, unfold and fold.

Every window computation (convolution, pooling, im2col) is described by one `Windows`:
window `y` and tap `i` meet at position `y * stride + i * dilation - before` of the
input. Arrays are (batch, channels, *spatial) unless an `axis` says where the spatial
axes begin.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray
from numpy.lib.stride_tricks import as_strided

Sizes = tuple[int, ...]
Index = tuple[Any, ...]

# Temporaries of one block of images stay in the caches. Measured from 0.5 to 8 MB:
# smaller blocks give BLAS too little work at a time, larger ones go through memory.
BLOCK_BYTES = 1 << 21


class Windows(NamedTuple):
    """Where windows lie; each field has one entry for each spatial axis.

    Args:
        kernel: how many taps a window has.
        stride: the distance of neighbouring windows.
        dilation: the distance of neighbouring taps.
        before: how far ahead of the input the first window begins; negative crops.
        out: how many windows there are.
    """

    kernel: Sizes
    stride: Sizes
    dilation: Sizes
    before: Sizes
    out: Sizes

    @property
    def span(self) -> Sizes:
        """How much of the (padded) input the windows cover."""
        return tuple(
            (out - 1) * stride + (kernel - 1) * dilation + 1
            for kernel, stride, dilation, _, out in zip(*self, strict=True)
        )

    @property
    def tail(self) -> Windows:
        """The windows of all spatial axes but the first."""
        return Windows(*(field[1:] for field in self))

    @property
    def head(self) -> Windows:
        """The windows of the first spatial axis."""
        return Windows(*(field[:1] for field in self))


def output_size(
    size: int, kernel: int, stride: int, padding: int, dilation: int
) -> int:
    """How many windows fit into `size` elements padded on both sides."""
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def blocks(batch: int, bytes_each: int) -> Iterator[slice]:
    """Slices of the batch, of equal sizes, whose temporaries fit into a block."""
    count = max(1, math.ceil(batch * bytes_each / BLOCK_BYTES))
    step = max(1, math.ceil(batch / count))
    return (slice(start, start + step) for start in range(0, batch, step))


def region(
    x: ndarray, before: Sizes, sizes: Sizes, axis: int = 2, fill: Any = 0
) -> ndarray:
    """The part of `x` that begins at `-before` and has these spatial sizes.

    What lies outside of `x` is `fill`. Where nothing does, the result is a view.
    """
    shape, target, source = list(x.shape), [slice(None)] * axis, [slice(None)] * axis
    for at, (offset, size) in enumerate(zip(before, sizes, strict=True), axis):
        start, stop = max(0, offset), max(0, min(size, offset + x.shape[at]))
        target.append(slice(start, stop))
        source.append(slice(start - offset, max(0, stop - offset)))
        shape[at] = size
    inside = x[tuple(source)]
    if inside.shape == tuple(shape):
        return inside
    padded = np.full(shape, fill, x.dtype) if fill else np.zeros(shape, x.dtype)
    padded[tuple(target)] = inside
    return padded


def view(x: ndarray, windows: Windows, axis: int = 2) -> ndarray:
    """A view of `x` with window axes for spatial ones, and the taps at the end.

    The first window begins where `x` begins: padding comes before.
    """
    shape, strides = list(x.shape), list(x.strides)
    steps = strides[axis : axis + len(windows.out)]
    for at, (out, stride) in enumerate(
        zip(windows.out, windows.stride, strict=True), axis
    ):
        shape[at] = out
        strides[at] *= stride
    strides += [a * b for a, b in zip(steps, windows.dilation, strict=True)]
    shape += windows.kernel
    if x.flags.c_contiguous:  # checked by NumPy, and quicker than as_strided
        return ndarray(shape, x.dtype, x, strides=strides)
    return as_strided(x, shape, strides, writeable=False)


def _taps_first(x: ndarray, windows: Windows, axis: int) -> ndarray:
    """Contiguous copy of the windows' view with the taps after the channels."""
    windowed = view(x, windows, axis)
    taps = tuple(range(x.ndim, windowed.ndim))
    order = (0, 1, *taps, *range(2, x.ndim))
    return np.ascontiguousarray(windowed.transpose(order))


def unfold_tail(x: ndarray, windows: Windows) -> ndarray:
    """Unfold all spatial axes but the first.

    Args:
        x: (batch, channels, *span)
        windows: where the windows lie.

    Returns:
        (batch, channels, *kernel[1:], span[0], *out[1:]), contiguous; `x` itself where
        there is nothing to do.
    """
    return _taps_first(x, windows.tail, 3)


def unfold(x: ndarray, windows: Windows) -> ndarray:
    """Every window's taps: (batch, channels, *kernel, *out), contiguous (im2col).

    The last axes go first and the first axis second, because the second copy then
    moves whole rows.
    """
    rows = unfold_tail(x, windows)
    return _taps_first(rows, windows.head, 1 + len(windows.out))


def _tap(index: int, stride: int, dilation: int, out: int) -> slice:
    """The positions that the tap of this index meets, one for each window."""
    start = index * dilation
    return slice(start, start + (out - 1) * stride + 1, stride)


@lru_cache(maxsize=256)
def taps(windows: Windows) -> list[tuple[Index, Index]]:
    """Each tap's index in the kernel, and the positions that it meets in the span."""
    steps = list(zip(windows.stride, windows.dilation, windows.out, strict=True))
    return [
        (index, tuple(_tap(i, *step) for i, step in zip(index, steps, strict=True)))
        for index in product(*map(range, windows.kernel))
    ]


def fold(columns: ndarray, windows: Windows) -> ndarray:
    """Add each window's taps where they came from: the adjoint of `unfold` (col2im).

    Args:
        columns: (batch, channels, *kernel, *out)
        windows: where the windows lie.

    Returns:
        (batch, channels, *span)
    """
    outer, span, tail = columns.shape[:2], windows.span, windows.tail
    every = (slice(None),) * len(tail.out)
    rows = np.zeros((*outer, *tail.kernel, span[0], *tail.out), columns.dtype)
    for index, positions in taps(windows.head):
        rows[(..., *positions, *every)] += columns[_after_channels(index)]
    if not tail.out:
        return rows
    folded = np.zeros((*outer, *span), columns.dtype)
    for index, positions in taps(tail):
        folded[(..., *positions)] += rows[_after_channels(index)]
    return folded


def _after_channels(index: Index) -> Index:
    return (slice(None), slice(None), *index)
