"""Questions about the sizes of a tensor and where its elements lie in memory."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy import ndarray

from .. import errors, modes, placement
from ..inplace import check_writable
from ..primitives.copying import clone
from ..primitives.strided import address, storage_of
from ..tensor import Tensor, counter, plain, rebind
from ..views import View, base_of
from .arguments import memory_of, normalize_dim, shape_from
from .public import namespace, op


@op(function=False)
def size(input: Tensor, dim: int | None = None) -> Any:
    """Return the shape, or the size of one dimension."""
    shape = input.shape
    return shape if dim is None else shape[normalize_dim(dim, len(shape))]


@op("ndimension", function=False)
def dim(input: Tensor) -> int:
    """Return the number of dimensions."""
    return len(input.shape)


@op("nelement", out=False)
def numel(input: Tensor) -> int:
    """Return the number of elements."""
    return prod(input.shape)


del namespace["nelement"]


@op(function=False)
def element_size(input: Tensor) -> int:
    """Return the number of bytes of an element."""
    return input.dtype.itemsize


def array(input: Tensor) -> ndarray:
    """Return the NumPy array of a tensor, or say that there is none."""
    memory = memory_of(input)
    if memory is None:
        raise RuntimeError("a tensor inside a transformation has no memory of its own")
    return memory


@op(function=False)
def stride(input: Tensor, dim: int | None = None) -> Any:
    """Return how many elements apart in memory neighbours along each dimension are."""
    memory = memory_of(input)
    if memory is None:
        steps = contiguous_strides(tuple(input.shape))
    else:
        steps = tuple([step // memory.itemsize for step in memory.strides])
    return steps if dim is None else steps[normalize_dim(dim, len(steps))]


def contiguous_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides, in elements, of a contiguous array of a shape."""
    steps = []
    step = 1
    for size in reversed(shape):
        steps.append(step)
        step *= max(size, 1)
    return tuple(reversed(steps))


@op(function=False)
def storage_offset(input: Tensor) -> int:
    """Return where in its storage the first element is, in elements."""
    memory = array(input)
    return (address(memory) - address(storage_of(memory))) // memory.itemsize


@op(function=False)
def data_ptr(input: Tensor) -> int:
    """Return the address of the first element in memory."""
    return address(array(input))


@op(function=False)
def is_contiguous(
    input: Tensor, memory_format: Any = placement.contiguous_format
) -> bool:
    """Return whether the elements lie in memory in their order, without gaps."""
    memory = memory_of(input)
    if memory is None:
        return bool(getattr(input._data, "contiguous", True))
    if memory_format is placement.channels_last:
        return memory.ndim == 4 and memory.transpose(0, 2, 3, 1).flags.c_contiguous
    if memory_format is placement.channels_last_3d:
        return memory.ndim == 5 and memory.transpose(0, 2, 3, 4, 1).flags.c_contiguous
    return memory.flags.c_contiguous


@op(function=False)
def contiguous(
    input: Tensor, memory_format: Any = placement.contiguous_format
) -> Tensor:
    """Return this tensor if it is contiguous in memory, else a copy that is."""
    if is_contiguous(input, memory_format):
        return input
    result: Tensor = clone(input)
    return result


def resize_(input: Tensor, *sizes: Any, memory_format: Any = None) -> Tensor:
    """Give this tensor another size, in place; new elements are undefined.

    Args:
        sizes: the sizes, as integers or one tuple.
        memory_format: has no effect: the result is contiguous.
    """
    shape = shape_from(sizes, "resize_")
    if input.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    if any(size < 0 for size in shape):
        raise RuntimeError(f"resize_: sizes must not be negative, but got {shape}")
    if shape == tuple(input.shape):
        return input
    memory = array(input)
    storage = storage_of(memory)[storage_offset(input) :]
    count = prod(shape)
    if count > storage.size:
        grown = np.zeros(count, memory.dtype)
        grown[: storage.size] = storage
        storage = grown
    rebind(input, storage[:count].reshape(shape), input._special)
    return input


def resize_as_(
    input: Tensor, the_template: Tensor, *, memory_format: Any = None
) -> Tensor:
    """Give this tensor the size of another one, in place; see `resize_`."""
    return resize_(input, tuple(the_template.shape))


Tensor.resize_ = resize_
Tensor.resize_as_ = namespace["resize_as_"] = resize_as_


@op(function=False)
def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Return whether two tensors have the same shape."""
    return input.shape == other.shape


namespace["is_same_size"] = is_same_size


def _is_view(self: Tensor) -> bool:
    """Whether this tensor shows the memory of another one."""
    return isinstance(self._special, View)


def __len__(self: Tensor) -> int:
    shape = self.shape
    if not shape:
        raise TypeError("len() of a 0-d tensor")
    return shape[0]


Tensor._is_view = _is_view
Tensor._base = property(base_of)
Tensor.__len__ = __len__  # type: ignore[method-assign]
Tensor.itemsize = property(element_size)
Tensor.nbytes = property(lambda self: numel(self) * element_size(self))


@op("set_", function=False, out=False)
def set_(
    self: Tensor,
    source: Tensor | None = None,
    storage_offset: int = 0,
    size: Any = None,
    stride: Any = None,
) -> Tensor:
    """Let this tensor show the memory of another; without one it gets no elements.

    It is not recorded: both must not require grad, or recording be off.

    Args:
        source: a tensor of the same dtype.
        storage_offset, size, stride: which part of the source's whole memory to show,
            as in `torch.as_strided`; by default what the source shows.

    >>> import wengert as torch
    >>> x, y = torch.zeros(1), torch.ones(2)
    >>> x.set_(y)
    tensor([1., 1.])
    """
    check_writable(self)
    if source is None:
        source = plain(np.empty(0, array(self).dtype))
    elif not isinstance(source, Tensor):
        raise errors.not_a_tensor("set_", "source", 1, source)
    if source.dtype is not self.dtype:
        raise RuntimeError(
            f"Could not set tensor of type {source.dtype.scalar_type.lower()} to a "
            f"tensor of type {self.dtype.scalar_type.lower()}"
        )
    if modes.is_grad_enabled() and (self.requires_grad or source.requires_grad):
        raise errors.not_differentiable("set_", "source")
    if size is not None:
        source = source.detach().as_strided(size, stride, storage_offset)
    mark = self._special
    rebind(self, array(source), None if isinstance(mark, View) else mark)
    counter(self)[0] += 1
    return self
