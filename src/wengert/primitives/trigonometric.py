"""Trigonometric and hyperbolic functions, their inverses, and angles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import ndarray

from .complex import complex, joined, real
from .elementwise import rsqrt
from .op import elementwise
from .selection import masked, ne

# --- sine, cosine, tangent ------------------------------------------------------------

sin = elementwise("sin", np.sin, promote="float", d=lambda self: cos(self))
cos = elementwise("cos", np.cos, promote="float", d=lambda self: -sin(self))
tan = elementwise("tan", np.tan, promote="float", d=lambda result: result * result + 1)


def _sinc(self: ndarray) -> Any:
    product = self * math.pi
    zero = self == 0
    return np.where(zero, self.dtype.type(1), np.sin(product) / (product + zero))


def _sinc_vjp(grad: Any, self: Any) -> Any:
    product = self * math.pi
    slope = (product * cos(product) - sin(product)) / (product * self)
    return masked(grad * slope.conjugate(), ne(self, 0))


sinc = elementwise("sinc", _sinc, promote="float", vjp=_sinc_vjp)

# --- their inverses -------------------------------------------------------------------

asin = elementwise(
    "asin", np.arcsin, promote="float", d=lambda self: rsqrt(1 - self * self)
)
acos = elementwise(
    "acos", np.arccos, promote="float", d=lambda self: -rsqrt(1 - self * self)
)
atan = elementwise(
    "atan",
    np.arctan,
    promote="float",
    vjp=lambda grad, self: grad / (self * self + 1).conjugate(),
)


def _per_squared_distance(value: Any, self: Any, other: Any) -> Any:
    """Value / (self² + other²), and 0 at the origin."""
    squared = self * self + other * other
    return masked(value / squared, ne(squared, 0))


atan2 = elementwise(
    "atan2",
    np.arctan2,
    promote="float",
    vjp_self=lambda grad, self, other: _per_squared_distance(grad * other, self, other),
    vjp_other=lambda grad, self, other: _per_squared_distance(
        grad * -self, self, other
    ),
    refuses="c",
)
hypot = elementwise(
    "hypot",
    np.hypot,
    vjp_self=lambda grad, self, result: grad * (self / result),
    vjp_other=lambda grad, other, result: grad * (other / result),
    refuses="biuc",
)

# --- hyperbolic functions (tanh is in `elementwise`) and their inverses ---------------

sinh = elementwise("sinh", np.sinh, promote="float", d=lambda self: cosh(self))
cosh = elementwise("cosh", np.cosh, promote="float", d=lambda self: sinh(self))
asinh = elementwise(
    "asinh", np.arcsinh, promote="float", d=lambda self: rsqrt(self * self + 1)
)
acosh = elementwise(
    "acosh",
    np.arccosh,
    promote="float",
    d=lambda self: rsqrt(self - 1) * rsqrt(self + 1),
)
atanh = elementwise(
    "atanh",
    np.arctanh,
    promote="float",
    vjp=lambda grad, self: grad / (1 - self * self).conjugate(),
)

# --- polar coordinates and degrees ----------------------------------------------------


def turned(angle: Any) -> Any:
    """E to the power of i times a real angle."""
    return complex(cos(angle), sin(angle))


def _polar(abs: ndarray, angle: ndarray) -> ndarray:
    return joined(abs * np.cos(angle), abs * np.sin(angle))


polar = elementwise(
    "polar",
    _polar,
    inputs=("abs", "angle"),
    vjp_abs=lambda grad, angle: real(grad * turned(-angle)),
    vjp_angle=lambda grad, result: real(grad * (result * 1j).conjugate()),
    jvp=lambda abs_t, angle_t, angle, result: (
        abs_t * turned(angle) + angle_t * (result * 1j)
    ),
)


def _degrees(name: str, factor: float, grad_fn: str) -> Any:
    error = RuntimeError(f"{name} is not supported for complex tensors.")
    return elementwise(
        name,
        lambda self: self * factor,
        promote="float",
        vjp=lambda grad: grad * factor,
        grad_fn=grad_fn,
        refuses={"c": error},
    )


deg2rad = _degrees("deg2rad", math.pi / 180, "Deg2RadBackward0")
rad2deg = _degrees("rad2deg", 180 / math.pi, "Rad2DegBackward0")
