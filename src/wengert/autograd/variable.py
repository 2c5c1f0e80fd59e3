"""`Variable`: once a class of its own, now a tensor."""

from __future__ import annotations

from typing import Any

from .. import errors
from ..tensor import Tensor, is_differentiable


class VariableMeta(type):
    """Makes tensors of tensors, and takes every tensor for an instance."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, Tensor)

    def __call__(cls, data: Any = None, requires_grad: bool = False) -> Tensor:
        """Return a leaf with the memory of a tensor."""
        if data is None:
            return Tensor()
        if not isinstance(data, Tensor):
            raise TypeError(
                f"Variable data has to be a tensor, but got {type(data).__name__}"
            )
        if requires_grad and not is_differentiable(data.dtype):
            raise errors.integers_require_no_grad()
        leaf: Tensor = data.detach()
        return leaf.requires_grad_(requires_grad)


class Variable(metaclass=VariableMeta):
    """A tensor.

    >>> import wengert as torch
    >>> torch.autograd.Variable(torch.ones(1), requires_grad=True)
    tensor([1.], requires_grad=True)
    >>> isinstance(torch.ones(1), torch.autograd.Variable)
    True
    """
