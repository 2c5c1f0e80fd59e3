"""Ops that make grids, pairs and products of tensors; all are composed of others."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ..tensor import Tensor, plain
from .arguments import tensors_from
from .joining import stack
from .public import op


@op(method=False, out=False)
def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Return the coordinates of all points of a grid, one tensor for each dimension.

    Args:
        tensors: the coordinates along each dimension.
        indexing: "ij" (the default), or "xy", which exchanges the first two dimensions.

    >>> import wengert as torch
    >>> torch.meshgrid(torch.tensor([1, 2]), torch.tensor([3, 4]), indexing="ij")[0]
    tensor([[1, 1],
            [2, 2]])
    """
    given = (
        tensors[0]
        if len(tensors) == 1 and not isinstance(tensors[0], Tensor)
        else tensors
    )
    axes = list(tensors_from(given, "meshgrid"))
    if not axes:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(
            'torch.meshgrid: indexing must be one of "xy" or "ij", but received: '
            f"{indexing}"
        )
    for axis in axes:
        if len(axis.shape) > 1:
            raise RuntimeError(
                "torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: "
                f"{axis}"
            )
    swapped = indexing == "xy" and len(axes) > 1
    if swapped:
        axes[:2] = axes[1::-1]
    shape = tuple([axis.numel() for axis in axes])
    grids = []
    for i, axis in enumerate(axes):
        lying = axis.view([-1 if i == k else 1 for k in range(len(axes))])
        grids.append(lying.expand(shape))
    if swapped:
        grids[:2] = grids[1::-1]
    return tuple(grids)


@op(method=False, out=False)
def cartesian_prod(*tensors: Tensor) -> Tensor:
    """Return all combinations of one element of each vector, as rows.

    >>> import wengert as torch
    >>> torch.cartesian_prod(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    vectors = tensors_from(tensors, "cartesian_prod")
    for vector in vectors:
        if len(vector.shape) != 1:
            raise RuntimeError(
                f"Expect a 1D vector, but got shape {list(vector.shape)}"
            )
    if len(vectors) == 1:
        return vectors[0]
    grids = meshgrid(*vectors, indexing="ij")
    return stack([grid.flatten() for grid in grids], 1)


@op(out=False)
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Return all combinations of r elements of a vector, as rows.

    >>> import wengert as torch
    >>> torch.combinations(torch.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    if len(input.shape) != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return input.new_empty(0)
    choose = (
        itertools.combinations_with_replacement
        if with_replacement
        else itertools.combinations
    )
    chosen = np.array(list(choose(range(input.shape[0]), r)), np.int64).reshape(-1, r)
    result: Tensor = input[plain(chosen)]
    return result


@op(method=False, out=False)
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """Return the powers of each element of a vector as the columns of a matrix.

    Args:
        N: how many columns, by default as many as there are elements.
        increasing: begin with the power of zero.

    >>> import wengert as torch
    >>> torch.vander(torch.tensor([1, 2, 3]), increasing=True)
    tensor([[1, 1, 1],
            [1, 2, 4],
            [1, 3, 9]])
    """
    if len(x.shape) != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    count = x.shape[0] if N is None else N
    if count < 0:
        raise RuntimeError("N must be non-negative.")
    if not (x.dtype.is_floating_point or x.dtype.is_complex):
        x = x.long()
    powers = [x.new_ones(x.shape)]
    while len(powers) < count:
        powers.append(powers[-1] * x)
    if count == 0:
        return x.new_empty((x.shape[0], 0))
    columns = powers if increasing else powers[::-1]
    return stack(columns, -1)
