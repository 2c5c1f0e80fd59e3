"""Ops that copy elements to other places: turned, shifted, repeated, on diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..primitives import rearranging as R
from ..primitives.copying import clone
from ..tensor import Tensor, plain
from .arguments import (
    as_tuple,
    memory_of,
    normalize_dim,
    normalize_dims,
    shape_from,
    tensors_from,
)
from .gathering import check_index
from .public import op
from .strided import two_dims

# --- turning and shifting -------------------------------------------------------------


@op(out=False)
def flip(input: Tensor, *dims: Any, **named: Any) -> Tensor:
    """Return a copy with the order of the elements along some dimensions reversed.

    >>> import wengert as torch
    >>> torch.arange(3).flip(0)
    tensor([2, 1, 0])
    """
    given = (named.popitem()[1],) if named else dims
    order = normalize_dims(shape_from(given, "flip", "dims"), len(input.shape))
    result: Tensor = R.flip(input, dims=order)
    return result


@op(out=False)
def fliplr(input: Tensor) -> Tensor:
    """Return a copy with the order along dimension 1 reversed."""
    if len(input.shape) < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, 1)


@op(out=False)
def flipud(input: Tensor) -> Tensor:
    """Return a copy with the order along dimension 0 reversed."""
    if not input.shape:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


@op(out=False)
def rot90(input: Tensor, k: int = 1, dims: Any = (0, 1)) -> Tensor:
    """Return a copy turned by k right angles, from the first dimension to the second.

    >>> import wengert as torch
    >>> torch.arange(4).view(2, 2).rot90()
    tensor([[1, 3],
            [0, 2]])
    """
    ndim = len(input.shape)
    if len(dims) != 2:
        raise RuntimeError(
            f"expected total rotation dims == 2, but got dims = {len(dims)}"
        )
    if ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {ndim}")
    first, second = [normalize_dim(dim, ndim) for dim in dims]
    if first == second:
        raise RuntimeError(
            f"expected rotation dims to be different, but got dim0 = {dims[0]} and "
            f"dim1 = {dims[1]}"
        )
    result: Tensor = R.rot90(input, k=k % 4, dims=(first, second))
    return result


@op(out=False)
def roll(input: Tensor, shifts: Any, dims: Any = ()) -> Tensor:
    """Return a copy shifted along dimensions; what leaves enters at the other end.

    Args:
        shifts: by how much, for each dimension.
        dims: the dimensions; without them, all elements are shifted as a vector.

    >>> import wengert as torch
    >>> torch.arange(4).roll(1)
    tensor([3, 0, 1, 2])
    """
    shifts = as_tuple(shifts)
    dims = () if dims is None else as_tuple(dims)
    if not shifts:
        raise RuntimeError("`shifts` required")
    if (dims or len(shifts) > 1) and len(shifts) != len(dims):
        raise RuntimeError(
            f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}"
        )
    if dims and not input.shape:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    order = tuple([normalize_dim(dim, len(input.shape)) for dim in dims])
    if order:
        result: Tensor = R.roll(input, shifts=shifts, dims=order)
    else:
        result = R.roll_all(input, distance=shifts[0])
    return result


# --- repeating ------------------------------------------------------------------------


@op(function=False)
def repeat(input: Tensor, *repeats: Any, **named: Any) -> Tensor:
    """Return copies of the tensor side by side.

    Args:
        repeats: how many along each dimension; there may be new ones in front.

    >>> import wengert as torch
    >>> torch.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    given = (named.popitem()[1],) if named else repeats
    counts = shape_from(given, "repeat", "repeats")
    if len(counts) < len(input.shape):
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of "
            "dimensions of tensor"
        )
    if any(count < 0 for count in counts):
        raise RuntimeError(
            f"Trying to create tensor with negative dimension in repeat: {list(counts)}"
        )
    missing = len(counts) - len(input.shape)
    if missing:
        input = input.reshape((1,) * missing + tuple(input.shape))
    result: Tensor = R.repeat(input, repeats=counts)
    return result


@op(out=False)
def tile(input: Tensor, *dims: Any, **named: Any) -> Tensor:
    """Return copies side by side; `dims` may be fewer than the dimensions.

    >>> import wengert as torch
    >>> torch.tensor([1, 2]).tile((2,))
    tensor([1, 2, 1, 2])
    """
    counts = shape_from((named.popitem()[1],) if named else dims, "tile", "dims")
    missing = len(input.shape) - len(counts)
    return repeat(input, (*(1,) * missing, *counts))


