"""Sampling images at any places: `grid_sample`, and the places of affine maps.

All is composed of other ops. A place is a point of coordinates from -1 to 1, the last
dimension's first; `size` is how many elements there are along a dimension.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from math import prod
from typing import Any

from ..primitives.sampling import nothing
from ..tensor import Tensor
from .public import check_operand, namespace, op

MODES = ("bilinear", "nearest", "bicubic")
PADDINGS = ("zeros", "border", "reflection")
CHANGED = (
    "Default grid_sample and affine_grid behavior has changed to align_corners=False "
    "since 1.3.0. Please specify align_corners=True if the old behavior is desired. "
    "See the documentation of grid_sample for details."
)

# --- coordinates ----------------------------------------------------------------------


def unnormalized(coordinate: Tensor, size: int, align_corners: bool) -> Tensor:
    """Return coordinates that count elements: -1 and 1 become the first and last.

    Without `align_corners` they become the outer edges of these.
    """
    if align_corners:
        return (coordinate + 1) / 2 * (size - 1)
    return ((coordinate + 1) * size - 1) / 2


def clipped(x: Tensor, size: int) -> Tensor:
    """Return the nearest coordinates inside, which do not move if they are not."""
    inside = (x > 0) & (x < size - 1)
    return x.where(inside, x.detach().clamp(0, size - 1))


def reflected(x: Tensor, size: int, align_corners: bool) -> Tensor:
    """Return coordinates inside, by reflection at the first and last element."""
    low, span = (0.0, size - 1) if align_corners else (-0.5, size)
    if span == 0:
        return x * 0
    away = x - low
    away = away.where(away >= 0, -away)
    flips = (away.detach() / span).floor()
    extra = away - flips * span
    return (extra + low).where(flips % 2 == 0, span - extra + low)


def padded(x: Tensor, size: int, padding_mode: int, align_corners: bool) -> Tensor:
    """Return coordinates after what `padding_mode` does to those outside."""
    if padding_mode == 0:
        return x
    if padding_mode == 2:
        x = reflected(x, size, align_corners)
    return clipped(x, size)


# --- interpolation --------------------------------------------------------------------


def elements(input: Tensor, places: Sequence[Tensor]) -> Tensor:
    """Return the elements at whole coordinates, zero for those outside.

    Args:
        input: (N, C, *sizes).
        places: for each dimension the coordinates, (N, *result).
    """
    sizes = tuple(input.shape[2:])
    inside, index = None, None
    for place, size in zip(places, sizes, strict=True):
        found = (place >= 0) & (place < size)
        inside = found if inside is None else inside & found
        step = place.clamp(0, size - 1).long()
        index = step if index is None else index * size + step
    assert inside is not None and index is not None
    count, channels = input.shape[:2]
    shape = (count, channels, *index.shape[1:])
    spread = index.reshape((count, 1, -1)).expand((count, channels, prod(shape[2:])))
    taken = input.reshape((count, channels, prod(sizes))).gather(2, spread)
    return taken.reshape(shape).where(inside.unsqueeze(1), 0)


def linear_corners(x: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the whole coordinates on both sides, and their weights."""
    low = x.detach().floor()
    yield low, low + 1 - x
    yield low + 1, x - low


