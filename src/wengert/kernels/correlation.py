"""Correlation of images with kernels, and its two transposes, by matrix products.

With `p(y, i) = y * stride + i * dilation - before`, where window `y`'s tap `i` lies:

    correlate          out[n, o, y]    = Σ_ci weight[o, c, i] input[n, c, p(y, i)]
    adjoint            input[n, c, u]  = Σ_oy weight[o, c, i] out[n, o, y]   p(y, i) = u
    correlate_weight   weight[o, c, i] = Σ_ny out[n, o, y] input[n, c, p(y, i)]

Layouts, with `G` groups: input (N, C, *spatial), out (N, O, *windows.out), weight
(O, C / G, *windows.kernel). What lies outside of the input counts as zero.

Note [Two layouts]
The arithmetic is BLAS's; what is left to decide is how the windows become a matrix.
*Channels last*: a row for each window of a whole block of images, (taps, channels) in
it. It is copied in runs of `kernel * channels` elements and multiplied at once, which
small images and strides need; but input and output have to be transposed.
*Channels first*: a column for each window of one image. It is copied in runs of whole
rows, which are long where images are large, and nothing is transposed. With stride 1
the taps of the first axis need no copy either: they see the same rows, moved by a row,
so each of these taps is one more product.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import ceil, gcd, prod
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from .windows import Sizes, Windows, blocks, fold, region, unfold, unfold_tail, view

# Thresholds of note [Two layouts], where the measured times cross.
FEW_CHANNELS = 8
SMALL_IMAGE = 400
NARROW_PRODUCT = 24


def correlate(
    input: ndarray,
    weight: ndarray,
    windows: Windows,
    groups: int = 1,
    bias: ndarray | None = None,
) -> ndarray:
    """Slide the kernels over the images; the module's docstring has the formula.

    Returns:
        (N, O, *windows.out), contiguous
    """
    if not len(input):
        shape = (0, weight.shape[0], *windows.out)
        return np.empty(shape, np.result_type(input, weight))
    small = prod(windows.out) < SMALL_IMAGE or max(windows.stride) > 1
    if small and _has_long_runs(windows, weight.shape[1]):
        return _correlate_channels_last(input, weight, windows, groups, bias)
    return _correlate_channels_first(input, weight, windows, groups, bias)


def correlate_weight(
    input: ndarray, out: ndarray, windows: Windows, groups: int = 1
) -> ndarray:
    """Correlate images with outputs, tap by tap: the adjoint of `correlate` in weight.

    Returns:
        (O, C / G, *windows.kernel)
    """
    channels = input.shape[1] // groups
    if not len(input):
        shape = (out.shape[1], channels, *windows.kernel)
        return np.zeros(shape, np.result_type(input, out))
    if _has_long_runs(windows, channels):
        return _correlate_weight_channels_last(input, out, windows, groups)
    return _correlate_weight_channels_first(input, out, windows, groups)


def adjoint(
    out: ndarray, weight: ndarray, windows: Windows, sizes: Sizes, groups: int = 1
) -> ndarray:
    """Send every window back to where it was read: the adjoint of `correlate` in input.

    Args:
        out: (N, O, *windows.out)
        weight: (O, C / G, *windows.kernel)
        windows: the windows of the correlation.
        sizes: the spatial sizes of its input.
        groups: G

    Returns:
        (N, C, *sizes)
    """
    filters, channels = weight.shape[0] // groups, weight.shape[1]
    if not len(out):
        shape = (0, channels * groups, *sizes)
        return np.empty(shape, np.result_type(out, weight))
    if filters > 4 * channels:
        return _adjoint_by_fold(out, weight, windows, sizes, groups)
    return _adjoint_by_phases(out, weight, windows, sizes, groups)


# Channels last


def _has_long_runs(windows: Windows, channels: int) -> bool:
    """Whether rows of taps and channels are worth copying."""
    return channels >= FEW_CHANNELS and prod(windows.kernel) > 1


def _windows_as_rows(input: ndarray, windows: Windows, groups: int) -> ndarray:
    """(G, N * positions, taps * C / G), contiguous."""
    batch, channels, *sizes = input.shape
    dims = len(sizes)
    last = input.transpose(0, *range(2, 2 + dims), 1)
    padded = np.ascontiguousarray(region(last, windows.before, windows.span, axis=1))
    grouped = padded.reshape(batch, *windows.span, groups, channels // groups)
    # from N, *out, G, C / G, *kernel
    order = (dims + 1, *range(dims + 1), *range(dims + 3, 2 * dims + 3), dims + 2)
    rows = view(grouped, windows, axis=1).transpose(order)
    width = prod(windows.kernel) * channels // groups
    return np.ascontiguousarray(rows).reshape(groups, -1, width)


def _outputs_as_rows(out: ndarray, groups: int) -> ndarray:
    """(G, N * positions, O / G) of (N, O, *out)."""
    batch, filters = out.shape[:2]
    grouped = out.reshape(batch, groups, filters // groups, -1)
    return grouped.transpose(1, 0, 3, 2).reshape(groups, -1, filters // groups)


def _row_bytes(input: ndarray, windows: Windows) -> int:
    """The size of one image's windows, written out."""
    elements = prod(windows.kernel) * prod(windows.out) * input.shape[1]
    return int(elements * input.itemsize)


