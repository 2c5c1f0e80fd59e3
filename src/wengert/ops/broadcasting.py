"""Ops that repeat a tensor along dimensions of size 1, without copying."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..primitives import shape as S
from ..tensor import Tensor
from .arguments import Shape, as_tuple, broadcast_shape, shape_from
from .public import op


@op(function=False)
def expand(input: Tensor, *sizes: Any, implicit: bool = False, **named: Any) -> Tensor:
    """Return a view in which dimensions of size 1 are repeated, without copying.

    Args:
        sizes: the sizes of the result; -1 leaves one as it is.

    >>> import wengert as torch
    >>> torch.tensor([[1], [2]]).expand(2, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    if named:
        sizes = (named.popitem()[1],)
    shape = expanded_shape(input, shape_from(sizes, "expand"))
    result: Tensor = S.expand(input, shape=shape)
    return result


def expanded_shape(input: Tensor, sizes: Shape) -> Shape:
    """Return the sizes with those that are -1 filled in, or refuse them."""
    shape = input.shape
    lead = len(sizes) - len(shape)
    if lead >= 0 and min(sizes, default=0) >= 0:
        for have, size in zip(shape, sizes[lead:], strict=True):
            if have != size and have != 1:
                break
        else:
            return sizes
    return checked_expansion(input, sizes, tuple(shape), lead)


def checked_expansion(input: Tensor, sizes: Shape, shape: Shape, lead: int) -> Shape:
    """Do what `expanded_shape` does, looking at each dimension from the last."""
    if lead < 0:
        raise RuntimeError(
            f"expand(torch.{input.dtype.scalar_type}Tensor{{{list(shape)}}}, "
            f"size={list(sizes)}): the number of sizes provided ({len(sizes)}) must be "
            f"greater or equal to the number of dimensions in the tensor ({len(shape)})"
        )
    found = list(sizes)
    for dim in range(len(sizes) - 1, -1, -1):
        size = sizes[dim]
        have = shape[dim - lead] if dim >= lead else None
        if size == -1 and have is None:
            raise RuntimeError(
                f"The expanded size of the tensor ({size}) isn't allowed in a leading, "
                f"non-existing dimension {dim}"
            )
        if size == -1:
            assert have is not None
            found[dim] = have
        elif have not in (None, 1, size):
            raise RuntimeError(
                f"The expanded size of the tensor ({size}) must match the existing "
                f"size ({have}) at non-singleton dimension {dim}.  Target sizes: "
                f"{list(sizes)}.  Tensor sizes: {list(shape)}"
            )
    return tuple(found)


@op(out=False)
def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Return a view expanded to the shape of another tensor."""
    return expand(input, tuple(other.shape))


@op(out=False)
def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """Return a view expanded to a shape."""
    return expand(input, *as_tuple(size))


@op(method=False, out=False)
def broadcast_shapes(*shapes: Any) -> dtypes.Size:
    """Return the shape to which shapes are broadcast together.

    >>> import wengert as torch
    >>> torch.broadcast_shapes((2, 1), (3,))
    torch.Size([2, 3])
    """
    return dtypes.Size(broadcast_shape(*[as_tuple(shape) for shape in shapes]))


@op(method=False, out=False)
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Return tensors expanded to their common shape; those that have it themselves."""
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    shape = broadcast_shape(*[tensor.shape for tensor in tensors])
    return tuple([t if t.shape == shape else expand(t, shape) for t in tensors])
