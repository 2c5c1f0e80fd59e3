"""Whether an argument of a call shares memory with what the program writes to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy import ndarray


class Sharing:
    """Arrays from outside, by what owns their memory.

    Two arrays share memory only if it belongs to one owner: that of arrays which own
    theirs, and of NumPy's views, is known at once, so that one look at a set says for
    nearly all arguments that they stand alone.
    """

    def __init__(self) -> None:
        self.arrays: list[ndarray] = []
        self.owners: set[int] = set()
        self.known = True
        """Whether the owners of all arrays are known."""

    def hold(self, arrays: Sequence[ndarray]) -> None:
        """Take these arrays for those from outside."""
        self.arrays = list(arrays)
        owners = [owner(array) for array in arrays]
        self.known = all([array is not None for array in owners])
        self.owners = {id(array) for array in owners}

    def replace(self, old: ndarray, new: ndarray) -> None:
        """Take another array in place of one, if that is among them."""
        self.hold([new if array is old else array for array in self.arrays])

    def shares(self, array: ndarray, others: tuple[ndarray, ...]) -> bool:
        """Whether an array may share memory with one from outside or one of others."""
        whose = owner(array)
        if whose is None or not self.known or id(whose) in self.owners:
            others = (*self.arrays, *others)
        for other in others:
            views = array.base is not None or other.base is not None
            if array is other or (views and np.may_share_memory(array, other)):
                return True
        return False


def owner(array: ndarray) -> ndarray | None:
    """Return the array that owns the memory of an array, if that is known."""
    base = array.base
    if base is None:
        return array
    if type(base) is ndarray and base.base is None:
        return base
    return None
