"""Ops that join tensors, and those that take one apart."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from numpy import ndarray

from ..primitives import joining as J
from ..primitives.indexing import basic_slice
from ..primitives.joining import section
from ..tensor import Tensor
from .arguments import normalize_dim, shape_from, tensors_from
from .public import op

Tensors = Sequence[Tensor]

# --- joining --------------------------------------------------------------------------


@op("concat", "concatenate", method=False)
def cat(tensors: Tensors, dim: int = 0, *, axis: int | None = None) -> Tensor:
    """Return tensors joined along a dimension they have.

    >>> import wengert as torch
    >>> torch.cat([torch.tensor([1, 2]), torch.tensor([3])])
    tensor([1, 2, 3])
    """
    dim = dim if axis is None else axis
    if type(dim) is int and dim >= 0:
        joined = joined_quickly(J.cat, tensors, dim)
        if joined is not None:
            return joined
    tensors_from(tensors, "cat")
    if not tensors:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    # PyTorch lets empty vectors pass, whatever the other shapes are.
    given = [tensor for tensor in tensors if tuple(tensor.shape) != (0,)] or tensors[:1]
    dim = normalize_dim(dim, len(given[0].shape))
    check_joinable(given, dim)
    result: Tensor = J.cat(*given, dim=dim)
    return result


def joined_quickly(join: Callable[..., Any], tensors: Any, dim: int) -> Tensor | None:
    """Return the result if there is no cause for complaint, else None."""
    if (type(tensors) is not list and type(tensors) is not tuple) or not tensors:
        return None
    try:
        result = join(*tensors, dim=dim)
    except (ValueError, TypeError, AttributeError, IndexError):
        return None
    return result if type(result) is not ndarray else None


def check_joinable(tensors: Tensors, dim: int) -> None:
    """Refuse tensors that differ in dimensions that they are not joined along."""
    first = tensors[0].shape
    for position, tensor in enumerate(tensors):
        shape = tensor.shape
        if not shape:
            raise RuntimeError(
                f"zero-dimensional tensor (at position {position}) cannot be "
                "concatenated"
            )
        if len(shape) != len(first):
            raise RuntimeError(
                f"Tensors must have same number of dimensions: got {len(first)} and "
                f"{len(shape)}"
            )
        for i, (have, want) in enumerate(zip(shape, first, strict=True)):
            if have != want and i != dim:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {dim}. Expected "
                    f"size {want} but got size {have} for tensor number {position} in "
                    "the list."
                )


@op(method=False)
def stack(tensors: Tensors, dim: int = 0) -> Tensor:
    """Return tensors of one shape joined along a new dimension.

    >>> import wengert as torch
    >>> torch.stack([torch.tensor([1, 2]), torch.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    if type(dim) is int and dim >= 0:
        joined = joined_quickly(J.stack, tensors, dim)
        if joined is not None:
            return joined
    tensors_from(tensors, "stack")
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    first = tensors[0].shape
    for position, tensor in enumerate(tensors):
        if tensor.shape != first:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(first)} at "
                f"entry 0 and {list(tensor.shape)} at entry {position}"
            )
    result: Tensor = J.stack(*tensors, dim=normalize_dim(dim, len(first) + 1))
    return result


def as_vectors(tensors: Any, name: str) -> list[Tensor]:
    """Return tensors with at least one dimension."""
    given = tensors_from(tensors, name)
    if not given:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return [tensor if tensor.shape else tensor.reshape(1) for tensor in given]


@op(method=False)
def hstack(tensors: Tensors) -> Tensor:
    """Return tensors joined side by side: in dimension 1, vectors in dimension 0."""
    given = as_vectors(tensors, "hstack")
    return cat(given, 0 if len(given[0].shape) == 1 else 1)


@op("row_stack", method=False)
def vstack(tensors: Tensors) -> Tensor:
    """Return tensors joined one below the other; vectors are rows."""
    given = as_vectors(tensors, "vstack")
    return cat([t if len(t.shape) > 1 else t.unsqueeze(0) for t in given], 0)


