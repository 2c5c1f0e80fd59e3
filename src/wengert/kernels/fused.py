"""Multiply-add with one rounding, as processors have it and NumPy does not."""

from __future__ import annotations

from math import frexp, isfinite, ldexp
from typing import Any

import numpy as np
from numpy import ndarray


def fused(a: ndarray, b: Any, c: Any) -> ndarray:
    """Return a * b + c, rounded once to the precision of `a`, float32 or float64.

    `b` and `c` are numbers or, where `a` is float32, arrays. Very rarely, a rounding
    before that one makes the result the neighbour of the number nearest to the truth.

    >>> a = np.array([0.1])
    >>> a * 0.1 - 0.01, fused(a, 0.1, -0.01)
    (array([1.73472348e-18]), array([9.02056208e-19]))
    """
    return _single(a, b, c) if a.dtype == np.float32 else _double(a, b, c)


def _single(a: ndarray, b: Any, c: Any) -> ndarray:
    result = a.astype(np.float64)  # where the product is exact
    result *= b
    result += c
    return result.astype(np.float32)


def _double(a: ndarray, b: float, c: float) -> ndarray:
    """Dekker (1971): the product's and the sum's rounding errors are numbers too."""
    product = a * b
    if not (isfinite(b) and isfinite(c)):
        return product + c
    # halves of 26 bits, whose products are exact
    a_high = a * 0x8000001
    a_high -= a_high - a
    a_low = a - a_high
    mantissa, exponent = frexp(b)
    b_high = ldexp(round(ldexp(mantissa, 26)), exponent - 26)
    b_low = b - b_high
    product_error = a_high * b_high - product
    product_error += a_high * b_low
    product_error += a_low * b_high
    product_error += a_low * b_low
    total = product + c
    c_part = total - product
    sum_error = (product - (total - c_part)) + (c - c_part)
    return total + (sum_error + product_error)