def cubic_corners(x: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the four nearest whole coordinates, and their weights.

    They are those of Keys' cubic convolution, with a = -0.75.
    """
    low = x.detach().floor()
    a, t = -0.75, x - low
    for step, distance in ((-1, t + 1), (0, t), (1, 1 - t), (2, 2 - t)):
        if step in (0, 1):
            weight = ((a + 2) * distance - (a + 3)) * distance * distance + 1
        else:
            weight = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
        yield low + step, weight


def interpolated(
    input: Tensor, places: Sequence[Tensor], corners: Callable[..., Any], whole: Any
) -> Tensor:
    """Return the weighted sum of the elements around places.

    Args:
        corners: yields the whole coordinates along one dimension and their weights.
        whole: is done to the whole coordinates.
    """
    total: Any = None
    around = [list(corners(place)) for place in places]
    for corner in product(*around):
        weight: Any = None
        for _, factor in corner:
            weight = factor if weight is None else weight * factor
        found = elements(input, whole([place for place, _ in corner]))
        share = found * weight.unsqueeze(1)
        total = share if total is None else total + share
    result: Tensor = total
    return result


def idle(places: Sequence[Tensor]) -> Tensor:
    """Return zeros that depend on places: PyTorch has zeros for gradients of these."""
    first, *others = places
    zeros: Tensor = nothing(sum(others, start=first)).unsqueeze(1)
    return zeros


def check_grid(name: str, input: Tensor, grid: Tensor, ranks: tuple[int, ...]) -> None:
    """Refuse a grid that does not fit the input."""
    check_operand(name, "input", 0, input)
    check_operand(name, "grid", 1, grid)
    shapes = f"got input with sizes {list(input.shape)} and grid with sizes"
    shapes = f"{shapes} {list(grid.shape)}"
    if input.ndim not in ranks or grid.ndim != input.ndim:
        kinds = " or ".join([f"{rank}D" for rank in ranks])
        raise RuntimeError(
            f"grid_sampler(): expected {kinds} input and grid with same number of "
            f"dimensions, but {shapes}"
        )
    if input.shape[0] != grid.shape[0]:
        raise RuntimeError(
            "grid_sampler(): expected grid and input to have same batch size, but "
            f"{shapes}"
        )
    if grid.shape[-1] != input.ndim - 2:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {input.ndim - 2} in last "
            f"dimension, but got grid with sizes {list(grid.shape)}"
        )
    if 0 in input.shape[2:]:
        raise RuntimeError(
            "grid_sampler(): expected input to have non-empty spatial dimensions, but "
            f"input has sizes {list(input.shape)} with dimension "
            f"{list(input.shape).index(0, 2)} being empty"
        )


def sample(
    input: Tensor, grid: Tensor, mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """Return the values of images at the places of a grid."""
    sizes = tuple(input.shape[2:])
    columns = reversed(range(len(sizes)))  # the last dimension comes first
    places = [
        unnormalized(grid[..., column], size, align_corners)
        for column, size in zip(columns, sizes, strict=True)
    ]

    def moved(places: Sequence[Tensor]) -> list[Tensor]:
        pairs = zip(places, sizes, strict=True)
        return [padded(x, size, padding_mode, align_corners) for x, size in pairs]

    if mode == 2:
        return interpolated(input, places, cubic_corners, moved)
    places = moved(places)
    if mode == 1:
        found = elements(input, [place.detach().round() for place in places])
        return found + idle(places) if grid.requires_grad else found
    return interpolated(input, places, linear_corners, list)


# --- what users call ------------------------------------------------------------------


@op(method=False, out=False)
def grid_sampler(
    input: Tensor,
    grid: Tensor,
    interpolation_mode: int,
    padding_mode: int,
    align_corners: bool,
) -> Tensor:
    """Do as `torch.nn.functional.grid_sample`, with numbers for the modes."""
    check_grid("grid_sampler", input, grid, (4, 5))
    if interpolation_mode == 2 and input.ndim == 5:
        raise RuntimeError(
            "grid_sampler(): bicubic interpolation only supports 4D input"
        )
    return sample(input, grid, interpolation_mode, padding_mode, align_corners)


@op(method=False, out=False)
def grid_sampler_2d(
    input: Tensor,
    grid: Tensor,
    interpolation_mode: int,
    padding_mode: int,
    align_corners: bool,
) -> Tensor:
    """Do as `grid_sampler`, for images."""
    check_grid("grid_sampler_2d", input, grid, (4,))
    return sample(input, grid, interpolation_mode, padding_mode, align_corners)


@op(method=False, out=False)
def grid_sampler_3d(
    input: Tensor,
    grid: Tensor,
    interpolation_mode: int,
    padding_mode: int,
    align_corners: bool,
) -> Tensor:
    """Do as `grid_sampler`, for volumes."""
    check_grid("grid_sampler_3d", input, grid, (5,))
    return grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """Return the values of images at any places, by interpolation.

    Args:
        input: (N, C, H, W), or volumes (N, C, D, H, W).
        grid: (N, height, width, 2) coordinates from -1 to 1, x before y; or three.
        mode: "bilinear", "nearest" or "bicubic".
        padding_mode: what is outside: "zeros", the "border", a "reflection".
        align_corners: whether -1 and 1 are the middles of the outermost elements, or
            (by default) their outer edges.

    >>> import wengert as torch
    >>> image = torch.arange(4.0).reshape(1, 1, 2, 2)
    >>> middle = torch.zeros(1, 1, 1, 2)
    >>> torch.nn.functional.grid_sample(image, middle, align_corners=False)
    tensor([[[[1.5000]]]])
    """
    if mode not in MODES:
        raise ValueError(
            "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or "
            f"'bicubic', but got: '{mode}'"
        )
    if padding_mode not in PADDINGS:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', "
            f"'border', or 'reflection', but got: '{padding_mode}'"
        )
    if align_corners is None:
        warnings.warn(CHANGED, UserWarning, stacklevel=2)
        align_corners = False
    numbers = MODES.index(mode), PADDINGS.index(padding_mode)
    return grid_sampler(input, grid, *numbers, align_corners)


def affine_grid(
    theta: Tensor, size: Sequence[int], align_corners: bool | None = None
) -> Tensor:
    """Return the places to which affine maps take those of a regular grid.

    Args:
        theta: (N, 2, 3) maps of the plane, or (N, 3, 4) of space.
        size: (N, C, H, W), or (N, C, D, H, W), of what is to be sampled.
        align_corners: see `grid_sample`.

    >>> import wengert as torch
    >>> theta = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> torch.nn.functional.affine_grid(theta, (1, 1, 1, 2), align_corners=False)
    tensor([[[[-0.5000,  0.0000],
              [ 0.5000,  0.0000]]]])
    """
    size = tuple(size)
    if align_corners is None:
        warnings.warn(CHANGED, UserWarning, stacklevel=2)
        align_corners = False
    if not theta.is_floating_point():
        raise ValueError(
            f"Expected theta to have floating point type, but got {theta.dtype}"
        )
    dims = len(size) - 2
    if dims not in (2, 3):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine "
            f"transforms, respectively. Got size {size}."
        )
    if theta.ndim != 3 or tuple(theta.shape[1:]) != (dims, dims + 1):
        raise ValueError(
            f"Expected a batch of {dims}D affine matrices of shape Nx{dims}x{dims + 1} "
            f"for size {size}. Got {theta.shape}."
        )
    if align_corners and min(size[2:]) == 1:
        warnings.warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids "
            "when align_corners=True. This is not an intended use case of affine_grid. "
            "See the documentation of affine_grid for details.",
            UserWarning,
            stacklevel=2,
        )
    elif min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    return affine_grid_generator(theta, size, align_corners)


@op(method=False, out=False)
def affine_grid_generator(
    theta: Tensor, size: Sequence[int], align_corners: bool
) -> Tensor:
    """Do as `torch.nn.functional.affine_grid`."""
    sizes = tuple(size[2:])
    dims = len(sizes)
    axes = [spaced(theta, n, align_corners) for n in sizes]
    meshed = namespace["meshgrid"](*axes, indexing="ij")
    columns = [*reversed(meshed), namespace["ones_like"](meshed[0])]
    base = namespace["stack"](columns, -1).reshape((1, -1, dims + 1))
    result: Tensor = (base @ theta.mT).reshape((theta.shape[0], *sizes, dims))
    return result


def spaced(like: Tensor, size: int, align_corners: bool) -> Tensor:
    """Return the coordinates of elements along a dimension."""
    if size <= 1:
        return like.new_zeros(size)
    ends = namespace["linspace"](-1, 1, size, dtype=like.dtype)
    result: Tensor = ends if align_corners else ends * (size - 1) / size
    return result
