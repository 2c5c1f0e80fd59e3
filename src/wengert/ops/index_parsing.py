"""Taking apart what stands in the brackets of ``x[index]``.

See Note [Basic and advanced indexing].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from .. import dtypes
from ..tensor import Tensor, plain
from .arguments import memory_of

FULL = slice(None)


class Parsed:
    """What an index asks for: a basic one first, then index arrays on its result.

    Attributes:
        basic: the basic index, ending in an Ellipsis.
        step: the name of the last op that PyTorch makes of it; None if it does nothing.
        indices: the index arrays, as tensors.
        dims: for each of them the dimension where it starts.
    """

    __slots__ = ("basic", "dims", "indices", "step")

    def __init__(self) -> None:
        self.basic: list[Any] = []
        self.step: str | None = None
        self.indices: list[Any] = []
        self.dims: list[int] = []


# --- plain indices --------------------------------------------------------------------

PLAIN = {int, type(None)}


def simple_step(self: Tensor, index: tuple[Any, ...]) -> str | None:
    """Return the last step of an index of integers, slices, None; else return None."""
    step = "alias"
    dim = 0
    for item in index:
        kind = type(item)
        if kind is int:
            step = "select"
            dim += 1
        elif item is None:
            step = "unsqueeze"
        elif kind is slice:
            start, stop = item.start, item.stop
            if (
                item.step is not None
                or type(start) not in PLAIN
                or type(stop) not in PLAIN
            ):
                return None
            shape = self.shape
            if start or (stop is not None and dim < len(shape) and stop < shape[dim]):
                step = "slice"
            dim += 1
        else:
            return None
    return step


# --- any index ------------------------------------------------------------------------


def parse(self: Tensor, index: Any) -> Parsed:
    """Take an index apart."""
    shape = self.shape
    items = as_items(index)
    used = sum([dims_used(item) for item in items])
    if used > len(shape):
        raise too_many_indices(len(shape), used)
    parsed = Parsed()
    at = made = (
        0  # which dimension is next: of the input, of what the basic index shows
    )
    for item in without_ellipsis(items, len(shape) - used):
        if item is None:
            parsed.basic.append(None)
            parsed.step = "unsqueeze"
            made += 1
        elif isinstance(item, slice):
            item = plain_slice(item)
            parsed.basic.append(item)
            if item.indices(shape[at]) != (0, shape[at], 1):
                parsed.step = "slice"
            at += 1
            made += 1
        elif type(item) is int:
            parsed.basic.append(item)
            parsed.step = "select"
            at += 1
        else:
            width = parse_array(parsed, item, shape, at, made)
            at += dims_used(item)
            made += width
    if isinstance(index, slice) and parsed.step is None and index != FULL:
        parsed.step = "slice"
    return parsed


def without_ellipsis(items: list[Any], missing: int) -> list[Any]:
    """Put full slices for the dimensions that the first Ellipsis stands for."""
    if not any(item is ... for item in items):
        return items
    first = next(i for i, item in enumerate(items) if item is ...)
    rest = [item for item in items[first:] if item is not ...]
    return [*items[:first], *[FULL] * missing, *rest]


def parse_array(
    parsed: Parsed, item: Tensor, shape: Sequence[int], at: int, made: int
) -> int:
    """Enter an index array; return how many dimensions of what is shown it takes."""
    width = dims_used(item)
    if width == 0:  # a mask without dimensions is one of a new dimension of size 1
        parsed.basic.append(None)
        parsed.step = "unsqueeze"
        item, width = item.reshape(1), 1
    elif not item.shape and memory_of(item) is not None:
        parsed.basic.append(int(item))
        parsed.step = "select"
        return 0
    else:
        parsed.basic += [FULL] * width
        if item.dtype is dtypes.bool_:
            check_mask(item.shape, shape, at)
    parsed.indices.append(item)
    parsed.dims.append(made)
    return width


def check_mask(mask: Sequence[int], shape: Sequence[int], at: int) -> None:
    """Refuse a mask that does not have the sizes of the dimensions it stands for."""
    for i, size in enumerate(mask):
        if size != shape[at + i]:
            raise IndexError(
                f"The shape of the mask {list(mask)} at index {i} does not match the "
                f"shape of the indexed tensor {list(shape)} at index {at + i}"
            )


def as_items(index: Any) -> list[Any]:
    """Return the entries of an index: integers, slices, None, Ellipses, tensors."""
    if isinstance(index, list) and is_nested(index):
        index = tuple(index)
    if not isinstance(index, tuple):
        index = (index,)
    return [as_item(item) for item in index]


def is_nested(index: list[Any]) -> bool:
    """Whether a list stands for a tuple, as it did in old NumPy."""
    return len(index) < 32 and any(
        item is None
        or item is ...
        or isinstance(item, (slice, list, tuple, Tensor, ndarray))
        for item in index
    )


def as_item(item: Any) -> Any:
    """Return an entry of an index in one of the forms that `parse` knows."""
    if item is None or item is ... or type(item) is int or isinstance(item, slice):
        return item
    if isinstance(item, Tensor):
        return as_index(item)
    if isinstance(item, (bool, np.bool_)):
        return plain(np.array(item, np.bool_))
    if isinstance(item, (list, tuple, range, ndarray)):
        array = np.asarray(item)
        if not isinstance(item, ndarray) and array.dtype.kind == "f":
            array = array.astype(np.int64)
        return as_index(plain(array))
    if hasattr(item, "__index__"):
        return int(item.__index__())
    if isinstance(item, str):
        raise TypeError("new(): invalid data type 'str'")
    raise IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte "
        f"Variables are valid indices (got {type(item).__name__})"
    )


def as_index(item: Tensor) -> Tensor:
    """Return a tensor that is an index: of integers, or a mask."""
    kind = item.dtype
    if kind.category > 1 or kind.name in ("int8", "int16"):
        raise IndexError(
            "tensors used as indices must be long, int, byte or bool tensors"
        )
    return item.bool() if kind.name == "uint8" else item


def dims_used(item: Any) -> int:
    """Return how many dimensions of the input an entry of an index stands for."""
    if item is None or item is ...:
        return 0
    if isinstance(item, (int, slice)) or item.dtype is not dtypes.bool_:
        return 1
    return len(item.shape)


def plain_slice(item: slice) -> slice:
    """Return a slice of Python's integers, or refuse it."""
    start, stop, step = [
        value if value is None or type(value) is int else value.__index__()
        for value in (item.start, item.stop, item.step)
    ]
    if step is not None and step <= 0:
        raise ValueError(
            "step must be greater than zero" if step else "slice step cannot be zero"
        )
    return slice(start, stop, step)


# --- errors ---------------------------------------------------------------------------


def too_many_indices(ndim: int, used: int) -> IndexError:
    if ndim == 0 and used == 1:
        return IndexError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or "
            "`tensor.item<T>()` in C++ to convert a 0-dim tensor to a number"
        )
    return IndexError(f"too many indices for tensor of dimension {ndim}")


def index_error(self: Tensor, index: Any, error: IndexError) -> IndexError:
    """Return PyTorch's error for NumPy's about a basic index."""
    ndim = len(self.shape)
    used = sum([dims_used(item) for item in as_items(index)])
    return too_many_indices(ndim, used) if used > ndim else in_dimensions(error)


def in_dimensions(error: IndexError) -> IndexError:
    """Return an error that speaks of dimensions where NumPy speaks of axes."""
    return IndexError(str(error).replace("for axis", "for dimension"))


def array_index_error(indices: Sequence[Any], error: IndexError) -> IndexError:
    """Return PyTorch's error for NumPy's about index arrays."""
    if "broadcast" in str(error):
        shapes = ", ".join(str(list(index.shape)) for index in indices)
        return IndexError(
            "shape mismatch: indexing tensors could not be broadcast together with "
            f"shapes {shapes}"
        )
    return in_dimensions(error)
