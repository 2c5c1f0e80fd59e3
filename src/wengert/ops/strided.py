"""Ops that look at memory by strides, and those that write over such views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..primitives import overwriting as O, strided as P
from ..primitives.joining import position
from ..tensor import Tensor, plain
from .arguments import memory_of, normalize_dim, shape_from
from .layout import contiguous_strides, storage_offset, stride
from .public import op
from .shape import view_op

# --- windows and diagonals ------------------------------------------------------------


@op(function=False)
def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Return a view of all windows along a dimension; the last dimension is in them.

    Args:
        dimension: the dimension.
        size: the size of a window.
        step: from one window to the next.

    >>> import wengert as torch
    >>> torch.arange(4).unfold(0, 2, 1)
    tensor([[0, 1],
            [1, 2],
            [2, 3]])
    """
    dim = normalize_dim(dimension, len(input.shape))
    length = input.shape[dim] if input.shape else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > length:
        raise RuntimeError(
            f"maximum size for tensor at dimension {dim} is {length} but size is {size}"
        )
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    if not input.shape:
        whole: Tensor = input.reshape(1)
        return whole[:size]
    result: Tensor = P.unfold(input, dim=dim, size=size, step=step)
    return result


@op(out=False)
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Return a view of the diagonals in two dimensions, as the last dimension.

    >>> import wengert as torch
    >>> torch.arange(4).view(2, 2).diagonal()
    tensor([0, 3])
    """
    result: Tensor = P.diagonal(
        input, offset=offset, **two_dims(dim1, dim2, len(input.shape))
    )
    return result


def two_dims(dim1: int, dim2: int, ndim: int) -> dict[str, int]:
    """Return the two dimensions of a diagonal as parameters."""
    first, second = normalize_dim(dim1, ndim), normalize_dim(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return {"dim1": first, "dim2": second}


# --- any strides ----------------------------------------------------------------------


@view_op()
def as_strided(
    input: Tensor, size: Any, stride: Any, storage_offset: int | None = None
) -> Tensor:
    """Return a view of this tensor's memory with any sizes and strides.

    Args:
        size: the sizes.
        stride: how many elements apart in memory neighbours are.
        storage_offset: where the first element is in the storage, by default where that
            of the input is.

    >>> import wengert as torch
    >>> torch.arange(4).as_strided((3, 2), (1, 1))
    tensor([[0, 1],
            [1, 2],
            [2, 3]])
    """
    result: Tensor = P.as_strided(
        input, **geometry(input, size, stride, storage_offset)
    )
    return result


def geometry(
    input: Tensor, size: Any, stride_: Any, offset: int | None
) -> dict[str, Any]:
    """Return the parameters of `as_strided`, checked against the storage."""
    sizes = shape_from((size,), "as_strided", "size")
    steps = shape_from((stride_,), "as_strided", "stride")
    if len(sizes) != len(steps):
        raise RuntimeError("mismatch in length of strides and shape")
    if any(step < 0 for step in steps):
        raise RuntimeError(
            "as_strided: Negative strides are not supported at the moment, got "
            f"strides: {list(steps)}"
        )
    memory, hidden = memory_of(input), 0
    if memory is None:
        from ..layers.memory import memory_below

        memory, hidden = memory_below(input) or (None, 0)
    if memory is None:
        own, start, extent = contiguous_strides(tuple(input.shape)), 0, input.numel()
    else:
        below = plain(memory)
        own, start = stride(below)[hidden:], storage_offset(below)
        extent = P.storage_of(memory).size
    offset = start if offset is None else offset
    if hidden:
        check_inside(input, sizes, steps, offset, own, start)
    else:
        check_storage(input, sizes, steps, offset, extent)
    return {"size": sizes, "stride": steps, "offset": offset - start, "own": own}


def check_inside(
    input: Tensor,
    sizes: Sequence[int],
    steps: Sequence[int],
    offset: int,
    own: Sequence[int],
    start: int,
) -> None:
    """Refuse sizes and strides that reach beyond one element of a batch."""
    end = 1 + offset + reach_of(sizes, steps)
    last = 1 + start + reach_of(tuple(input.shape), own)
    if 0 in sizes or (start <= offset and end <= last):
        return
    raise RuntimeError(
        f"result = tensor.as_strided({list(sizes)}, {list(steps)}, {offset}) can "
        "access memory outside of `tensor`. `result` can access some memory in range "
        f"[{offset}, {end}], but `tensor` can only access some memory in range "
        f"[{start}, {last}]. This is not supported inside of vmap, please try to "
        "rewrite the `as_strided` call as a sequence of PyTorch view operations"
    )


def reach_of(sizes: Sequence[int], steps: Sequence[int]) -> int:
    """Return how far apart in memory the first and the last element are."""
    return sum([(n - 1) * step for n, step in zip(sizes, steps, strict=True)])


def check_storage(
    input: Tensor, sizes: Sequence[int], steps: Sequence[int], offset: int, extent: int
) -> None:
    """Refuse sizes and strides that reach beyond the memory."""
    if 0 in sizes:
        return
    reach = 1 + offset + reach_of(sizes, steps)
    if offset < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {offset}")
    if reach > extent:
        width = input.dtype.itemsize
        raise RuntimeError(
            f"setStorage: sizes {list(sizes)}, strides {list(steps)}, storage offset "
            f"{offset}, and itemsize {width} requiring a storage size of "
            f"{reach * width} are out of bounds for storage of size {extent * width}"
        )


# --- writing over a view --------------------------------------------------------------


def check_src(src: Tensor, shape: Sequence[int]) -> None:
    """Refuse values that do not have the shape of the view they are written over."""
    if tuple(src.shape) != tuple(shape):
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. src size = "
            f"{list(src.shape)}, slice size = {list(shape)}"
        )


@op(out=False)
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """Return a copy with one place along a dimension replaced by `src`.

    >>> import wengert as torch
    >>> torch.zeros(2, 2).select_scatter(torch.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    check_src(src, input.detach().select(dim, index).shape)
    where = position(normalize_dim(dim, len(input.shape)), int(index))
    result: Tensor = O.select_scatter(input, src, index=where)
    return result


@op(out=False)
def slice_scatter(
    input: Tensor,
    src: Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Tensor:
    """Return a copy with a slice of a dimension replaced by `src`."""
    dim = normalize_dim(dim, len(input.shape))
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    section = slice(start, end, step)
    index = (*(slice(None),) * dim, section, ...)
    shape = list(input.shape)
    shape[dim] = len(range(*section.indices(shape[dim])))
    check_src(src, shape)
    result: Tensor = O.slice_scatter(input, src, index=index)
    return result


@op(out=False)
def diagonal_scatter(
    input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Tensor:
    """Return a copy with the diagonals in two dimensions replaced by `src`."""
    check_src(src, diagonal(input.detach(), offset, dim1, dim2).shape)
    result: Tensor = O.diagonal_scatter(
        input, src, offset=offset, **two_dims(dim1, dim2, len(input.shape))
    )
    return result


@op(out=False)
def as_strided_scatter(
    input: Tensor,
    src: Tensor,
    size: Any,
    stride: Any,
    storage_offset: int | None = None,
) -> Tensor:
    """Return a contiguous copy with `src` where `as_strided` shows its elements."""
    input = input.contiguous()
    given = geometry(input, size, stride, storage_offset)
    check_src(src, given["size"])
    result: Tensor = O.as_strided_scatter(input, src, **given)
    return result
