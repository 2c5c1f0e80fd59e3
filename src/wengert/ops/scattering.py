"""Ops that write values where tensors of indices point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..primitives import scatter_reduce as R, scattering as P
from ..tensor import Tensor
from .arguments import normalize_dim
from .gathering import at_least_one, check_index
from .masking import check_value
from .public import op

# --- an index for each value ----------------------------------------------------------


def check_scatter(input: Tensor, index: Tensor, src: Tensor, dim: int) -> None:
    """Refuse values of another dtype, and sizes that do not go together."""
    if src.dtype is not input.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    check_sizes(index._data.shape, input._data.shape, src._data.shape, dim)


def check_sizes(
    have: Sequence[int], limit: Sequence[int], given: Sequence[int], dim: int
) -> None:
    """Refuse an index that is larger than what is written, or written into."""
    if have == given == limit or 0 in have:
        return
    for sizes, name in ((limit, "self"), (given, "src")):
        if len(have) != len(sizes):
            raise RuntimeError(
                f"Index tensor must have the same number of dimensions as {name} tensor"
            )
    for i, (n, bound, available) in enumerate(zip(have, limit, given, strict=True)):
        if n > available or (n > bound and i != dim):
            raise RuntimeError(
                f"Expected index {list(have)} to be no larger than self {list(limit)} "
                f"apart from dimension {dim} and to be no larger size than src "
                f"{list(given)}"
            )


def along(input: Tensor, dim: int, index: Tensor) -> tuple[Tensor, int, Tensor]:
    """Return what a scattering needs: tensors with dimensions, and which one it is."""
    index = check_index(index, "scatter(): Expected dtype int32/int64 for index")
    dim = normalize_dim(dim, len(input.shape))
    return at_least_one(input), dim, at_least_one(index)


def like(result: Tensor, input: Tensor) -> Tensor:
    """Return a result with the dimensions of the input: none, if that has none."""
    return result if input.shape else result.reshape(())


@op(inplace=True)
def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Any = None,
    *,
    value: Any = None,
    reduce: str | None = None,
) -> Tensor:
    """Return a copy with values written where an index points along a dimension.

    For a matrix and ``dim=1``: ``result[i, index[i, j]] = src[i, j]``.

    Args:
        dim: the dimension.
        index: int64 or int32, no larger than `src`.
        src: the values, or a number.
        value: the number by its name.
        reduce: "add" or "multiply" with what is there, see `scatter_reduce`.

    >>> import wengert as torch
    >>> torch.zeros(1, 3).scatter(1, torch.tensor([[2]]), 1.0)
    tensor([[0., 0., 1.]])
    """
    src = value if src is None else src
    if reduce is not None:
        return scatter_combined(input, dim, index, src, reduce)
    whole, dim, index = along(input, dim, index)
    if isinstance(src, Tensor):
        src = at_least_one(src)
        check_scatter(whole, index, src, dim)
        return like(P.scatter(whole, index, src, dim=dim), input)
    check_value(input, src)
    check_sizes(index._data.shape, whole._data.shape, index._data.shape, dim)
    return like(P.scatter_value(whole, index, dim=dim, value=src), input)


def scatter_combined(
    input: Tensor, dim: int, index: Tensor, src: Any, reduce: str
) -> Tensor:
    """Return a copy with values added or multiplied where an index points."""
    reduces = {"add": "sum", "multiply": "prod"}
    if reduce not in reduces:
        raise RuntimeError("reduce argument must be either add or multiply.")
    if not isinstance(src, Tensor):
        src = input.new_full(tuple(index.shape), src)
    return scatter_reduce(input, dim, index, src, reduces[reduce])


@op(inplace=True)
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """Return a copy with values added where an index points along a dimension.

    >>> import wengert as torch
    >>> index = torch.tensor([0, 0, 1])
    >>> torch.zeros(2).scatter_add(0, index, torch.ones(3))
    tensor([2., 1.])
    """
    whole, dim, index = along(input, dim, index)
    src = at_least_one(src)
    check_scatter(whole, index, src, dim)
    return like(P.scatter_add(whole, index, src, dim=dim), input)


@op(inplace=True)
def scatter_reduce(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
) -> Tensor:
    """Return a copy with values reduced into where an index points along a dimension.

    Args:
        dim: the dimension.
        index: int64 or int32, no larger than `src`.
        src: the values.
        reduce: "sum", "prod", "mean", "amax" or "amin".
        include_self: whether the values that are there take part.

    >>> import wengert as torch
    >>> index = torch.tensor([0, 0, 1])
    >>> torch.zeros(2).scatter_reduce(0, index, torch.tensor([1., 3., 5.]), "amax")
    tensor([3., 5.])
    """
    if reduce not in R.UFUNCS:
        raise RuntimeError(
            "reduce argument must be either sum, prod, mean, amax or amin, got "
            f"{reduce}"
        )
    whole, dim, index = along(input, dim, index)
    src = at_least_one(src)
    check_scatter(whole, index, src, dim)
    result = R.scatter_reduce(
        whole, index, src, dim=dim, reduce=reduce, include_self=include_self
    )
    return like(result, input)


# --- an index for each place of one dimension -----------------------------------------


def check_vector(index: Tensor, name: str) -> Tensor:
    """Return an index as a vector of int64."""
    if len(index.shape) > 1:
        raise IndexError(
            f"{name}(): Index is supposed to be a vector, but got dim: "
            f"{len(index.shape)} with type: {index.dtype.scalar_type} and size: "
            f"{list(index.shape)}"
        )
    message = (
        f"{name}(): Expected dtype int32/int64 for index but got: "
        f"{index.dtype.scalar_type}"
    )
    return at_least_one(check_index(index, message))


def check_source(index: Tensor, source: Tensor, dim: int, name: str) -> None:
    """Refuse a source that has not one place for each index."""
    if index.shape[0] != source.shape[dim]:
        problem = f"{name}(): Number of indices ({index.shape[0]}) should be equal to "
        if name == "index_copy_":
            raise IndexError(f"{problem}source.size(dim) ({source.shape[dim]})")
        raise RuntimeError(
            f"{problem}source.size(dim): ({source.shape[dim]}), for dim: {dim}"
        )


def check_other_dims(input: Tensor, source: Tensor, dim: int) -> None:
    """Refuse a source that differs from the input in another dimension than `dim`."""
    have, want = list(source.shape), list(input.shape)
    if have[:dim] + have[dim + 1 :] != want[:dim] + want[dim + 1 :]:
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified "
            f"dimension. Got self.shape = {want} source.shape = {have}"
        )


@op(inplace=True)
def index_add(
    input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1
) -> Tensor:
    """Return a copy with `alpha` times `source` added at places along a dimension.

    >>> import wengert as torch
    >>> torch.zeros(2).index_add(0, torch.tensor([1, 1]), torch.ones(2))
    tensor([0., 2.])
    """
    index = check_vector(index, "index_add_")
    dim = normalize_dim(dim, len(input.shape))
    if source.dtype is not input.dtype:
        raise RuntimeError(
            f"index_add_(): self ({input.dtype.scalar_type}) and source "
            f"({source.dtype.scalar_type}) must have the same scalar type"
        )
    whole, source = at_least_one(input), at_least_one(source)
    check_other_dims(whole, source, dim)
    check_source(index, source, dim, "index_add_")
    scaled = source if alpha == 1 else source * alpha
    return like(P.index_add(whole, index, scaled, dim=dim), input)


@op(inplace=True)
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """Return a copy with `source` written at places along a dimension."""
    index = check_vector(index, "index_copy_")
    dim = normalize_dim(dim, len(input.shape))
    if source.dtype is not input.dtype:
        raise RuntimeError(
            "index_copy_(): self and source expected to have the same dtype, but got "
            f"(self) {input.dtype.scalar_type} and (source) {source.dtype.scalar_type}"
        )
    whole, source = at_least_one(input), at_least_one(source)
    check_source(index, source, dim, "index_copy_")
    return like(P.index_copy(whole, index, source, dim=dim), input)


@op(inplace=True, out=False)
def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """Return a copy with one value at places along a dimension."""
    if index.dtype is not dtypes.int64:
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    index = check_vector(index, "index_fill_")
    dim = normalize_dim(dim, len(input.shape))
    whole = at_least_one(input)
    if not isinstance(value, Tensor):
        check_value(input, value)
        return like(P.index_fill(whole, index, dim=dim, value=value), input)
    if value.shape:
        raise RuntimeError(
            "index_fill_ only supports a 0-dimensional value tensor, but got tensor "
            f"with {len(value.shape)} dimension(s)."
        )
    return like(P.index_fill_tensor(whole, index, value, dim=dim), input)


@op(inplace=True)
def index_reduce(
    input: Tensor,
    dim: int,
    index: Tensor,
    source: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
) -> Tensor:
    """Return a copy with `source` reduced into places along a dimension.

    Args:
        reduce: "prod", "mean", "amax" or "amin".
        include_self: whether the values that are there take part.
    """
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(
            "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but "
            f"got {reduce}."
        )
    index = check_vector(index, "index_reduce")
    dim = normalize_dim(dim, len(input.shape))
    whole, source = at_least_one(input), at_least_one(source)
    check_source(index, source, dim, "index_reduce")
    lying = [1] * len(whole.shape)
    lying[dim] = -1
    spread = index.view(lying).expand(tuple(source.shape))
    result = R.index_reduce(
        whole, spread, source, dim=dim, reduce=reduce, include_self=include_self
    )
    return like(result, input)


# --- an index into all elements -------------------------------------------------------


@op(inplace=True, out=False)
def put(
    input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False
) -> Tensor:
    """Return a copy with values written at indices into all elements in their order.

    Args:
        accumulate: add them to what is there.
    """
    index = check_index(index, "put_(): Expected a long tensor for index")
    if source.dtype is not input.dtype:
        raise RuntimeError(
            "put_(): self and source expected to have the same dtype, but got "
            f"self.dtype = {input.dtype.scalar_type} and source.dtype = "
            f"{source.dtype.scalar_type}"
        )
    if source.numel() != index.numel():
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, "
            f"but got source.numel() = {source.numel()}, index.numel() = "
            f"{index.numel()}"
        )
    result: Tensor = P.put(input, index, source, accumulate=accumulate)
    return result
