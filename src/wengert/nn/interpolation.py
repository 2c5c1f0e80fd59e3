"""Interpolation: signals, images and volumes at other sizes.

All modes are separable: each dimension is interpolated for itself, as a sum of selected
rows with weights, so that gradients follow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from ..dispatch import numpy_dtype
from ..errors import Unsupported
from ..ops.gathering import index_select
from ..ops.pooling import (  # type: ignore[attr-defined]
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
)
from ..tensor import Tensor, plain
from .sizes import ntuple

LINEAR = {3: "linear", 4: "bilinear", 5: "trilinear"}
ALIGNABLE = ("linear", "bilinear", "bicubic", "trilinear")
MODES = ("nearest", "area", "nearest-exact", *ALIGNABLE)
AREA = {3: adaptive_avg_pool1d, 4: adaptive_avg_pool2d, 5: adaptive_avg_pool3d}
CUBIC = -0.75
"""The parameter of the cubic kernel (Keys 1981)."""


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Return signals, images or volumes at another size.

    Args:
        input: (N, C, *).
        size: of the output; or
        scale_factor: how many times larger it is; each one number or one for each
            dimension.
        mode: "nearest", "nearest-exact", "area", or "linear" (for one dimension),
            "bilinear" or "bicubic" (two), "trilinear" (three).
        align_corners: the corners' centres, not their edges, are aligned.
        recompute_scale_factor: interpolate with the factor that the rounded size has.
        antialias: not supported if True.

    >>> import wengert as torch
    >>> x = torch.tensor([[[0.0, 2.0]]])
    >>> torch.nn.functional.interpolate(x, size=4, mode="linear")
    tensor([[[0.0000, 0.5000, 1.5000, 2.0000]]])
    """
    check_mode(input, mode, align_corners)
    if antialias:
        raise Unsupported(
            "interpolate(antialias=True) is not supported: average with avg_pool or "
            "mode='area' when making an image smaller"
        )
    dims = input.ndim - 2
    sizes, factors = target(input, size, scale_factor, recompute_scale_factor)
    if 0 in (*input.shape[2:], *sizes):
        raise RuntimeError(
            "Input and output sizes should be greater than 0, but got input "
            f"{list(input.shape[2:])} output {list(sizes)}"
        )
    if mode == "area":
        pooled: Tensor = AREA[input.ndim](input, sizes)
        return pooled
    for i in range(dims):
        taps = taps_of(
            mode,
            input.shape[2 + i],
            sizes[i],
            None if factors is None else factors[i],
            bool(align_corners),
            single=input._data.dtype.itemsize <= 4,
        )
        input = along(input, 2 + i, taps)
    return input


def check_mode(input: Tensor, mode: str, align_corners: bool | None) -> None:
    """Refuse modes that there are not, or not for so many dimensions."""
    if mode in ("nearest", "area", "nearest-exact") and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear "
            "| bilinear | bicubic | trilinear"
        )
    ndim = input.ndim
    if mode not in MODES or ndim not in LINEAR:
        raise NotImplementedError(
            "Input Error: Only 3D, 4D and 5D input Tensors supported (got "
            f"{ndim}D) for the modes: nearest | linear | bilinear | bicubic | "
            f"trilinear | area | nearest-exact (got {mode})"
        )
    wanted = {name: number for number, name in LINEAR.items()} | {"bicubic": 4}
    if wanted.get(mode, ndim) != ndim:
        raise NotImplementedError(
            f"Got {ndim}D input, but {mode} mode needs {wanted[mode]}D input"
        )


def target(
    input: Tensor, size: Any, scale_factor: Any, recompute: bool | None
) -> tuple[tuple[int, ...], Sequence[float] | None]:
    """Return the size of the output, and the factors that are to be used for it."""
    dims = input.ndim - 2
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    given = ntuple(dims)(scale_factor if size is None else size)
    if len(given) != dims:
        raise wrong_dimensions(input, size, given)
    if size is not None:
        if recompute:
            raise ValueError(
                "recompute_scale_factor is not meaningful with an explicit size."
            )
        return given, None
    sizes = [
        math.floor(length * factor)
        for length, factor in zip(input.shape[2:], given, strict=True)
    ]
    return tuple(sizes), None if recompute else given


