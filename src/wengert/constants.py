"""Numbers as arrays, with which NumPy computes in half the time.

NumPy looks anew, each time, for the type that a Python number takes in an operation.
That costs as much as an operation on a small array.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Table = dict[Any, np.ndarray]

tables: dict[int, Table] = {np.dtype(code).num: {} for code in "efdg"}
"""Arrays without dimensions by what they hold, for each dtype of floats by its number.
"""

LIMIT = 1024
"""How many are kept of a dtype."""


ZERO = "zero"
"""What stands for 0 where its sign does not matter: 0.0 and -0.0 are the same key."""

NONE: Table = {}
"""The table of any other dtype."""


def table_of(dtype: np.dtype[Any]) -> Table:
    """Return the arrays of a dtype that are known."""
    return tables.get(dtype.num, NONE)


def constant(number: Any, dtype: np.dtype[Any]) -> Any:
    """Return a real number as a read-only array of a dtype of floats.

    What is no such number, or of no such dtype, is returned as it is; so is 0.
    """
    found = table_of(dtype).get(number) if number else None
    return make(number, dtype) if found is None else found


def make(number: Any, dtype: np.dtype[Any]) -> Any:
    """Return what `constant` returns for a number that is not yet known."""
    if number is ZERO:
        value: float = 0
    elif number and type(number) in (int, float):
        value = number
    else:
        return number
    if dtype.kind != "f":
        return value
    known = table_of(dtype)
    if len(known) >= LIMIT:
        known.clear()
    array = np.array(value, dtype)
    array.flags.writeable = False
    known[number] = array
    return array
