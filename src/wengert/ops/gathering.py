"""Ops that pick elements by tensors of indices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import dtypes
from ..primitives import gathering as G
from ..tensor import Tensor
from .arguments import normalize_dim
from .public import check_operand, op

INT64 = np.dtype(np.int64)


def check_index(index: Tensor, message: str) -> Tensor:
    """Return indices as int64; if there are any, they must be int32 or int64."""
    if index._data.dtype is INT64:
        return index
    kind = index.dtype
    if kind is dtypes.int64:
        return index
    if kind is dtypes.int32 or 0 in index.shape:
        return index.to(dtypes.int64)
    raise RuntimeError(message)


def at_least_one(tensor: Tensor) -> Tensor:
    """Return a tensor with at least one dimension."""
    return tensor if tensor.shape else tensor.reshape(1)


@op()
def gather(
    input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False
) -> Tensor:
    """Return for each index the element that it names along a dimension.

    For a matrix and ``dim=1``: ``result[i, j] = input[i, index[i, j]]``.

    Args:
        dim: the dimension.
        index: int64 or int32, of the shape of the result: in the other dimensions no
            larger than the input.
        sparse_grad: has no effect.

    >>> import wengert as torch
    >>> x = torch.tensor([[1, 2], [3, 4]])
    >>> x.gather(1, torch.tensor([[0], [1]]))
    tensor([[1],
            [4]])
    """
    check_operand("gather", "index", 1, index)
    index = check_index(index, "gather(): Expected dtype int32/int64 for index")
    have, limit = index._data.shape, input._data.shape
    dim = normalize_dim(dim, len(limit))
    if not have or not limit:
        result: Tensor = G.gather(at_least_one(input), at_least_one(index), dim=dim)
        return result if have else result.reshape(())
    check_smaller(have, limit, dim)
    picked: Tensor = G.gather(input, index, dim=dim)
    return picked


def check_smaller(have: Sequence[int], limit: Sequence[int], dim: int) -> None:
    """Refuse an index that is larger than the input in another dimension than `dim`."""
    if 0 in have:
        return
    if len(have) != len(limit):
        raise RuntimeError(
            "Index tensor must have the same number of dimensions as input tensor"
        )
    for i, (size, bound) in enumerate(zip(have, limit, strict=True)):
        if size > bound and i != dim:
            raise RuntimeError(
                f"Size does not match at dimension {i} expected index {list(have)} to "
                f"be no larger than self {list(limit)} apart from dimension {dim}"
            )


@op()
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """Return the places along a dimension that an index names, as a copy.

    Args:
        dim: the dimension.
        index: a vector of int64 or int32.

    >>> import wengert as torch
    >>> torch.tensor([[1, 2], [3, 4]]).index_select(0, torch.tensor([1, 1]))
    tensor([[3, 4],
            [3, 4]])
    """
    check_operand("index_select", "index", 1, index)
    index = check_index(
        index, "index_select(): Expected dtype int32 or int64 for index"
    )
    have, shape = index._data.shape, input._data.shape
    if len(have) > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    dim = normalize_dim(dim, len(shape))
    if have and shape:
        picked: Tensor = G.index_select(input, index, dim=dim)
        return picked
    result: Tensor = G.index_select(at_least_one(input), at_least_one(index), dim=dim)
    return result if shape else result.reshape(())


@op()
def take(input: Tensor, index: Tensor) -> Tensor:
    """Return the elements at indices into all elements in their order."""
    index = check_index(
        index,
        f"take(): Expected a long tensor for index, but got {index.dtype.scalar_type}",
    )
    result: Tensor = G.take(input, index)
    return result


@op()
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """Return the elements that indices name along a dimension; both are broadcast.

    Args:
        dim: the dimension; without it, all elements are taken as a vector.

    >>> import wengert as torch
    >>> x = torch.tensor([[3, 1], [2, 4]])
    >>> x.take_along_dim(x.argsort(1), 1)
    tensor([[1, 3],
            [2, 4]])
    """
    if indices.dtype is not dtypes.int64:
        raise RuntimeError(
            f"torch.take_along_dim(): dtype of indices should be Long but got "
            f"{indices.dtype.scalar_type}. You can do `.long()` on the indices before "
            "calling `take_along_dim`."
        )
    if dim is None:
        input, indices, dim = input.reshape(-1), indices.reshape(-1), 0
    if len(input.shape) != len(indices.shape):
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of "
            f"dimensions, but got {len(input.shape)} dimensions for input, and "
            f"{len(indices.shape)} dimensions for indices"
        )
    dim = normalize_dim(dim, len(input.shape))
    length = input.shape[dim] if input.shape else 1
    indices = indices + (indices < 0) * length
    by_input, by_indices = aligned(input.shape, indices.shape, dim)
    return gather(input.expand(by_input), dim, indices.expand(by_indices))


def aligned(
    a: Sequence[int], b: Sequence[int], dim: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return two shapes broadcast together in all dimensions but one."""
    common = np.broadcast_shapes(
        (*a[:dim], 1, *a[dim + 1 :]), (*b[:dim], 1, *b[dim + 1 :])
    )
    first, second = list(common), list(common)
    first[dim], second[dim] = a[dim], b[dim]
    return tuple(first), tuple(second)