def wrong_dimensions(input: Tensor, size: Any, given: tuple[Any, ...]) -> ValueError:
    what, found = "output", f"output size of {given}"
    letters = "output size in (o1, o2, ...,oK)"
    if size is None:
        what, found = "scale_factor", f"scale_factor of shape {given}"
        letters = "scale_factor in (s1, s2, ...,sK)"
    return ValueError(
        f"Input and {what} must have the same number of spatial dimensions, but got "
        f"input with spatial dimensions of {list(input.shape[2:])} and {found}. Please "
        f"provide input tensor in (N, C, d1, d2, ...,dK) format and {letters} format."
    )


class Tap(NamedTuple):
    """Which element of the input counts for each of the output, and how much."""

    place: ndarray
    weight: ndarray | None


def taps_of(
    mode: str,
    before: int,
    after: int,
    factor: float | None,
    align_corners: bool,
    single: bool,
) -> list[Tap]:
    """Return the terms of the interpolation along one dimension.

    Args:
        before, after: the sizes.
        factor: how many times larger the output is, None for the ratio of the sizes.
        single: compute positions in single precision, as PyTorch does for such inputs.
    """
    real: Any = np.float32 if single else np.float64
    if mode.startswith("nearest"):
        return [nearest(before, after, factor, 0.5 * (mode == "nearest-exact"))]
    places: ndarray = np.arange(after, dtype=real)
    if align_corners:
        step = real(before - 1) / real(after - 1) if after > 1 else real(0)
        places = places * step
    else:
        places = (places + real(0.5)) * stride(before, after, factor, real) - real(0.5)
    if mode == "bicubic":
        return cubic(places, before)
    places = np.maximum(places, 0)
    left = np.minimum(places.astype(np.int64), before - 1)
    share = np.clip(places - left, 0, 1)
    return [Tap(left, 1 - share), Tap(np.minimum(left + 1, before - 1), share)]


def stride(before: int, after: int, factor: float | None, real: Any) -> Any:
    """Return how far apart the outputs are in the input."""
    return real(1.0 / factor) if factor is not None else real(before) / real(after)


def nearest(before: int, after: int, factor: float | None, shift: float) -> Tap:
    """Return the nearest element for each of the output."""
    step = stride(before, after, factor, np.float32)
    places = (np.arange(after, dtype=np.float32) + np.float32(shift)) * step
    return Tap(np.minimum(places.astype(np.int64), before - 1), None)


def cubic(places: ndarray, before: int) -> list[Tap]:
    """Return the four terms of cubic convolution."""
    left = np.floor(places)
    share = places - left
    index = left.astype(np.int64)
    weights = [far(share + 1), near(share), near(1 - share), far(2 - share)]
    return [
        Tap(np.clip(index + shift, 0, before - 1), weight)
        for shift, weight in zip((-1, 0, 1, 2), weights, strict=True)
    ]


def near(x: ndarray) -> ndarray:
    """The cubic kernel for distances up to one."""
    weight: ndarray = ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1
    return weight


def far(x: ndarray) -> ndarray:
    """The cubic kernel for distances between one and two."""
    weight: ndarray = ((CUBIC * x - 5 * CUBIC) * x + 8 * CUBIC) * x - 4 * CUBIC
    return weight


def along(input: Tensor, dim: int, taps: list[Tap]) -> Tensor:
    """Return the sum of the terms along a dimension."""
    shape = (-1,) + (1,) * (input.ndim - dim - 1)
    total = None
    for place, weight in taps:
        term = index_select(input, dim, plain(place))
        if weight is not None:
            weight = weight.astype(numpy_dtype(input), copy=False)
            term = term * plain(weight.reshape(shape))
        total = term if total is None else total + term
    assert total is not None
    return total
