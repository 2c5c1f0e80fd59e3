"""Making tensors of data: of numbers in nested sequences, arrays, other tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from .. import dtypes
from ..tensor import Tensor
from .options import Dtype, finish, numpy_dtype
from .public import op


@op(method=False, out=False)
def tensor(
    data: Any,
    *,
    dtype: Dtype = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Return a tensor with a copy of the data.

    Args:
        data: a number, nested sequences of numbers, an array, a tensor.
        dtype: by default that of an array, and for Python numbers the default dtype
            (floats), int64 (integers) or bool.
        requires_grad: record what is done with the tensor.

    Raises:
        ValueError: if sequences at one depth have different lengths.
        TypeError: if there is something else than numbers.

    >>> import wengert as torch
    >>> torch.tensor([[1, 2], [3, 4.5]])
    tensor([[1.0000, 2.0000],
            [3.0000, 4.5000]])
    """
    array = array_of(data, dtype)
    return finish(np.array(array), requires_grad, device, pin_memory=pin_memory)


def array_of(data: Any, dtype: Dtype = None) -> ndarray:
    """Return an array of data, which may share the memory of an array or tensor."""
    wanted = None if dtype is None else numpy_dtype(dtype)
    if isinstance(data, Tensor):
        array = data.detach()._data
    elif isinstance(data, (ndarray, np.generic)):
        dtypes.from_numpy(data.dtype)
        array = dtypes.with_common_dtype(np.asarray(data))
    else:
        return array_of_numbers(data, wanted)
    if wanted is not None and array.dtype != wanted:
        from ..primitives.copying import to_copy

        array = np.asarray(to_copy(array, dtype=wanted))
    return array


def array_of_numbers(data: Any, wanted: np.dtype[Any] | None) -> ndarray:
    """Return an array of Python numbers in nested sequences."""
    if isinstance(data, str):
        raise TypeError("new(): invalid data type 'str'")
    if data is None:
        raise RuntimeError("Could not infer dtype of NoneType")
    numbers = plain_numbers(data)
    try:
        array = np.array(numbers)
    except ValueError:
        raise ragged(numbers) from None
    except OverflowError as error:
        raise ValueError("Overflow when unpacking long long") from error
    kind = array.dtype.kind
    if kind in "US":
        raise TypeError("new(): invalid data type 'str'")
    if kind not in "biufc":
        if kind == "O" and isinstance(numbers, int):
            raise ValueError("Overflow when unpacking long long")
        raise RuntimeError(f"Could not infer dtype of {type(first(numbers)).__name__}")
    if wanted is None:
        wanted = inferred(array, numbers)
    elif not fits(array, wanted):
        raise RuntimeError(
            f"value cannot be converted to type {wanted.name} without overflow"
        )
    return array.astype(wanted)


def fits(array: ndarray, wanted: np.dtype[Any]) -> bool:
    """Whether a dtype has room for the numbers.

    Integers that it has room for but for their sign are wrapped round.
    """
    kind = array.dtype.kind
    if kind == "c":
        return wanted.kind in "cb"
    if wanted.kind not in "iu" or kind not in "fiu" or not array.size:
        return True
    limits = np.iinfo(wanted)
    low = limits.min if kind == "f" or limits.min else -limits.max
    return bool(low <= array.min() and array.max() <= limits.max)


def inferred(array: ndarray, numbers: Any) -> np.dtype[Any]:
    """Return the dtype for Python numbers that NumPy has made an array of."""
    kind = array.dtype.kind
    if array.size == 0 and not isinstance(numbers, ndarray):
        return dtypes.get_default_dtype().numpy
    sample = first(numbers)
    if isinstance(sample, (ndarray, np.generic)):
        return array.dtype
    if kind == "f":
        return dtypes.get_default_dtype().numpy
    if kind == "c":
        return dtypes.get_default_complex_dtype().numpy
    if kind == "u":
        raise ValueError("Overflow when unpacking long long")
    return array.dtype


def plain_numbers(data: Any) -> Any:
    """Replace tensors in nested sequences by numbers."""
    if isinstance(data, Tensor):
        if data.numel() != 1:
            raise ValueError(
                "only one element tensors can be converted to Python scalars"
            )
        return data.item()
    if isinstance(data, (list, tuple)):
        if data and isinstance(data[0], (float, int, str)):
            return (
                list(data)
                if not any(isinstance(x, Tensor) for x in data)
                else [plain_numbers(item) for item in data]
            )
        return [plain_numbers(item) for item in data]
    if isinstance(data, range):
        return list(data)
    if hasattr(data, "__array__"):
        return np.asarray(data)
    if isinstance(data, Sequence):
        return [plain_numbers(item) for item in data]
    return data


def first(numbers: Any) -> Any:
    """Return the first number in nested sequences."""
    while isinstance(numbers, list) and numbers:
        numbers = numbers[0]
    return numbers


def ragged(numbers: Any, dim: int = 0) -> Exception:
    """Return the error about sequences of different lengths, or of other things."""
    lengths = [len(item) if isinstance(item, list) else -1 for item in numbers]
    for length in lengths:
        if length != lengths[0]:
            if -1 in (length, lengths[0]):
                return TypeError("must be real number, not list")
            return ValueError(
                f"expected sequence of length {lengths[0]} at dim {dim + 1} "
                f"(got {length})"
            )
    for item in numbers:
        if isinstance(item, list):
            return ragged(item, dim + 1)
    return TypeError(f"new(): invalid data type '{type(first(numbers)).__name__}'")


@op("asarray", method=False, out=False)
def as_tensor(data: Any, dtype: Dtype = None, device: Any = None) -> Tensor:
    """Return a tensor of the data that shares memory with an array where it can.

    A tensor that has the dtype already is returned as it is, with its history.

    >>> import numpy as np
    >>> import wengert as torch
    >>> array = np.zeros(2)
    >>> tensor = torch.as_tensor(array)
    >>> array[0] = 5
    >>> tensor
    tensor([5., 0.], dtype=torch.float64)
    """
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    return finish(np.asarray(array_of(data, dtype)), device=device)


@op(method=False, out=False)
def from_numpy(ndarray_: ndarray) -> Tensor:
    """Return a tensor that shares the memory of a NumPy array.

    Raises:
        TypeError: it is no array, or of a dtype that tensors do not have.

    >>> import numpy as np
    >>> import wengert as torch
    >>> torch.from_numpy(np.arange(3))
    tensor([0, 1, 2])
    """
    if not isinstance(ndarray_, ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray_).__name__})")
    dtypes.from_numpy(ndarray_.dtype)
    if any(stride < 0 for stride in ndarray_.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors "
            "with negative strides are not currently supported. (You can probably work "
            "around this by making a copy of your array  with array.copy().) "
        )
    return finish(dtypes.with_common_dtype(ndarray_))


@op(method=False, out=False)
def scalar_tensor(s: Any, *, dtype: Dtype = None, **options: Any) -> Tensor:
    """Return a tensor without dimensions of the default dtype."""
    return finish(np.array(s, numpy_dtype(dtype)), **options)
