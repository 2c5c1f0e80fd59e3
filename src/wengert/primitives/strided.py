"""Ops that look at memory by strides: windows, diagonals, and any strides at all.

Strides are in bytes where NumPy has them, and in elements where PyTorch has them.
"""

from __future__ import annotations

from numpy import ndarray

Shape = tuple[int, ...]

# --- arrays on given memory -----------------------------------------------------------


def storage_of(array: ndarray) -> ndarray:
    """Return the whole memory of which an array shows a part, as a vector."""
    root = array
    while type(root.base) is ndarray:
        root = root.base
    return root.ravel(order="K").view(array.dtype)


def address(array: ndarray) -> int:
    """Return where the first element of an array lies in memory."""
    start: int = array.__array_interface__["data"][0]
    return start


def restrided(array: ndarray, shape: Shape, strides: Shape, offset: int = 0) -> ndarray:
    """Return a view of an array's memory with other sizes and strides.

    Args:
        strides: in bytes.
        offset: in bytes, from the array's first element.
    """
    if array.flags.c_contiguous:
        return ndarray(shape, array.dtype, array, offset, strides)
    storage = storage_of(array)
    offset += address(array) - address(storage)
    return ndarray(shape, array.dtype, storage, offset, strides)