@op(out=False)
def repeat_interleave(
    input: Any,
    repeats: Any = None,
    dim: int | None = None,
    *,
    output_size: int | None = None,
) -> Tensor:
    """Return each element, or each place along a dimension, several times in a row.

    Args:
        repeats: how often: a number, or a tensor of one for each place. Without it,
            `input` are the repeats, and the result says which place comes where.
        dim: the dimension; without it, all elements are taken as a vector.
        output_size: has no effect.

    >>> import wengert as torch
    >>> torch.tensor([1, 2]).repeat_interleave(2)
    tensor([1, 1, 2, 2])
    """
    if repeats is None:
        return places(input)
    if dim is None:
        input, dim = input.reshape(-1), 0
    elif not input.shape:
        input = input.reshape(1)
    dim = normalize_dim(dim, len(input.shape))
    if not isinstance(repeats, Tensor):
        return each_repeated(input, int(repeats), dim)
    length = input.shape[dim]
    if repeats.numel() == 1:
        repeats = repeats.reshape(1).expand(length)
    if tuple(repeats.shape) != (length,):
        raise RuntimeError(
            "repeats must have the same size as input along dim, but got "
            f"repeats.size(0) = {repeats.shape[0]} and input.size({dim}) = {length}"
        )
    result: Tensor = input.index_select(dim, places(repeats))
    return result


def each_repeated(input: Tensor, count: int, dim: int) -> Tensor:
    """Return each place along a dimension the same number of times."""
    if count < 0:
        raise RuntimeError("Repeats must be non-negative")
    shape = tuple(input.shape)
    wide = (*shape[: dim + 1], count, *shape[dim + 1 :])
    whole = (*shape[:dim], shape[dim] * count, *shape[dim + 1 :])
    copied = clone(input.unsqueeze(dim + 1).expand(wide))
    result: Tensor = copied.view(whole)
    return result


def places(repeats: Tensor) -> Tensor:
    """Return each place's number as often as it is to be repeated."""
    counts = memory_of(check_index(repeats, "repeats has to be Long or Int tensor"))
    if counts is None or counts.ndim != 1:
        raise RuntimeError(
            "repeat_interleave only accept 1D vector as repeat, and none that is "
            "inside a transformation, as it decides the shape of the result"
        )
    if counts.size and counts.min() < 0:
        raise RuntimeError("repeats can not be negative")
    return plain(np.repeat(np.arange(counts.size), counts))


# --- diagonals and triangles ----------------------------------------------------------


@op()
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """Return a matrix with a vector on its diagonal, or a copy of a matrix's diagonal.

    >>> import wengert as torch
    >>> torch.diag(torch.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    ndim = len(input.shape)
    if ndim not in (1, 2):
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")
    if ndim == 1:
        return diag_embed(input, diagonal)
    result: Tensor = R.diagonal_copy(input, offset=diagonal)
    return result


@op(out=False)
def diag_embed(
    input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1
) -> Tensor:
    """Return matrices that have the last dimension on their diagonals."""
    dims = two_dims(dim1, dim2, len(input.shape) + 1)
    result: Tensor = R.diag_embed(input, offset=offset, **dims)
    return result


@op(out=False)
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """Return a matrix with all elements on its diagonal."""
    return diag(input.reshape(-1), offset)


def check_matrices(input: Tensor, name: str) -> None:
    """Refuse tensors that are no matrices."""
    if len(input.shape) < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")


@op(inplace=True)
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """Return matrices with zeros above a diagonal.

    >>> import wengert as torch
    >>> torch.ones(2, 2).tril()
    tensor([[1., 0.],
            [1., 1.]])
    """
    check_matrices(input, "tril")
    result: Tensor = R.tril(input, diagonal=diagonal)
    return result


@op(inplace=True)
def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """Return matrices with zeros below a diagonal."""
    check_matrices(input, "triu")
    result: Tensor = R.triu(input, diagonal=diagonal)
    return result


def triangle_indices(
    mask: np.ndarray[Any, Any], dtype: Any, options: dict[str, Any]
) -> Tensor:
    """Return rows and columns of the elements of a mask."""
    from .options import finish

    array = np.stack(np.nonzero(mask)).astype(dtypes.to_numpy(dtype))
    return finish(array, **options)


@op(method=False, out=False)
def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = dtypes.int64, **options: Any
) -> Tensor:
    """Return the rows and columns of the elements of a lower triangle.

    >>> import wengert as torch
    >>> torch.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    return triangle_indices(R.triangle((row, col), offset), dtype, options)


@op(method=False, out=False)
def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = dtypes.int64, **options: Any
) -> Tensor:
    """Return the rows and columns of the elements of an upper triangle."""
    return triangle_indices(~R.triangle((row, col), offset - 1), dtype, options)


@op(method=False, out=False)
def block_diag(*tensors: Tensor) -> Tensor:
    """Return a matrix with matrices on its diagonal.

    >>> import wengert as torch
    >>> torch.block_diag(torch.tensor([[1]]), torch.tensor([[2, 3]]))
    tensor([[1, 0, 0],
            [0, 2, 3]])
    """
    for number, tensor in enumerate(tensors_from(tensors, "block_diag")):
        if len(tensor.shape) > 2:
            raise RuntimeError(
                "torch.block_diag: Input tensors must have 2 or fewer dimensions. "
                f"Input {number} has {len(tensor.shape)} dimensions"
            )
    result: Tensor = R.block_diag(*tensors)
    return result
