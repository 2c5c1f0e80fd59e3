"""Numbers as arrays, with which NumPy computes in half the time.

NumPy looks anew, each time, for the type that a Python number takes in an operation.
That costs as much as an operation on a small array.
"""

from __future__ import annotations

from typing import Any

import numpy as np

known: dict[tuple[int, float], np.ndarray] = {}
"""Arrays without dimensions, by the number of their dtype and what they hold."""

LIMIT = 4096
"""How many are kept."""


def constant(number: Any, dtype: np.dtype[Any]) -> Any:
    """Return a real number as a read-only array of a dtype of floats.

    What is no such number, or of no such dtype, is returned as it is; so is a float 0,
    as 0.0 and -0.0 are the same key.
    """
    found = known.get((dtype.num, number))
    return make(number, dtype) if found is None else found


def make(number: Any, dtype: np.dtype[Any]) -> Any:
    """Return what `constant` returns for a number that it does not know."""
    kind = type(number)
    if dtype.kind != "f" or not (kind is int or (kind is float and number)):
        return number
    if len(known) >= LIMIT:
        known.clear()
    array = known[dtype.num, number] = np.array(number, dtype)
    array.flags.writeable = False
    return array
