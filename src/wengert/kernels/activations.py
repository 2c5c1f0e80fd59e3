"""GELU and softplus, forward and backward.

With Φ and φ the distribution and density of the standard normal law,
gelu(x) = x Φ(x), whose derivative is Φ(x) + x φ(x). Its tanh form replaces Φ(x) by
(1 + tanh u) / 2 with u = √(2/π) (x + 0.044715 x³).
"""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import numpy as np
from numpy import ndarray

from .polynomial import Polynomial, blockwise
from .special import erf_double

# artanh(erf(x / √2)) / x over x² in [0, 31], as powers of x²; beyond, it keeps growing,
# and tanh of it times x is 1. Against Φ(x), single precision's error is one unit.
# fmt: off
NORMAL_SINGLE = Polynomial(
    0.7978846366073207, 0.036334348145963265, -3.391124072960696e-05,
    -5.4781730889479936e-05, 3.873057199347397e-06, -1.2525662759879628e-07,
    1.5672555569007725e-09,
)
# fmt: on

# u / x and its derivative's share of x, as powers of x²
TANH_ARGUMENT = Polynomial(sqrt(2 / pi), sqrt(2 / pi) * 0.044715)
TANH_SLOPE = Polynomial(sqrt(2 / pi), 3 * sqrt(2 / pi) * 0.044715)

# zero-dimensional arrays: NumPy takes them quicker than Python's numbers
HALF: dict[np.dtype[Any], ndarray] = {
    np.dtype(dtype): np.array(0.5, dtype) for dtype in (np.float32, np.float64)
}


def _signed_share(x: ndarray, square: ndarray, approximate: str) -> ndarray:
    """2 Φ(x) - 1, which is erf(x / √2), or tanh u in its place; `square` is x²."""
    if approximate == "none" and x.dtype == np.float64:
        return erf_double(x * sqrt(0.5))
    argument = (NORMAL_SINGLE if approximate == "none" else TANH_ARGUMENT)(square)
    argument *= x
    np.tanh(argument, out=argument)
    return argument


@blockwise(single=True)
def gelu(x: ndarray, *, approximate: str) -> ndarray:
    """x Φ(x).

    Args:
        x: the input.
        approximate: "none", or "tanh" for the form with tanh.
    """
    square = x * x
    value = _signed_share(x, square, approximate)
    half = np.multiply(x, HALF[x.dtype], out=square)
    value *= half
    value += half
    return value


@blockwise(single=True)
def gelu_vjp(grad: ndarray, x: ndarray, *, approximate: str) -> ndarray:
    """The gradient of the input of `gelu`: grad times Φ(x) + x φ(x)."""
    square = x * x
    share = _signed_share(x, square, approximate)
    if approximate == "none":
        slope = np.exp(square * -HALF[x.dtype])
        slope *= sqrt(0.5 / pi)
    else:
        slope = TANH_SLOPE(square)
        slope *= HALF[x.dtype]
        slope *= 1 - share * share
    slope *= x
    share *= HALF[x.dtype]
    share += HALF[x.dtype]
    slope += share
    slope *= grad
    return slope


@blockwise(single=True)
def softplus(x: ndarray, *, beta: float, threshold: float) -> ndarray:
    """log(1 + exp(beta x)) / beta; x itself where beta x exceeds the threshold."""
    scaled = x * beta
    value = np.log1p(np.exp(-np.abs(scaled)))
    value += np.maximum(scaled, 0)
    value /= beta
    np.copyto(value, x, where=scaled > threshold)
    return value


@blockwise(single=True)
def softplus_vjp(
    grad: ndarray, x: ndarray, *, beta: float, threshold: float
) -> ndarray:
    """The gradient of the input of `softplus`: grad times the sigmoid of beta x."""
    scaled = x * beta
    value = grad / (1 + np.exp(-scaled))
    np.copyto(value, grad, where=scaled > threshold)
    return value
