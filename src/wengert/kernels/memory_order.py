"""The order in which elements lie in memory.

PyTorch gives out random numbers in this order: a transposed tensor gets the same
numbers as it would have got before it was transposed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

Shape = tuple[int, ...]


def order_of(data: Any) -> Shape | None:
    """Return the dimensions, the slowest first; None if that is the order they have.

    Args:
        data: a NumPy array, or a layer's, which has its order in an attribute.
    """
    if type(data) is not ndarray:
        found: Shape | None = getattr(data, "order", None)
        return found
    if data.flags.c_contiguous:
        return None
    strides = data.strides
    order = sorted(range(len(strides)), key=lambda dim: -abs(strides[dim]))
    return None if order == list(range(len(order))) else tuple(order)


def in_order_of_memory(
    draw: Callable[[Shape], ndarray], like: Any
) -> Callable[[Shape], ndarray]:
    """Return what draws an array of a shape with its memory in the order of another.

    The shape may have more dimensions than that, in front: those of vmaps.
    """
    order = order_of(like)
    if order is None:
        return draw

    def drawn(shape: Shape) -> ndarray:
        outer = len(shape) - len(order)
        dims = [*range(outer), *[outer + dim for dim in order]]
        array = draw(tuple([shape[dim] for dim in dims]))
        return array.transpose(np.argsort(dims))

    return drawn