# --- rows of a table ------------------------------------------------------------------


def check_table(weight: Tensor) -> None:
    """Refuse a table without rows and columns."""
    if len(weight.shape) != 2:
        raise RuntimeError("'weight' must be 2-D")


@op(name="embedding", method=False, out=False)
def rows(
    weight: Tensor,
    indices: Tensor,
    padding_idx: int = -1,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Return the rows of a table that indices name; see `nn.functional.embedding`.

    Args:
        weight: the table.
        indices: of any shape.
        padding_idx: a row that gets no gradient, if not negative.
        scale_grad_by_freq: divide the gradient of a row by how often it was named.
        sparse: has no effect: gradients are dense.
    """
    index = check_index(
        indices,
        "Expected tensor for argument #1 'indices' to have one of the following scalar "
        f"types: Long, Int; but got torch.{indices.dtype.scalar_type}Tensor instead "
        "(while checking arguments for embedding)",
    )
    check_table(weight)
    result: Tensor = G.embedding(
        weight, index, padding_idx=padding_idx, scale_grad_by_freq=scale_grad_by_freq
    )
    return result


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Return the rows of a table that indices name.

    Args:
        input: the indices, of any shape.
        weight: the table.
        padding_idx: a row that gets no gradient.
        max_norm: first scale down the rows that are named, in place, to this norm.
        norm_type: which norm that is.
        scale_grad_by_freq: divide the gradient of a row by how often it was named.
        sparse: has no effect: gradients are dense.

    >>> import wengert as torch
    >>> weight = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> torch.nn.functional.embedding(torch.tensor([1, 1]), weight)
    tensor([[3., 4.],
            [3., 4.]])
    """
    check_operand("embedding", "weight", 0, weight)
    check_operand("embedding", "indices", 1, input)
    check_table(weight)
    count = weight.shape[0]
    if padding_idx is not None:
        if not -count <= padding_idx < count:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= count
    if max_norm is not None:
        scale_down(weight, input, max_norm, norm_type)
    padding = -1 if padding_idx is None else padding_idx
    return rows(weight, input, padding, scale_grad_by_freq, sparse)


def scale_down(
    weight: Tensor, indices: Tensor, max_norm: float, norm_type: float
) -> None:
    """Scale the rows of a table that indices name to a norm, if theirs is larger."""
    table, named = weight.detach(), indices.detach().reshape(-1)
    scaled = table.index_select(0, named).renorm(norm_type, 0, max_norm)
    table.index_copy_(0, named, scaled)
