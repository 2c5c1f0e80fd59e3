"""The levels of nested transformations.

Each transformation that is entered takes the next number. An op belongs to the highest
level among its inputs, to which everything of a lower level is a constant: that keeps
``grad(lambda x: x * grad(lambda y: x * y)(x))(x)`` from confusing the two derivatives.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from .. import modes
from ..tensor import AccumulateGrad, Layer, Special, Tensor, plain

numbers = count(1)


class Level:
    """A context in which a transformation is active; entering returns its number.

    Args:
        grad: the grad mode of the transformation's own tensors; None for that which is
            on already.
    """

    def __init__(self, *, grad: bool | None = None) -> None:
        self.grad = grad

    def __enter__(self) -> int:
        number = next(numbers)
        outside = modes.is_grad_enabled()
        self.before = modes.local.levels
        modes.switch("levels", (*self.before, (number, outside)))
        self.previous = modes.switch("grad", outside if self.grad is None else self.grad)
        return number

    def __exit__(self, *exception: object) -> None:
        modes.switch("grad", self.previous)
        modes.switch("levels", self.before)


def on_level(level: int, array: Any) -> Tensor:
    """Return a tensor of a level whose array is of a layer, or a tensor of lower level."""
    tensor = plain(array)
    tensor._special = Special(level)
    return tensor


def leaf_on_level(level: int, tensor: Tensor) -> Tensor:
    """Return a leaf of a level that stands for a tensor and requires grad."""
    leaf = on_level(level, tensor)
    leaf._node = AccumulateGrad(leaf)
    return leaf


def belongs(value: Any, level: int) -> bool:
    """Whether a tensor, or an array of a layer, is of this level."""
    if isinstance(value, Tensor):
        return value._special is not None and value._special.level == level
    return isinstance(value, Layer) and value.level == level


def lowered(value: Any, level: int) -> Any:
    """Return what a tensor of this level has below it; others are returned as they are."""
    return value._data if isinstance(value, Tensor) and belongs(value, level) else value
