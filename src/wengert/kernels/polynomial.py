"""Polynomials of arrays, and functions evaluated block by block.

A special function in NumPy is a long chain of multiplications and additions. It is
quick where each step finds its operands in the cache: over blocks, and in place.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
from numpy import ndarray

# elements: two float32 scratch arrays of this size stay in a second-level cache
BLOCK = 1 << 16


class Polynomial:
    """A polynomial with given coefficients, the constant first.

    >>> import numpy as np
    >>> Polynomial(1.0, 0.0, 2.0)(np.array([0.0, 3.0]))
    array([ 1., 19.])
    """

    def __init__(self, *coefficients: float) -> None:
        # zero-dimensional arrays: NumPy takes them quicker than Python's numbers
        self.constants = {
            dtype: [np.array(c, dtype) for c in reversed(coefficients)]
            for dtype in (np.dtype(np.float32), np.dtype(np.float64))
        }

    def __call__(self, x: ndarray, out: ndarray | None = None) -> ndarray:
        """The value at each element of `x`, by Horner's rule, into `out` if given."""
        first, second, *rest = self.constants[x.dtype]
        value: ndarray = np.multiply(x, first, out=out)
        np.add(value, second, out=value)
        for constant in rest:
            np.multiply(value, x, out=value)
            np.add(value, constant, out=value)
        return value


def blockwise(*, single: bool = False) -> Callable[..., Any]:
    """Let a function of flat arrays take real arrays of any shapes, block by block.

    Floating-point warnings are off. What comes after the arrays is passed by keyword.

    Args:
        single: compute float32 and float16 as float32; otherwise all is float64.
    """

    def decorate(compute: Callable[..., ndarray]) -> Callable[..., ndarray]:
        @wraps(compute)
        def blocked(*arrays: ndarray, **parameters: Any) -> ndarray:
            if any([array.shape != arrays[0].shape for array in arrays[1:]]):
                arrays = np.broadcast_arrays(*arrays)
            shape, dtype = arrays[0].shape, arrays[0].dtype
            narrow = single and dtype.itemsize < 8
            inside = np.float32 if narrow else np.float64
            flat = [np.ascontiguousarray(a, inside).reshape(-1) for a in arrays]
            with np.errstate(all="ignore"):
                if flat[0].size <= BLOCK:
                    result = compute(*flat, **parameters).astype(dtype, copy=False)
                    return result.reshape(shape)
                result = np.empty(flat[0].shape, dtype)
                for start in range(0, result.size, BLOCK):
                    part = slice(start, start + BLOCK)
                    result[part] = compute(*(a[part] for a in flat), **parameters)
            return result.reshape(shape)

        return blocked

    return decorate