@op(method=False)
def dstack(tensors: Tensors) -> Tensor:
    """Return tensors joined along dimension 2, one behind the other."""
    return cat([atleast_3d(tensor) for tensor in as_vectors(tensors, "dstack")], 2)


@op(method=False)
def column_stack(tensors: Tensors) -> Tensor:
    """Return tensors joined side by side; vectors are columns."""
    given = as_vectors(tensors, "column_stack")
    return cat([t if len(t.shape) > 1 else t.unsqueeze(1) for t in given], 1)


def for_each(one: Callable[[Tensor], Tensor]) -> Callable[..., Any]:
    """Let an op of one tensor take several, or a list of them, and return a tuple."""

    @functools.wraps(one)
    def call(*tensors: Any) -> Any:
        if len(tensors) == 1 and isinstance(tensors[0], Tensor):
            return one(tensors[0])
        given = tensors[0] if len(tensors) == 1 else tensors
        return tuple([one(tensor) for tensor in given])

    return call


@op(method=False, out=False)
@for_each
def atleast_1d(input: Tensor) -> Tensor:
    """Return a tensor, or each of several, with at least one dimension."""
    return input if input.shape else input.reshape(1)


@op(method=False, out=False)
@for_each
def atleast_2d(input: Tensor) -> Tensor:
    """Return a tensor, or each of several, with at least two; vectors are rows."""
    if len(input.shape) > 1:
        return input
    return input.unsqueeze(0) if input.shape else input.reshape(1, 1)


@op(method=False, out=False)
@for_each
def atleast_3d(input: Tensor) -> Tensor:
    """Return a tensor, or each of several, with at least three dimensions."""
    ndim = len(input.shape)
    if ndim == 0:
        return input.reshape(1, 1, 1)
    if ndim == 1:
        return input.unsqueeze(0).unsqueeze(-1)
    return input.unsqueeze(-1) if ndim == 2 else input


# --- taking apart ---------------------------------------------------------------------


@op(out=False)
def split(
    input: Tensor, split_size_or_sections: Any, dim: int = 0
) -> tuple[Tensor, ...]:
    """Return views of the sections of a dimension.

    Args:
        split_size_or_sections: the size of all sections (the last may be smaller), or a
            list of sizes.

    >>> import wengert as torch
    >>> torch.arange(5).split(2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    if isinstance(split_size_or_sections, (tuple, list)):
        return split_with_sizes(input, split_size_or_sections, dim)
    dim, length = dim_and_size(input, dim, "split")
    size = int(split_size_or_sections)
    if size < 0:
        raise RuntimeError(
            f"split expects split_size be non-negative, but got split_size={size}"
        )
    if size == 0 and length:
        raise RuntimeError(
            "split_size can only be 0 if dimension size is 0, but got dimension size "
            f"of {length}"
        )
    parts: tuple[Tensor, ...] = J.split(input, sizes=sections(length, size), dim=dim)
    return parts


def dim_and_size(input: Tensor, dim: int, name: str) -> tuple[int, int]:
    """Return the number of a dimension and its size."""
    shape = input.shape
    if not shape:
        raise RuntimeError(f"{name} expects at least a 1-dimensional tensor")
    dim = normalize_dim(dim, len(shape))
    return dim, shape[dim]


def sections(length: int, size: int) -> tuple[int, ...]:
    """Return the sizes of sections of one size that a length is divided into."""
    if length == 0:
        return (0,)
    whole, rest = divmod(length, size)
    return (size,) * whole + ((rest,) if rest else ())


@op(out=False)
def split_with_sizes(
    input: Tensor, split_sizes: Any, dim: int = 0
) -> tuple[Tensor, ...]:
    """Return views of sections of a dimension of the given sizes."""
    dim, length = dim_and_size(input, dim, "split")
    sizes = shape_from((split_sizes,), "split_with_sizes", "split_sizes")
    if any(size < 0 for size in sizes):
        raise RuntimeError(
            "split_with_sizes expects split_sizes have only non-negative entries, but "
            f"got split_sizes={list(sizes)}"
        )
    if sum(sizes) != length:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {length} (input "
            f"tensor's size at dimension {dim}), but got split_sizes={list(sizes)}"
        )
    parts: tuple[Tensor, ...] = J.split_with_sizes(input, sizes=sizes, dim=dim)
    return parts


@op(out=False)
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Return views of at most this many sections of equal size.

    >>> import wengert as torch
    >>> torch.arange(5).chunk(2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    if not input.shape:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks < 1:
        raise RuntimeError(
            f"chunk expects `chunks` to be greater than 0, got: {chunks}"
        )
    dim, length = dim_and_size(input, dim, "chunk")
    if length == 0:
        return split_with_sizes(input, (0,) * chunks, dim)
    return split(input, -(-length // chunks), dim)


@op(out=False)
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Return views of all places along a dimension, which the views no longer have."""
    if not input.shape:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    parts: tuple[Tensor, ...] = J.unbind(
        input, dim=normalize_dim(dim, len(input.shape))
    )
    return parts


