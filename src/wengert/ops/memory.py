"""What tensors say of their memory, and what PyTorch can do with it that is shared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..tensor import Tensor, is_inference as made_in_inference
from .arguments import memory_of
from .layout import data_ptr
from .public import namespace, op


@op(out=False)
def get_device(input: Tensor) -> int:
    """Return the number of the GPU, -1 for the CPU."""
    return -1


@op(method=False, out=False)
def is_inference(input: Tensor) -> bool:
    """Return whether a tensor was made in inference mode."""
    return made_in_inference(input)


@op(out=False)
def is_distributed(input: Tensor) -> bool:
    """Return whether a tensor is a part of one on several machines: never."""
    return False


@op(function=False, out=False)
def is_pinned(self: Tensor, device: Any = None) -> bool:
    """Return whether the memory is pinned for a GPU: never."""
    return False


@op(function=False, out=False)
def is_shared(self: Tensor) -> bool:
    """Return whether the memory is shared with other processes: it never is."""
    return False


@op(function=False, out=False)
def is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Return whether two tensors show the same memory in the same way.

    >>> import wengert as torch
    >>> x = torch.ones(2, 2)
    >>> x.is_set_to(x[:]), x.is_set_to(x.T)
    (True, False)
    """
    return (
        data_ptr(self) == data_ptr(tensor)
        and self.shape == tensor.shape
        and self.stride() == tensor.stride()
    )


@op(function=False, out=False)
def dim_order(self: Tensor) -> tuple[int, ...]:
    """Return the dimensions from that of the longest to that of the shortest steps.

    >>> import wengert as torch
    >>> torch.ones(2, 3).T.dim_order()
    (1, 0)
    """
    steps = self.stride()
    return tuple(sorted(range(len(steps)), key=lambda dim: -steps[dim]))


@op(function=False, out=False)
def to_dense(self: Tensor, dtype: Any = None, *, masked_grad: Any = None) -> Tensor:
    """Return the tensor itself: all are dense."""
    return self if dtype is None else self.to(dtype)


@op(function=False, out=False)
def new_empty_strided(self: Tensor, size: Any, stride: Any, **options: Any) -> Tensor:
    """Return an uninitialised tensor like this one, with the given strides."""
    options.setdefault("dtype", self.dtype)
    result: Tensor = namespace["empty_strided"](size, stride, **options)
    return result


@op(function=False, out=False, name="apply_")
def applied(self: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Write the value of a Python function of each element in its place.

    >>> import wengert as torch
    >>> torch.tensor([1, 2]).apply_(lambda x: x * x)
    tensor([1, 4])
    """
    return write_each(self, "apply_", callable, self)


@op(function=False, out=False, name="map_")
def mapped(self: Tensor, tensor: Tensor, callable: Callable[..., Any]) -> Tensor:
    """Write the value of a Python function of each element and another's."""
    return write_each(self, "map_", callable, self, tensor.expand_as(self))


def write_each(
    self: Tensor, name: str, call: Callable[..., Any], *inputs: Tensor
) -> Tensor:
    """Write what a function makes of the elements of tensors."""
    if any(tensor.requires_grad for tensor in inputs):
        raise RuntimeError(
            f"Can't call {name}() on Variable that requires grad. Use "
            f"var.detach().{name}() instead."
        )
    columns = [tensor.reshape(-1).tolist() for tensor in inputs]
    values = [call(*row) for row in zip(*columns, strict=True)]
    memory = memory_of(self)
    kind = None if memory is None else memory.dtype
    found = np.asarray(values, kind).reshape(tuple(self.shape))
    return self.copy_(namespace["from_numpy"](found))
