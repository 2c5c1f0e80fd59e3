"""Ops that work element by element: arithmetic, powers, exponentials, bounds.

Note [Rules and special values]
    Where a rule lets part of the gradient through, it uses `masked` and not a product
    with zeros and ones: infinity times zero would be NaN.
"""

from __future__ import annotations

import cmath
import math
from math import inf
from typing import Any

import numpy as np
from numpy import ndarray

from .copying import zeros_like
from .op import bilinear, elementwise, nondifferentiable
from .selection import masked

# --- arithmetic -----------------------------------------------------------------------

add = elementwise(
    "add", np.add, vjp_self=lambda grad: grad, vjp_other=lambda grad: grad
)
sub = elementwise(
    "sub", np.subtract, vjp_self=lambda grad: grad, vjp_other=lambda grad: -grad
)
rsub = elementwise(
    "rsub",
    lambda self, other: other - self,
    inputs=("self", "other"),
    grad_fn="RsubBackward1",
    vjp_self=lambda grad: -grad,
    vjp_other=lambda grad: grad,
)
mul = bilinear(
    "mul",
    np.multiply,
    promote="numeric",
    vjp_self=lambda grad, other: grad * other.conjugate(),
    vjp_other=lambda grad, self: grad * self.conjugate(),
)
div = elementwise(
    "div",
    np.true_divide,
    promote="float",
    vjp_self=lambda grad, other: grad / other.conjugate(),
    vjp_other=lambda grad, self, other: -grad * ((self / other) / other).conjugate(),
)
neg = elementwise("neg", np.negative, vjp=lambda grad: -grad)
reciprocal = elementwise(
    "reciprocal", np.reciprocal, d=lambda result: -(result * result), promote="float"
)

# --- absolute value and sign ----------------------------------------------------------

sign = elementwise("sign", np.sign, vjp=lambda grad: zeros_like(grad))


def _sgn(self: ndarray) -> Any:
    if self.dtype.kind != "c":
        return np.sign(self)
    size = np.abs(self)
    return np.where(size == 0, self, self / size)


def _sgn_vjp(grad: Any, self: Any, result: Any) -> Any:
    raise NotImplementedError


sgn = elementwise("sgn", _sgn, vjp=_sgn_vjp)
abs = elementwise("abs", np.abs, vjp=lambda grad, self: grad * sgn(self))

# --- powers and roots -----------------------------------------------------------------


def _power_of_number_vjp(grad: Any, self: Any, exponent: Any) -> Any:
    if exponent == 0:
        return zeros_like(grad)
    if exponent == 1:
        return grad
    if exponent == 2:
        return grad * (self * 2).conjugate()
    return grad * (self ** (exponent - 1) * exponent).conjugate()


pow_number = elementwise(
    "pow_number",
    lambda self, exponent: self**exponent,
    inputs=("self", "exponent"),
    grad_fn="PowBackward0",
    vjp_self=_power_of_number_vjp,
)
pow = elementwise(
    "pow",
    np.power,
    inputs=("self", "exponent"),
    grad_fn="PowBackward1",
    vjp_self=lambda grad, self, exponent: masked(
        grad * (self ** (exponent - 1) * exponent).conjugate(), exponent != 0
    ),
    vjp_exponent=lambda grad, self, exponent, result: masked(
        grad * (result * log(self)).conjugate(), (self != 0) | (real(exponent) < 0)
    ),
)


def _number_to_power_vjp(grad: Any, self: Any, exponent: Any, result: Any) -> Any:
    if self == 0:
        return masked(grad * (result * -inf), exponent < 0)
    return grad * (result * logarithm(self)).conjugate()


def logarithm(number: complex) -> complex:
    """The logarithm of a Python number, NaN for a negative real one."""
    if isinstance(number, complex):
        return cmath.log(number)
    return math.log(number) if number > 0 else math.nan


number_pow = elementwise(
    "number_pow",
    np.power,
    inputs=("self", "exponent"),
    grad_fn="PowBackward2",
    vjp_exponent=_number_to_power_vjp,
)
sqrt = elementwise(
    "sqrt",
    np.sqrt,
    promote="float",
    vjp=lambda grad, result: grad / (result * 2).conjugate(),
)

# --- exponentials and logarithms ------------------------------------------------------

exp = elementwise("exp", np.exp, d=lambda result: result, promote="float")
log = elementwise(
    "log", np.log, promote="float", vjp=lambda grad, self: grad / self.conjugate()
)


# --- hyperbolic and logistic ----------------------------------------------------------

tanh = elementwise(
    "tanh",
    np.tanh,
    promote="float",
    d=lambda result: 1 - result * result,
    vjp=lambda grad, result: tanh_backward(grad, result),
)


def _tanh_backward(grad: Any, result: Any) -> Any:
    factor = (result * result).conjugate()
    factor = np.subtract(1, factor, out=factor if type(factor) is ndarray else None)
    factor *= grad
    return factor


tanh_backward = elementwise(
    "tanh_backward",
    _tanh_backward,
    inputs=("grad_output", "output"),
    vjp_grad_output=lambda grad, output: tanh_backward(grad, output.conjugate()),
    vjp_output=lambda grad, grad_output, output: (
        grad.conjugate() * grad_output * output.conjugate() * -2
    ),
    grad_fn="TanhBackwardBackward0",
)


def _sigmoid(self: ndarray) -> Any:
    return 1 / (1 + np.exp(-self))


sigmoid = elementwise(
    "sigmoid",
    _sigmoid,
    promote="float",
    d=lambda result: result * (1 - result),
)

# --- bits -----------------------------------------------------------------------------

logical_and_bits = nondifferentiable(
    "bitwise_and", np.bitwise_and, inputs=("self", "other"), promote="numeric"
)
logical_or_bits = nondifferentiable(
    "bitwise_or", np.bitwise_or, inputs=("self", "other"), promote="numeric"
)

# --- complex numbers ------------------------------------------------------------------

conj = elementwise("conj", np.conjugate, vjp=lambda grad: grad.conjugate())
real = elementwise("real", lambda self: self.real, vjp=lambda grad: grad)
