"""``x[index] = value`` and `index_put`."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy import ndarray

from .. import errors, modes
from ..inplace import assign, check_writable, overlaps
from ..primitives import indexing as I
from ..tensor import Tensor, counter, history, is_inference, plain
from .arguments import memory_of
from .broadcasting import expanded_shape
from .gathering import at_least_one
from .index_parsing import FULL, Parsed, array_index_error, parse, simple_step
from .indexing import shown
from .masking import check_value
from .public import op


def __setitem__(self: Tensor, index: Any, value: Any) -> None:
    kind = type(index)
    if index is False:
        return
    if kind is int or (kind is tuple and simple_step(self, index) is not None):
        data = memory_of(self)
        if data is not None and written_quietly(self, data, index, value):
            return
    parsed = parse(self, index)
    value = as_value(self, value)
    if written_at_parsed(self, parsed, value):
        return
    target = shown(self, parsed, index) if parsed.step is not None else self
    if parsed.indices:
        if not isinstance(value, Tensor):
            value = plain(np.array(value, target.dtype.numpy))
        put(target, parsed.indices, parsed.dims, value.to(target.dtype))
    elif isinstance(value, Tensor):
        value = without_leading_ones(value, len(target.shape))
        expanded_shape(value, tuple(target.shape))
        target.copy_(value)
    else:
        check_value(target, value)
        if overlaps(target._data):
            raise errors.overlapping_memory()
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
        f"shape mismatch: value tensor of shape {list(values.shape)} cannot be "
        f"broadcast to indexing result of shape {list(shape)}"
    )


def as_value(self: Tensor, value: Any) -> Any:
    """Return a value to assign, or refuse it."""
    if isinstance(value, (Tensor, bool, int, float, complex)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(
        f"can't assign a {type(value).__name__} to a "
        f"torch.{self.dtype.scalar_type}Tensor"
    )


def written_at_parsed(self: Tensor, parsed: Parsed, value: Any) -> bool:
    """Write at once at any index, if `written_quietly` can."""
    data = memory_of(self)
    if data is None:
        return False
    if parsed.step is not None:
        try:
            data = data[(*parsed.basic, ...)]
        except IndexError:
            return False
    if not parsed.indices:
        return written_quietly(self, data, ..., value)
    arrays = [memory_of(index) for index in parsed.indices]
    if any([array is None for array in arrays]):
        return False
    key = I.key_of(arrays, tuple(parsed.dims))  # type: ignore[arg-type]
    return written_quietly(self, data, key, value)


def written_quietly(self: Tensor, data: ndarray, key: Any, value: Any) -> bool:
    """Write into memory if nothing is recorded and NumPy casts as PyTorch does."""
    recorded = modes.is_grad_enabled()
    if self._special is not None and is_inference(self):
        return False
    if modes.special and modes.local.pure:
        return False
    if recorded and (
        self._node is not None or (self._special is not None and self.requires_grad)
    ):
        return False
    if isinstance(value, Tensor):
        if recorded and history(value) is not None:
            return False
        value = memory_of(value)
        if value is None or value.dtype != data.dtype:
            return False
    elif type(value) not in NUMBERS:
        return False
    if 0 in data.strides and overlaps(data):
        return False
    try:
        data[key] = value
    except (IndexError, ValueError):
        return False  # the long way raises PyTorch's error
    counter(self)[0] += 1
    return True


NUMBERS = {bool, int, float}


Tensor.__setitem__ = __setitem__  # type: ignore[method-assign]


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
    >>> index = torch.tensor([0, 0])
    >>> torch.zeros(2).index_put((index,), torch.ones(2), accumulate=True)
    tensor([2., 0.])
    """
    if values.dtype is not input.dtype:
        raise RuntimeError(
            "Index put requires the source and destination dtypes match, got "
            f"{input.dtype.scalar_type} for the destination and "
            f"{values.dtype.scalar_type} for the source."
        )
    key = [FULL if index is None else at_least_one(index) for index in indices]
    parsed = parse(input, tuple(key))
    return with_values(input, parsed.indices, parsed.dims, values, accumulate)


def fill_diagonal_(input: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Fill the main diagonal with one value, in place.

    Args:
        fill_value: a number.
        wrap: begin the diagonal of a tall matrix again where it ends, after one row.

    >>> import wengert as torch
    >>> torch.zeros(2, 2).fill_diagonal_(1)
    tensor([[1., 0.],
            [0., 1.]])
    """
    shape = tuple(input.shape)
    if len(shape) < 2:
        raise RuntimeError("dimensions must larger than 1")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    step = 1 + sum([prod(shape[i:]) for i in range(1, len(shape))])
    stop = prod(shape) if wrap else min(prod(shape), step * min(shape))
    places = np.unravel_index(np.arange(0, stop, step), shape)
    __setitem__(input, tuple([plain(place) for place in places]), fill_value)
    return input


Tensor.fill_diagonal_ = fill_diagonal_
