"""Where the elements lie of a tensor that transformations have layers on."""

from __future__ import annotations

from typing import Any

from numpy import ndarray

from ..tensor import Tensor
from .batched import Batched
from .dual import Dual


def memory_below(value: Any) -> tuple[ndarray, int] | None:
    """Return the array below all layers, and how many of its dimensions they hide.

    Those come first. None if there is no array yet.
    """
    hidden = 0
    while type(value) is not ndarray:
        if isinstance(value, Tensor):
            value = value._data
        elif isinstance(value, Dual):
            value = value.primal
        elif isinstance(value, Batched):
            hidden += 1
            value = value.value
        else:
            return None
    return value, hidden
