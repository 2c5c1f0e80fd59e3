"""Ops that look for elements: where they are not zero, which there are, their place."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..primitives import searching as P
from ..tensor import Tensor, plain
from .arguments import memory_of, normalize_dim, numel, shape_from
from .joining import unbind
from .public import op

# --- where ----------------------------------------------------------------------------


@op()
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Return the indices of the elements that are not zero, as rows.

    Args:
        as_tuple: return a tensor of indices for each dimension instead.

    >>> import wengert as torch
    >>> torch.tensor([[0, 1], [1, 0]]).nonzero()
    tensor([[0, 1],
            [1, 0]])
    """
    if as_tuple and not input.shape:
        input = input.reshape(1)
    found: Tensor = P.nonzero(input)
    return unbind(found, 1) if as_tuple else found


@op()
def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """Return the first `size` indices of elements that are not zero, filled up."""
    if size < 0:
        raise RuntimeError("nonzero_static: 'size' must be an non-negative integer")
    result: Tensor = P.nonzero_static(input, size=size, fill_value=fill_value)
    return result


@op(out=False)
def argwhere(input: Tensor) -> Tensor:
    """Return the indices of the elements that are not zero, as rows."""
    result: Tensor = P.nonzero(input)
    return result


@op(method=False)
def isin(
    elements: Any,
    test_elements: Any,
    *,
    assume_unique: bool = False,
    invert: bool = False,
) -> Tensor:
    """Whether each element is one of the others.

    Args:
        elements: a tensor, or a number.
        test_elements: those that it may be; a tensor, or a number.
        assume_unique: has no effect.
        invert: whether it is none of them.

    >>> import wengert as torch
    >>> torch.isin(torch.tensor([1, 2, 3]), torch.tensor([2, 4]))
    tensor([False,  True, False])
    """
    if not isinstance(elements, Tensor) and not isinstance(test_elements, Tensor):
        raise TypeError("isin(): one of the arguments must be Tensor")
    found = np.isin(_array(elements), _array(test_elements), invert=invert)
    return plain(np.asarray(found))


def _array(value: Any) -> Any:
    return value.detach().numpy() if isinstance(value, Tensor) else value


@op(method=False)
def searchsorted(
    sorted_sequence: Tensor,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """Return where values would be put into a sorted last dimension.

    Args:
        sorted_sequence: the sorted values.
        input: the values to look for.
        out_int32: return int32 in place of int64.
        right: after equal elements, not before them.
        side: the same as "right" or "left".
        sorter: the indices that sort `sorted_sequence`, if it is not sorted.

    >>> import wengert as torch
    >>> torch.searchsorted(torch.tensor([1, 3, 5]), torch.tensor([3, 4]))
    tensor([1, 2])
    """
    if side not in (None, "left", "right"):
        raise RuntimeError(
            f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}"
        )
    if side == "left" and right:
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side "
            "of left while right was True"
        )
    if not isinstance(input, Tensor):
        input = sorted_sequence.new_tensor(
            input, dtype=dtypes.result_type(sorted_sequence, input)
        )
    if sorter is not None:
        sorted_sequence = sorted_sequence.gather(-1, sorter)
    bounds, wanted = tuple(sorted_sequence.shape), tuple(input.shape)
    if len(bounds) != 1 and (len(bounds) != len(wanted) or bounds[:-1] != wanted[:-1]):
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the "
            "first N-1 dimensions of boundaries tensor and input value tensor must "
            f"match, but we got boundaries tensor {list(bounds)} and input value "
            f"tensor {list(wanted)}"
        )
    dtype = (dtypes.int32 if out_int32 else dtypes.int64).numpy
    result: Tensor = P.searchsorted(
        sorted_sequence, input, right=right or side == "right", dtype=dtype
    )
    return result


@op(method=False, numbers=True)
def bucketize(
    input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False
) -> Tensor:
    """Return for each value between which boundaries it lies.

    Args:
        input: the values.
        boundaries: sorted.
        out_int32: return int32 in place of int64.
        right: a value equal to a boundary counts as above it.

    >>> import wengert as torch
    >>> torch.bucketize(torch.tensor([0.5, 1.5]), torch.tensor([1.0, 2.0]))
    tensor([0, 1])
    """
    if len(boundaries.shape) != 1:
        raise RuntimeError(
            "boundaries tensor must be 1 dimension, but got "
            f"dim({len(boundaries.shape)})"
        )
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


# --- which ----------------------------------------------------------------------------


def some_of(
    found: tuple[Tensor, Tensor, Tensor], return_inverse: bool, return_counts: bool
) -> Any:
    """Return the results that were asked for, without a tuple if it is one."""
    values, inverse, counts = found
    wanted = [values]
    wanted += [inverse] if return_inverse else []
    wanted += [counts] if return_counts else []
    return wanted[0] if len(wanted) == 1 else tuple(wanted)


@op(out=False)
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """Return each element once, or each place of a dimension.

    Args:
        sorted: has no effect: they always are.
        return_inverse: also return which one each element of the input is.
        return_counts: also return how often each of them occurs.
        dim: the dimension whose places are compared as a whole.

    >>> import wengert as torch
    >>> torch.tensor([3, 1, 3]).unique()
    tensor([1, 3])
    """
    if dim is None:
        return some_of(P.unique(input, dim=None), return_inverse, return_counts)
    found = P.unique_dim(input, dim=normalize_dim(dim, len(input.shape)))
    return some_of(found, return_inverse, return_counts)


@op(out=False)
def unique_consecutive(
    input: Tensor,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """Return each run of equal elements once; the arguments are those of `unique`."""
    if dim is not None:
        dim = normalize_dim(dim, len(input.shape))
    return some_of(P.unique_consecutive(input, dim=dim), return_inverse, return_counts)


# --- numbers of places ----------------------------------------------------------------


@op(method=False, out=False)
def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """Return for indices into all elements those into each dimension of a shape.

    >>> import wengert as torch
    >>> torch.unravel_index(torch.tensor(5), (2, 3))
    (tensor(1), tensor(2))
    """
    if indices.dtype.category != dtypes.INT:
        raise ValueError(
            f"expected 'indices' to be integer dtype, but got {indices.dtype}"
        )
    sizes = (
        (shape,) if isinstance(shape, int) else shape_from((shape,), "unravel_index")
    )
    if any(size < 0 for size in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {tuple(sizes)}")
    found = []
    for i, size in enumerate(sizes):
        step = numel(sizes[i + 1 :])
        found.append((indices // step) % size)
    return tuple(found)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Return vectors of zeros with a one at the place that each index names.

    Args:
        tensor: indices, int64.
        num_classes: the size of the vectors, by default the largest index plus 1.

    >>> import wengert as torch
    >>> torch.nn.functional.one_hot(torch.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    if tensor.dtype is not dtypes.int64:
        raise RuntimeError(
            "one_hot is only applicable to index tensor of type LongTensor."
        )
    memory = memory_of(tensor)
    if memory is None or memory.size == 0:
        if num_classes < 0:
            raise RuntimeError(
                "Can not infer total number of classes from empty tensor."
            )
    else:
        if memory.min() < 0:
            raise RuntimeError("Class values must be non-negative.")
        if num_classes < 0:
            num_classes = int(memory.max()) + 1
        if memory.max() >= num_classes:
            raise RuntimeError("Class values must be smaller than num_classes.")
    result: Tensor = P.one_hot(tensor, num_classes=num_classes)
    return result
