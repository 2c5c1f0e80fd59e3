"""Patches as columns, and columns added up to images (im2col and col2im).

Images are (N, C, height, width), columns (N, C * taps, positions); any number of
spatial axes is possible. Both are linear, and each is the gradient of the other.
"""

from __future__ import annotations

from math import prod

from numpy import ndarray

from . import windows as sliding
from .windows import Sizes, Windows, output_size, region


def _windows(
    sizes: Sizes, kernel: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes
) -> Windows:
    out = tuple(map(output_size, sizes, kernel, stride, padding, dilation))
    return Windows(kernel, stride, dilation, padding, out)


def unfold(
    input: ndarray, kernel: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes
) -> ndarray:
    """Each window of the images as a column.

    Args:
        input: (N, C, *spatial)
        kernel: the sizes of a window.
        dilation: the distance of neighbouring elements of a window.
        padding: how many zeros are assumed before and after the input.
        stride: the distance of neighbouring windows.

    Returns:
        (N, C * taps, positions)
    """
    batch, channels, *sizes = input.shape
    windows = _windows(tuple(sizes), kernel, dilation, padding, stride)
    columns = sliding.unfold(region(input, padding, windows.span), windows)
    return columns.reshape(batch, channels * prod(kernel), prod(windows.out))


def fold(
    input: ndarray,
    output_size: Sizes,
    kernel: Sizes,
    dilation: Sizes,
    padding: Sizes,
    stride: Sizes,
) -> ndarray:
    """Add the columns where `unfold` of an image of `output_size` reads them.

    Args:
        input: (N, C * taps, positions)
        output_size: the spatial sizes of the result.
        kernel: the sizes of a window.
        dilation: the distance of neighbouring elements of a window.
        padding: how much of the result's edges is left out.
        stride: the distance of neighbouring windows.

    Returns:
        (N, C, *output_size)
    """
    windows = _windows(output_size, kernel, dilation, padding, stride)
    batch, channels = input.shape[0], input.shape[1] // prod(kernel)
    columns = input.reshape(batch, channels, *kernel, *windows.out)
    back = tuple(-pad for pad in padding)
    return region(sliding.fold(columns, windows), back, output_size)