def _correlate_channels_last(
    input: ndarray,
    weight: ndarray,
    windows: Windows,
    groups: int,
    bias: ndarray | None,
) -> ndarray:
    batch, filters = input.shape[0], weight.shape[0]
    each = filters // groups
    taps_last = weight.reshape(groups, each, weight.shape[1], -1)
    matrix = taps_last.transpose(0, 3, 2, 1).reshape(groups, -1, each)
    out = np.empty(
        (batch, groups, each, prod(windows.out)), np.result_type(input, weight)
    )
    for images in blocks(batch, _row_bytes(input, windows)):
        rows = _windows_as_rows(input[images], windows, groups) @ matrix
        if bias is not None:
            rows += bias.reshape(groups, 1, each)
        target = out[images]
        by_image = rows.reshape(groups, len(target), -1, each)
        target[...] = by_image.transpose(1, 0, 3, 2)
    return out.reshape(batch, filters, *windows.out)


def _correlate_weight_channels_last(
    input: ndarray, out: ndarray, windows: Windows, groups: int
) -> ndarray:
    channels, filters = input.shape[1] // groups, out.shape[1]
    width = prod(windows.kernel) * channels
    total = np.zeros((groups, width, filters // groups), np.result_type(input, out))
    for images in blocks(len(input), _row_bytes(input, windows)):
        rows = _windows_as_rows(input[images], windows, groups)
        total += rows.transpose(0, 2, 1) @ _outputs_as_rows(out[images], groups)
    taps_last = total.reshape(groups, -1, channels, filters // groups)
    weight = np.ascontiguousarray(taps_last.transpose(0, 3, 2, 1))
    return weight.reshape(filters, channels, *windows.kernel)


# Channels first


def _shares_rows(windows: Windows, filters: int, channels: int) -> bool:
    """Whether the taps of the first axis are left to more products.

    That is quicker unless these products get too narrow; but where each group has just
    one filter, copying costs more than any product.
    """
    width = channels * prod(windows.kernel[1:])
    worth = width >= NARROW_PRODUCT or filters == 1
    return windows.kernel[0] == 1 or (windows.stride[0] == 1 and worth)


def _windows_as_columns(
    input: ndarray, windows: Windows, groups: int, share: bool
) -> list[ndarray]:
    """(N, G, C / G * taps, positions) for each of the products to be added up."""
    batch, channels = input.shape[:2]
    padded = region(input, windows.before, windows.span)
    positions = prod(windows.out)
    if not share:
        return [unfold(padded, windows).reshape(batch, groups, -1, positions)]
    width = channels // groups * prod(windows.kernel[1:])
    rows = unfold_tail(padded[:, :, :: windows.stride[0]], windows)
    flat = rows.reshape(batch, groups, width, -1)
    step = windows.dilation[0] * prod(windows.out[1:])
    starts = range(0, windows.kernel[0] * step, step)
    return [flat[..., start : start + positions] for start in starts]


def _correlate_channels_first(
    input: ndarray,
    weight: ndarray,
    windows: Windows,
    groups: int,
    bias: ndarray | None,
) -> ndarray:
    batch, filters, channels = len(input), *weight.shape[:2]
    each = filters // groups
    share = _shares_rows(windows, each, channels)
    products = windows.kernel[0] if share else 1
    taps_first = weight.reshape(filters, channels, products, -1).transpose(2, 0, 1, 3)
    matrices = taps_first.reshape(products, groups, each, -1)
    dtype = np.result_type(input, weight)
    out = np.empty((batch, groups, each, prod(windows.out)), dtype)
    for images in blocks(batch, _row_bytes(input, windows)):
        columns = _windows_as_columns(input[images], windows, groups, share)
        target = np.matmul(matrices[0], columns[0], out=out[images])
        for matrix, column in zip(matrices[1:], columns[1:], strict=True):
            target += matrix @ column
        if bias is not None:
            target += bias.reshape(groups, each, 1)
    return out.reshape(batch, filters, *windows.out)


def _correlate_weight_channels_first(
    input: ndarray, out: ndarray, windows: Windows, groups: int
) -> ndarray:
    batch, filters, channels = len(input), out.shape[1], input.shape[1] // groups
    each = filters // groups
    share = _shares_rows(windows, each, channels)
    products = windows.kernel[0] if share else 1
    width = channels * prod(windows.kernel) // products
    dtype = np.result_type(input, out)
    total = np.zeros((products, groups, each, width), dtype)
    grouped = out.reshape(batch, groups, each, -1)
    for images in blocks(batch, _row_bytes(input, windows)):
        columns = _windows_as_columns(input[images], windows, groups, share)
        for part, column in zip(total, columns, strict=True):
            part += np.add.reduce(grouped[images] @ column.swapaxes(2, 3), axis=0)
    taps_first = total.reshape(products, filters, channels, -1)
    weight = np.ascontiguousarray(taps_first.transpose(1, 2, 0, 3))
    return weight.reshape(filters, channels, *windows.kernel)


# The adjoint


def _adjoint_by_fold(
    out: ndarray, weight: ndarray, windows: Windows, sizes: Sizes, groups: int
) -> ndarray:
    """Multiply first, then add up the taps: little to do where channels are few."""
    batch, channels = out.shape[0], weight.shape[1] * groups
    each = weight.shape[0] // groups
    matrix = weight.reshape(groups, each, -1).swapaxes(1, 2)
    grouped = out.reshape(batch, groups, each, -1)
    input = np.empty((batch, channels, *sizes), np.result_type(out, weight))
    back = tuple(-offset for offset in windows.before)
    column_bytes = channels * prod(windows.kernel) * prod(windows.out) * out.itemsize
    for images in blocks(batch, column_bytes):
        columns = matrix @ grouped[images]
        folded = fold(
            columns.reshape(-1, channels, *windows.kernel, *windows.out), windows
        )
        input[images] = region(folded, back, sizes)
    return input


class _Phase(NamedTuple):
    """Along one axis, the input positions that one set of taps reaches."""

    positions: slice
    taps: slice
    dilation: int
    before: int
    out: int


def _phases(windows: Windows, sizes: Sizes, axis: int) -> Iterator[_Phase]:
    """The phases of one axis that have taps.

    Padded position `stride * v + phase` is read by the taps with `i * dilation ≡ phase`
    modulo the stride, which are evenly spaced; over `v` they are a correlation with
    stride 1, of the outputs with the reversed taps.
    """
    kernel, stride, dilation, before, _ = (field[axis] for field in windows)
    common = gcd(stride, dilation)
    for first in range(min(kernel, stride // common)):
        shift, phase = divmod(first * dilation, stride)
        taps = range(first, kernel, stride // common)
        start = ceil((before - phase) / stride)
        positions = range(start * stride + phase - before, sizes[axis], stride)
        if positions:
            yield _Phase(
                positions=slice(positions.start, None, stride),
                taps=slice(first, None, taps.step),
                dilation=dilation // common,
                before=shift + (len(taps) - 1) * (dilation // common) - start,
                out=len(positions),
            )


def _adjoint_by_phases(
    out: ndarray, weight: ndarray, windows: Windows, sizes: Sizes, groups: int
) -> ndarray:
    """As correlations of `out` with stride 1, one for each phase of the stride."""
    batch, channels = out.shape[0], weight.shape[1] * groups
    shape = (batch, channels, *sizes)
    swapped = _swap_channels(weight, groups)
    ones, axes = (1,) * len(sizes), tuple(range(2, 2 + len(sizes)))
    input = np.zeros(shape, np.result_type(out, weight))
    for phases in product(*(_phases(windows, sizes, a) for a in range(len(sizes)))):
        positions, taps, dilation, before, counts = zip(*phases, strict=True)
        # contiguous, because BLAS takes no negative strides
        flipped = np.ascontiguousarray(np.flip(swapped[:, :, *taps], axes))
        inner = Windows(flipped.shape[2:], ones, dilation, before, counts)
        part = correlate(out, flipped, inner, groups)
        if part.shape == shape:
            return part
        input[:, :, *positions] = part
    return input


def _swap_channels(weight: ndarray, groups: int) -> ndarray:
    """(C, O / G, *kernel) of (O, C / G, *kernel)."""
    filters, channels, *kernel = weight.shape
    grouped = weight.reshape(groups, filters // groups, channels, *kernel)
    return grouped.swapaxes(1, 2).reshape(groups * channels, -1, *kernel)
