"""Ops that join tensors, and those that take one apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..primitives import joining as J
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
    tensors_from(tensors, "cat")
    dim = dim if axis is None else axis
    if not tensors:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    # PyTorch lets empty vectors pass, whatever the other shapes are.
    joined = [tensor for tensor in tensors if tuple(tensor.shape) != (0,)] or tensors[:1]
    first = joined[0].shape
    dim = normalize_dim(dim, len(first))
    for position, tensor in enumerate(joined):
        shape = tensor.shape
        if not shape:
            raise RuntimeError(
                f"zero-dimensional tensor (at position {position}) cannot be concatenated"
            )
        if len(shape) != len(first):
            raise RuntimeError(
                f"Tensors must have same number of dimensions: got {len(first)} and "
                f"{len(shape)}"
            )
        if shape[:dim] != first[:dim] or shape[dim + 1 :] != first[dim + 1 :]:
            have, want = next(
                (a, b)
                for i, (a, b) in enumerate(zip(shape, first, strict=True))
                if a != b and i != dim
            )
            raise RuntimeError(
                f"Sizes of tensors must match except in dimension {dim}. Expected size "
                f"{want} but got size {have} for tensor number {position} in the list."
            )
    result: Tensor = J.cat(*joined, dim=dim)
    return result


@op(method=False)
def stack(tensors: Tensors, dim: int = 0) -> Tensor:
    """Return tensors of one shape joined along a new dimension.

    >>> import wengert as torch
    >>> torch.stack([torch.tensor([1, 2]), torch.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
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


# --- taking apart ---------------------------------------------------------------------


@op(out=False)
def split(input: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Return views of the sections of a dimension.

    Args:
        split_size_or_sections: the size of all sections (the last may be smaller), or a
            list of sizes.

    >>> import wengert as torch
    >>> torch.arange(5).split(2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    if isinstance(split_size_or_sections, tuple | list):
        return split_with_sizes(input, split_size_or_sections, dim)
    dim, length = dim_and_size(input, dim, "split")
    size = int(split_size_or_sections)
    if size < 0:
        raise RuntimeError(
            f"split expects split_size be non-negative, but got split_size={size}"
        )
    if size == 0 and length:
        raise RuntimeError(
            "split_size can only be 0 if dimension size is 0, but got dimension size of "
            f"{length}"
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
def split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
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
    parts: tuple[Tensor, ...] = J.unbind(input, dim=normalize_dim(dim, len(input.shape)))
    return parts
