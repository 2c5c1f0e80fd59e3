"""Functions that move channels into space, and elements back where they came from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..tensor import Tensor
from .sizes import ntuple


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Return images r times larger made of r² channels each.

    Args:
        input: (*, C r², H, W).
        upscale_factor: r.

    Returns:
        (*, C, H r, W r), whose element (c, h r + i, w r + j) is (c r² + i r + j, h, w).

    >>> import wengert as torch
    >>> torch.nn.functional.pixel_shuffle(torch.arange(4.0).reshape(4, 1, 1), 2)
    tensor([[[0., 1.],
             [2., 3.]]])
    """
    r = upscale_factor
    check_image("pixel_shuffle", input)
    if r <= 0:
        raise RuntimeError(
            f"pixel_shuffle expects a positive upscale_factor, but got {r}"
        )
    *batch, channels, height, width = input.shape
    if channels % r**2:
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by "
            f"the square of upscale_factor, but input.size(-3)={channels} is not "
            f"divisible by {r**2}"
        )
    parts = input.reshape(*batch, channels // r**2, r, r, height, width)
    n = len(batch)
    parts = parts.permute(*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return parts.reshape(*batch, channels // r**2, height * r, width * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Return the images that `pixel_shuffle` makes the input of.

    Args:
        input: (*, C, H r, W r).
        downscale_factor: r.

    Returns:
        (*, C r², H, W).
    """
    r = downscale_factor
    check_image("pixel_unshuffle", input)
    if r <= 0:
        raise RuntimeError(
            f"pixel_unshuffle expects a positive downscale_factor, but got {r}"
        )
    *batch, channels, height, width = input.shape
    for name, place, size in (("height", -2, height), ("width", -1, width)):
        if size % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, "
                f"but input.size({place})={size} is not divisible by {r}"
            )
    parts = input.reshape(*batch, channels, height // r, r, width // r, r)
    n = len(batch)
    parts = parts.permute(*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return parts.reshape(*batch, channels * r**2, height // r, width // r)


def check_image(name: str, input: Tensor) -> None:
    if input.ndim < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but got input with "
            f"{input.ndim} dimension(s)"
        )


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Return the channels of (N, C, *) in another order: in turn one of each group.

    >>> import wengert as torch
    >>> x = torch.arange(4).reshape(1, 4, 1)
    >>> torch.nn.functional.channel_shuffle(x, 2).flatten()
    tensor([0, 2, 1, 3])
    """
    if input.ndim < 3:
        raise RuntimeError(
            "channel_shuffle expects input with > 2 dims, but got input with sizes "
            f"{list(input.shape)}"
        )
    if groups <= 0:
        raise RuntimeError(
            f"Number of groups to divide channels in must be positive. Value of groups:"
            f"{groups}"
        )
    batch, channels, *sizes = input.shape
    if channels % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {channels} channels "
            f"and {groups} groups."
        )
    parts = input.reshape(batch, groups, channels // groups, *sizes)
    return parts.transpose(1, 2).reshape(batch, channels, *sizes)


# --- back to before max pooling -------------------------------------------------------


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Return what `max_pool1d` returned, back where it was, with zeros elsewhere."""
    return max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Return what `max_pool2d` returned, back where it was, with zeros elsewhere."""
    return max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Return what `max_pool3d` returned, back where it was, with zeros elsewhere."""
    return max_unpool(3, input, indices, kernel_size, stride, padding, output_size)


def max_unpool(
    dims: int,
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    output_size: Sequence[int] | None,
) -> Tensor:
    """Undo max pooling over the last dimensions.

    Args:
        dims: over how many.
        input, indices: what the pooling returned, (N, C, *) or (C, *).
        kernel_size, stride, padding: as given to the pooling.
        output_size: of its input, if it is not the smallest that is possible.
    """
    each = ntuple(dims)
    kernel = each(kernel_size)
    steps = kernel if stride is None else each(stride)
    if input.shape != indices.shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor "
            f"({list(input.shape)}) but got indices tensor with shape: "
            f"{list(indices.shape)}"
        )
    smallest = [
        (size - 1) * step + width - 2 * pad
        for size, step, width, pad in zip(
            input.shape[-dims:], steps, kernel, each(padding), strict=True
        )
    ]
    wanted = smallest if output_size is None else list(output_size)[-dims:]
    for size, low, step in zip(wanted, smallest, steps, strict=True):
        if not low - step < size < low + step:
            raise ValueError(
                f"invalid output_size {wanted!r} (dim sizes must be between "
                f"{[n - s for n, s in zip(smallest, steps, strict=True)]} and "
                f"{[n + s for n, s in zip(smallest, steps, strict=True)]})"
            )
    outer = input.shape[:-dims]
    blank = input.new_zeros((*outer, math.prod(wanted)))
    flat = (*outer, -1)
    result = blank.scatter(-1, indices.reshape(flat), input.reshape(flat))
    return result.reshape(*outer, *wanted)
