"""``x[index]`` and ``x[index] = value``; see Note [Basic and advanced indexing]."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from .. import dtypes, modes
from ..inplace import assign, check_writable
from ..primitives import indexing as I
from ..primitives.joining import position, section
from ..tensor import Tensor, counter, history, plain
from .arguments import memory_of, normalize_dim
from .joining import unbind
from .gathering import at_least_one
from .public import op

STEPS = {
    "select": I.basic_select,
    "slice": I.basic_slice,
    "unsqueeze": I.basic_unsqueeze,
    "alias": I.basic_alias,
}
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


# --- one place, one section -----------------------------------------------------------


@op(out=False)
def select(input: Tensor, dim: int, index: Any) -> Tensor:
    """Return a view of one place along a dimension, which the view no longer has.

    >>> import wengert as torch
    >>> torch.arange(6).view(2, 3).select(1, -1)
    tensor([2, 5])
    """
    shape = input.shape
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim, index = normalize_dim(dim, len(shape)), int(index)
    if not -shape[dim] <= index < shape[dim]:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(shape)} at "
            f"dimension {dim}"
        )
    result: Tensor = I.basic_select(input, index=position(dim, index))
    return result


@op(out=False)
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """Return a view of a section of a dimension.

    Args:
        start: where it begins; a negative number counts from the end.
        length: its size.

    >>> import wengert as torch
    >>> torch.arange(5).narrow(0, 1, 3)
    tensor([1, 2, 3])
    """
    shape = input.shape
    if not shape:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if isinstance(start, Tensor) and (start.shape or start.dtype.category != dtypes.INT):
        raise RuntimeError("start must be an 0-dim integral Tensor.")
    dim, start = normalize_dim(dim, len(shape)), int(start)
    size = shape[dim]
    if not -size <= start <= size:
        raise IndexError(
            f"start out of range (expected to be in range of [{-size}, {size}], but got "
            f"{start})"
        )
    start += size if start < 0 else 0
    if start + length > size:
        raise RuntimeError(
            f"start ({start}) + length ({length}) exceeds dimension size ({size})."
        )
    result: Tensor = I.basic_slice(input, index=section(dim, start, start + length))
    return result


# --- reading --------------------------------------------------------------------------


def __getitem__(self: Tensor, index: Any) -> Any:
    kind = type(index)
    try:
        if kind is int:
            return I.basic_select(self, index=(index, ...))
        if kind is tuple:
            step = simple_step(self, index)
            if step is not None:
                return STEPS[step](self, index=(*index, ...))
        elif kind is Tensor and index.shape and index.dtype in SINGLE:
            return I.index(self, index, dims=(0,))
        elif index is None:
            return I.basic_unsqueeze(self, index=(None, ...))
    except IndexError as error:
        if kind is not Tensor:
            raise index_error(self, index, error) from None
    return parsed_getitem(self, index)


SINGLE = {dtypes.int64, dtypes.bool_}
"""The dtypes of tensors that NumPy takes for an index as PyTorch does."""


def simple_step(self: Tensor, index: tuple[Any, ...]) -> str | None:
    """Return the last step of an index of integers, slices and None; None for others."""
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
            if item.step is not None or type(start) not in PLAIN or type(stop) not in PLAIN:
                return None
            shape = self.shape
            if start or (stop is not None and dim < len(shape) and stop < shape[dim]):
                step = "slice"
            dim += 1
        else:
            return None
    return step


PLAIN = {int, type(None)}


def parsed_getitem(self: Tensor, index: Any) -> Any:
    """Return the elements at any index."""
    if type(index) is slice and not self.shape:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    parsed = parse(self, index)
    result = self
    if parsed.step is not None:
        result = shown(self, parsed, index)
    elif not parsed.indices:
        step = "slice" if type(index) is slice else "alias"
        result = STEPS[step](self, index=(*parsed.basic, ...))
    if parsed.indices:
        try:
            result = I.index(result, *parsed.indices, dims=tuple(parsed.dims))
        except IndexError as error:
            raise array_index_error(parsed.indices, error) from None
    return result


def shown(self: Tensor, parsed: Parsed, index: Any) -> Tensor:
    """Return the view at the basic part of an index."""
    assert parsed.step is not None
    try:
        view: Tensor = STEPS[parsed.step](self, index=(*parsed.basic, ...))
    except IndexError as error:
        raise index_error(self, index, error) from None
    return view


def parse(self: Tensor, index: Any) -> Parsed:
    """Take an index apart."""
    shape = self.shape
    items = as_items(index)
    used = sum([dims_used(item) for item in items])
    if used > len(shape):
        raise too_many_indices(len(shape), used)
    parsed = Parsed()
    at = made = 0  # which dimension is next: of the input, of what the basic index shows
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
    """Enter an index array; return how many dimensions it stands for in what is shown."""
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
    """Return the entries of an index, each as an integer, slice, None, ..., or tensor."""
    if isinstance(index, list) and is_nested(index):
        index = tuple(index)
    if not isinstance(index, tuple):
        index = (index,)
    return [as_item(item) for item in index]


def is_nested(index: list[Any]) -> bool:
    """Whether a list stands for a tuple, as it did in old NumPy."""
    return len(index) < 32 and any(
        item is None or item is ... or isinstance(item, slice | list | tuple | Tensor | ndarray)
        for item in index
    )


def as_item(item: Any) -> Any:
    """Return an entry of an index in one of the forms that `parse` knows."""
    if item is None or item is ... or type(item) is int or isinstance(item, slice):
        return item
    if isinstance(item, Tensor):
        return as_index(item)
    if isinstance(item, bool | np.bool_):
        return plain(np.array(item, np.bool_))
    if isinstance(item, list | tuple | range | ndarray):
        array = np.asarray(item)
        if not isinstance(item, ndarray) and array.dtype.kind == "f":
            array = array.astype(np.int64)
        return as_index(plain(array))
    if hasattr(item, "__index__"):
        return int(item.__index__())
    raise IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables "
        f"are valid indices (got {type(item).__name__})"
    )


def as_index(item: Tensor) -> Tensor:
    """Return a tensor that is an index: of integers, or a mask."""
    kind = item.dtype
    if kind.category > 1 or kind.name in ("int8", "int16"):
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    return item.bool() if kind.name == "uint8" else item


def dims_used(item: Any) -> int:
    """Return how many dimensions of the input an entry of an index stands for."""
    if item is None or item is ...:
        return 0
    if isinstance(item, int | slice) or item.dtype is not dtypes.bool_:
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


# --- writing --------------------------------------------------------------------------


def __setitem__(self: Tensor, index: Any, value: Any) -> None:
    parsed = parse(self, index)
    value = as_value(self, value)
    if written_quietly(self, parsed, value):
        return
    target = shown(self, parsed, index) if parsed.step is not None else self
    if parsed.indices:
        if not isinstance(value, Tensor):
            value = plain(np.array(value, target.dtype.numpy))
        put(target, parsed.indices, parsed.dims, value.to(target.dtype))
    elif isinstance(value, Tensor):
        target.copy_(without_leading_ones(value, len(target.shape)))
    else:
        target.fill_(value)


def without_leading_ones(value: Tensor, ndim: int) -> Tensor:
    """Return a value without dimensions of size 1 that its target does not have."""
    shape = tuple(value.shape)
    extra = len(shape) - ndim
    if extra <= 0 or any(size != 1 for size in shape[:extra]):
        return value
    result: Tensor = value.reshape(shape[extra:])
    return result


def put(
    self: Tensor,
    indices: Sequence[Tensor],
    dims: Sequence[int],
    values: Tensor,
    accumulate: bool = False,
) -> Tensor:
    """Write values at index arrays, in place."""
    check_writable(self, recorded=history(values) is not None)
    return assign(self, with_values(self, indices, dims, values, accumulate))


def with_values(
    self: Tensor,
    indices: Sequence[Tensor],
    dims: Sequence[int],
    values: Tensor,
    accumulate: bool = False,
) -> Tensor:
    """Return a copy with values at index arrays."""
    try:
        result: Tensor = I.index_put(
            self, values, *indices, dims=tuple(dims), accumulate=accumulate
        )
    except IndexError as error:
        raise array_index_error(indices, error) from None
    except ValueError:
        raise misfit(self, indices, dims, values) from None
    return result


def misfit(
    self: Tensor, indices: Sequence[Tensor], dims: Sequence[int], values: Tensor
) -> RuntimeError:
    """Return the error about values that do not have the shape of what is indexed."""
    shape = I.index(self, *indices, dims=tuple(dims)).shape
    return RuntimeError(
        f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast "
        f"to indexing result of shape {list(shape)}"
    )


def as_value(self: Tensor, value: Any) -> Any:
    """Return a value to assign, or refuse it."""
    if isinstance(value, Tensor | bool | int | float | complex):
        return value
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(
        f"can't assign a {type(value).__name__} to a "
        f"torch.{self.dtype.scalar_type}Tensor"
    )


def written_quietly(self: Tensor, parsed: Parsed, value: Any) -> bool:
    """Write at once where nothing is recorded and NumPy casts as PyTorch does."""
    data = memory_of(self)
    if data is None or not is_writable_quietly(self, data, value):
        return False
    target = data[(*parsed.basic, ...)] if parsed.step is not None else data
    key = I.key_of(arrays_of(parsed.indices), tuple(parsed.dims)) if parsed.indices else ...
    try:
        target[key] = value._data if isinstance(value, Tensor) else value
    except (IndexError, ValueError):
        return False  # the long way raises PyTorch's error
    counter(self)[0] += 1
    return True


def is_writable_quietly(self: Tensor, data: ndarray, value: Any) -> bool:
    """Whether a value of the same kind can be written without leaving a record."""
    recorded = modes.is_grad_enabled()
    if recorded and history(self) is not None:
        return False
    if not isinstance(value, Tensor):
        return not isinstance(value, complex) or data.dtype.kind == "c"
    values = memory_of(value)
    return (
        values is not None
        and values.dtype == data.dtype
        and not (recorded and history(value) is not None)
    )


def arrays_of(tensors: Sequence[Tensor]) -> tuple[Any, ...]:
    """Return the arrays of tensors."""
    return tuple([tensor._data for tensor in tensors])


def __iter__(self: Tensor) -> Iterator[Tensor]:
    if not self.shape:
        raise TypeError("iteration over a 0-d tensor")
    return iter(unbind(self))


def __contains__(self: Tensor, element: Any) -> bool:
    if not isinstance(element, Tensor | int | float | complex):
        raise RuntimeError(
            "Tensor.__contains__ only supports Tensor or scalar, but you passed in a "
            f"{type(element)}."
        )
    return bool((element == self).any())


Tensor.__iter__ = __iter__
Tensor.__contains__ = __contains__
Tensor.__getitem__ = __getitem__
Tensor.__setitem__ = __setitem__


@op(inplace=True, out=False)
def index_put(
    input: Tensor, indices: Any, values: Tensor, accumulate: bool = False
) -> Tensor:
    """Return a copy with values written at index tensors, as ``x[indices] = values``.

    Args:
        indices: a tuple of tensors, one for each dimension; None stands for all places.
        values: are broadcast to the shape of ``x[indices]``.
        accumulate: add the values, also those of repeated indices.

    >>> import wengert as torch
    >>> torch.zeros(2).index_put((torch.tensor([0, 0]),), torch.ones(2), accumulate=True)
    tensor([2., 0.])
    """
    if values.dtype is not input.dtype:
        raise RuntimeError(
            "Index put requires the source and destination dtypes match, got "
            f"{input.dtype.scalar_type} for the destination and "
            f"{values.dtype.scalar_type} for the source."
        )
    key = tuple([FULL if index is None else index for index in indices])
    arrays = [at_least_one(index) if index is not FULL else index for index in key]
    parsed = parse(input, tuple(arrays))
    return with_values(input, parsed.indices, parsed.dims, values, accumulate)