@op(out=False)
def unsafe_split(input: Tensor, split_size: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Return the sections that `split` does; writing into them is not recorded."""
    dim, length = dim_and_size(input, dim, "split")
    parts: tuple[Tensor, ...] = J.unsafe_split(
        input, sizes=sections(length, split_size), dim=dim
    )
    return parts


@op(out=False)
def unsafe_split_with_sizes(
    input: Tensor, split_sizes: Any, dim: int = 0
) -> tuple[Tensor, ...]:
    """Return the sections that `split_with_sizes` does; see `unsafe_split`."""
    dim, _ = dim_and_size(input, dim, "split")
    sizes = shape_from((split_sizes,), "unsafe_split_with_sizes", "split_sizes")
    parts: tuple[Tensor, ...] = J.unsafe_split(input, sizes=sizes, dim=dim)
    return parts


@op(out=False)
def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Return the sections that `chunk` does; see `unsafe_split`."""
    _, length = dim_and_size(input, dim, "chunk")
    return unsafe_split(input, max(-(-length // chunks), 1), dim)


@op(out=False)
def tensor_split(
    input: Tensor, indices_or_sections: Any, dim: int = 0, **named: Any
) -> tuple[Tensor, ...]:
    """Return views of sections of a dimension, whose sizes need not be equal.

    Args:
        indices_or_sections: how many sections, the first of which may be larger by one;
            or the places where a new one begins.

    >>> import wengert as torch
    >>> torch.arange(5).tensor_split(2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    dim, length = dim_and_size(input, dim, "tensor_split")
    given = indices_or_sections
    if isinstance(given, Tensor):
        given = given.tolist()
    if isinstance(given, (tuple, list)):
        starts = list(shape_from((given,), "tensor_split", "indices"))
    else:
        if given <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {given}")
        small, larger = divmod(length, given)
        starts = [i * small + min(i, larger) for i in range(1, given)]
    bounds = [0, *starts, length]
    return tuple(
        [
            basic_slice(input, index=section(dim, bounds[i], bounds[i + 1]))
            for i in range(len(bounds) - 1)
        ]
    )


def splitting(name: str, dim: int, at_least: int) -> Callable[..., tuple[Tensor, ...]]:
    """Return one of the ops that split along a dimension of their own."""

    def split_along(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
        ndim = len(input.shape)
        if ndim < at_least:
            raise RuntimeError(
                f"torch.{name} requires a tensor with at least {at_least} dimension, "
                f"but got a tensor with {ndim} dimensions!"
            )
        along = 0 if ndim == 1 else dim
        given = indices_or_sections
        if isinstance(given, int) and (given <= 0 or input.shape[along] % given):
            raise RuntimeError(
                f"torch.{name} attempted to split along dimension {along}, but the "
                f"size of the dimension {input.shape[along]} is not divisible by the "
                f"split_size {given}!"
            )
        return tensor_split(input, given, along)

    split_along.__name__ = split_along.__qualname__ = name
    split_along.__doc__ = f"Return views of sections of dimension {dim}."
    op(out=False)(split_along)
    return split_along


hsplit = splitting("hsplit", 1, 1)
vsplit = splitting("vsplit", 0, 2)
dsplit = splitting("dsplit", 2, 3)
