"""Pooling over windows at random places: `fractional_max_pool2d` and `3d`.

See Graham, "Fractional max-pooling" (2014). Windows begin at whole numbers near equal
steps, which a random number for each image and channel moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from ..primitives.pooling import FRACTIONAL_MAX_POOLS
from ..tensor import Tensor
from .arguments import per_dimension
from .public import namespace

DOCUMENTATION = """The maximum of windows at random places, as many as are wanted.

Args:
    input: (N, C, {sizes}), or without N.
    kernel_size: the size of a window: one number, or one for each dimension.
    output_size: how many windows along each dimension.
    output_ratio: or which part of the input's size that is.
    return_indices: return where the maxima are as well.

>>> import wengert as torch
>>> torch.nn.functional.{name}(torch.ones({shape}), 2, output_size=3).shape
torch.Size([{result}])
"""


def starts(sample: Tensor, size: int, count: int, kernel: int) -> Tensor:
    """Return where windows begin along a dimension.

    Args:
        sample: a random number for each image and channel.
        count: the number of windows.
    """
    last = sample.new_full((*sample.shape, 1), size - kernel)
    if count == 1:
        return last.long()
    step = (size - kernel) / (count - 1)
    steps = namespace["arange"](count - 1, dtype=sample.dtype)
    moved = ((sample.unsqueeze(-1) + steps) * step).long()
    first = (sample * step).long().unsqueeze(-1)
    found: Tensor = namespace["cat"]([moved - first, last.long()], -1)
    return found


def places(
    samples: Tensor, sizes: Sequence[int], counts: Sequence[int], kernel: Sequence[int]
) -> Tensor:
    """Return for each window the places of its elements, counted in its channel."""
    dims = len(sizes)
    # of two dimensions the last number is the first's
    order = range(dims) if dims == 3 else reversed(range(dims))
    index: Any = 0
    for dim, column in zip(range(dims), order, strict=True):
        begin = starts(samples[..., column], sizes[dim], counts[dim], kernel[dim])
        within = namespace["arange"](kernel[dim])
        spread = [1] * (2 * dims)
        spread[dim], spread[dims + dim] = counts[dim], kernel[dim]
        along = (begin.unsqueeze(-1) + within).reshape((*samples.shape[:-1], *spread))
        index = index * sizes[dim] + along
    shape = (*samples.shape[:-1], prod(counts), prod(kernel))
    found: Tensor = index.reshape(shape)
    return found


def pooled(
    dims: int,
    input: Tensor,
    kernel_size: Any,
    output_size: Any,
    output_ratio: Any,
    samples: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """Return the maxima and their places."""
    name = f"fractional_max_pool{dims}d"
    if output_size is None and output_ratio is None:
        raise ValueError(
            f"{name} requires specifying either an output_size or an output_ratio"
        )
    input.size(-dims - 1)  # refuses tensors of too few dimensions
    sizes = tuple(input.shape[input.ndim - dims :])
    counts = per_dimension(output_size, dims) if output_size is not None else None
    if output_size is None:
        ratios = output_ratio
        if isinstance(ratios, int | float):
            ratios = (ratios,) * dims
        counts = tuple([int(n * r) for n, r in zip(sizes, ratios, strict=True)])
    kernel = per_dimension(kernel_size, dims)
    if kernel is None or counts is None:
        which = "kernel_size" if kernel is None else "output_size"
        count = "three " if dims == 3 else ""
        raise RuntimeError(
            f"{name}: {which} must either be a single Int or tuple of {count}Ints"
        )
    check_sizes(
        f"{name}{'()' if dims == 2 else '_out()'}", input, sizes, counts, kernel
    )
    single = input.ndim == dims + 1
    batch = input.unsqueeze(0) if single else input
    if samples is None:
        samples = namespace["rand"](*batch.shape[:2], dims, dtype=input.dtype)
    index = places(samples.detach(), sizes, counts, kernel)
    flat = batch.detach().reshape((*batch.shape[:2], 1, prod(sizes)))
    spread = flat.expand((*batch.shape[:2], prod(counts), prod(sizes)))
    best = spread.gather(3, index).argmax(-1, keepdim=True)
    found = index.gather(3, best).reshape((*batch.shape[:2], *counts))
    values = FRACTIONAL_MAX_POOLS[dims](batch, found, spatial=dims)
    return (values.squeeze(0), found.squeeze(0)) if single else (values, found)


def check_sizes(
    name: str,
    input: Tensor,
    sizes: Sequence[int],
    counts: Sequence[int],
    kernel: Sequence[int],
) -> None:
    """Refuse windows that do not fit."""
    dims = len(sizes)
    if 0 in input.shape[-dims - 1 :]:
        first = input.ndim - dims - 1
        raise RuntimeError(
            f"{name}: Expected input to have non-zero size for non-batch dimensions, "
            f"but got{list(input.shape)} with dimension "
            f"{list(input.shape).index(0, first)} being empty."
        )
    axes = ("time", "height", "width")[-dims:]
    for axis, size, count, window in zip(axes, sizes, counts, kernel, strict=True):
        if count + window - 1 > size - (dims == 3):
            raise RuntimeError(
                f"{name}: pool {axis} {window} too large relative to input {axis} "
                f"{size}"
            )


def published(dims: int) -> tuple[Any, Any]:
    """Return the functions of so many dimensions, without and with the places."""

    def with_indices(
        input: Tensor,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        return pooled(
            dims, input, kernel_size, output_size, output_ratio, _random_samples
        )

    def usual(
        input: Tensor,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> Any:
        found = pooled(
            dims, input, kernel_size, output_size, output_ratio, _random_samples
        )
        return found if return_indices else found[0]

    name = f"fractional_max_pool{dims}d"
    text = DOCUMENTATION.format(
        name=name,
        sizes="H, W" if dims == 2 else "T, H, W",
        shape=", ".join(["1", "1", *["8"] * dims]),
        result=", ".join(["1", "1", *["3"] * dims]),
    )
    for call, title in ((usual, name), (with_indices, f"{name}_with_indices")):
        call.__name__ = call.__qualname__ = title
        call.__doc__ = text
    return usual, with_indices


fractional_max_pool2d, fractional_max_pool2d_with_indices = published(2)
fractional_max_pool3d, fractional_max_pool3d_with_indices = published(3)
