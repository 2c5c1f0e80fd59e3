"""What distributions are written with: broadcasting, probabilities and their logits."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Number
from typing import Any

from .. import dispatch
from ..autograd import enable_grad
from ..dtypes import get_default_dtype
from ..limits import finfo
from ..ops.broadcasting import broadcast_tensors
from ..ops.data import tensor
from ..tensor import Tensor

__all__ = [
    "broadcast_all",
    "clamp_probs",
    "lazy_property",
    "logits_to_probs",
    "probs_to_logits",
]


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Return tensors and numbers as tensors of one shape.

    Numbers get the dtype of the first tensor, or the default one.

    >>> import wengert as torch
    >>> broadcast_all(torch.zeros(2), 1.0)
    (tensor([0., 0.]), tensor([1., 1.]))
    """
    if not all(isinstance(value, Tensor | Number) for value in values):
        raise ValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects "
            "implementing __torch_function__."
        )
    tensors = [value for value in values if isinstance(value, Tensor)]
    dtype = tensors[0].dtype if tensors else get_default_dtype()
    return broadcast_tensors(
        *[v if isinstance(v, Tensor) else tensor(v, dtype=dtype) for v in values]
    )


def clamp_probs(probs: Tensor) -> Tensor:
    """Return probabilities that keep away from 0 and 1 by the dtype's precision."""
    eps = finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Return the logarithms of probabilities, or of the odds if they are of two values.

    >>> import wengert as torch
    >>> probs_to_logits(torch.tensor([0.25, 0.75]), is_binary=True)
    tensor([-1.0986,  1.0986])
    """
    clamped = clamp_probs(probs)
    if is_binary:
        return clamped.log() - (-clamped).log1p()
    return clamped.log()


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Return probabilities from their logarithms up to a constant, or the odds'.

    >>> import wengert as torch
    >>> logits_to_probs(torch.tensor([0.0, 0.0]))
    tensor([0.5000, 0.5000])
    """
    return logits.sigmoid() if is_binary else logits.softmax(-1)


def summed_right(value: Tensor, count: int) -> Tensor:
    """Return the sums over the last dimensions, as many as `count`."""
    return value.flatten(value.dim() - count).sum(-1) if count else value


class lazy_property:
    """A property that is computed when first asked for, with gradients, and kept.

    >>> class Circle:
    ...     @lazy_property
    ...     def area(self):
    ...         print("computed")
    ...         return 3.14
    >>> circle = Circle()
    >>> circle.area, circle.area
    computed
    (3.14, 3.14)
    """

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        self.__doc__ = wrapped.__doc__

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        with enable_grad():
            value = self.wrapped(instance)
        if dispatch.tracing is None:  # else it has no value yet
            setattr(instance, self.wrapped.__name__, value)
        return value
