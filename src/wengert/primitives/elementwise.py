"""Ops that work element by element: arithmetic, powers, exponentials.

Rules do not sum out broadcasting and do not cast; where a rule lets only part of the
gradient through it uses `masked`, as infinity times zero would be NaN.
"""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np
from numpy import ndarray

from wengert.constants import constant

from .complex import real
from .copying import zeros_like
from .op import bilinear, elementwise, fused
from .selection import eq, ge, logical_not, lt, masked, ne

# --- sums and products ----------------------------------------------------------------

MINUS = "Subtraction, the `-` operator, with a bool tensor is not supported. "
INVERT = (
    "If you are trying to invert a mask, use the `~` or `logical_not()` operator "
    "instead."
)
DIFFERENCE: dict[str, Any] = {
    "inputs": ("self", "other"),
    "refuses": {"b": RuntimeError(MINUS + INVERT)},
    "refuses_each": True,
}

add = elementwise(
    "add", np.add, vjp_self=lambda grad: grad, vjp_other=lambda grad: grad
)
sub = elementwise(
    "sub",
    np.subtract,
    vjp_self=lambda grad: grad,
    vjp_other=lambda grad: -grad,
    **DIFFERENCE,
)
rsub = elementwise(
    "rsub",
    lambda self, other: other - self,
    grad_fn="RsubBackward1",
    vjp_self=lambda grad: -grad,
    vjp_other=lambda grad: grad,
    **DIFFERENCE,
)


def scaled(other: Any, alpha: Any, like: Any) -> Any:
    """``other * alpha`` in the dtype of another array."""
    dtype = like.dtype if isinstance(other, (int, float, complex)) else other.dtype
    return other * np.asarray(alpha).astype(dtype)


add_scaled = elementwise(
    "add_scaled",
    lambda self, other, *, alpha: self + scaled(other, alpha, self),
    inputs=("self", "other"),
    grad_fn="AddBackward0",
    vjp_self=lambda grad: grad,
    vjp_other=lambda grad, alpha: grad * alpha.conjugate(),
)
sub_scaled = elementwise(
    "sub_scaled",
    lambda self, other, *, alpha: self - scaled(other, alpha, self),
    grad_fn="SubBackward0",
    vjp_self=lambda grad: grad,
    vjp_other=lambda grad, alpha: grad * -alpha.conjugate(),
    **DIFFERENCE,
)
rsub_scaled = elementwise(
    "rsub_scaled",
    lambda self, other, *, alpha: other - scaled(self, alpha, self),
    grad_fn="RsubBackward0",
    vjp_self=lambda grad, alpha: grad * -alpha.conjugate(),
    vjp_other=lambda grad: grad,
    **DIFFERENCE,
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
neg = elementwise(
    "neg",
    np.negative,
    vjp=lambda grad: -grad,
    refuses={
        "b": RuntimeError(
            f"Negation, the `-` operator, on a bool tensor is not supported. {INVERT}"
        )
    },
)
reciprocal = elementwise(
    "reciprocal",
    lambda self: constant(1, self.dtype) / self,
    promote="float",
    vjp=lambda grad, result: grad * -(result * result).conjugate(),
)


def _addcmul(self: Any, tensor1: Any, tensor2: Any, *, value: Any) -> Any:
    product = tensor1 * tensor2
    return self + (product if value == 1 else scaled(product, value, product))


addcmul = elementwise(
    "addcmul",
    _addcmul,
    inputs=("self", "tensor1", "tensor2"),
    vjp_self=lambda grad: grad,
    vjp_tensor1=lambda grad, tensor2, value: grad * (tensor2 * value).conjugate(),
    vjp_tensor2=lambda grad, tensor1, value: grad * (tensor1 * value).conjugate(),
)


def _addcdiv(self: Any, tensor1: Any, tensor2: Any, *, value: Any) -> Any:
    quotient = tensor1 / tensor2
    return self + (quotient if value == 1 else quotient * value)


addcdiv = elementwise(
    "addcdiv",
    _addcdiv,
    inputs=("self", "tensor1", "tensor2"),
    vjp_self=lambda grad: grad,
    vjp_tensor1=lambda grad, tensor2, value: grad * (value / tensor2).conjugate(),
    vjp_tensor2=lambda grad, tensor1, tensor2, value: (
        grad * -(tensor1 * value / (tensor2 * tensor2)).conjugate()
    ),
)


def _lerp(self: Any, end: Any, weight: Any) -> Any:
    """From self to end; begins from the nearer of both, so that weight 1 is the end."""
    step = end - self
    if not isinstance(weight, (int, float, complex)):
        near = np.abs(weight) < 0.5
        return np.where(near, self + weight * step, end - step * (1 - weight))
    if np.abs(weight) < 0.5:
        return self + weight * step
    return end - step * (1 - weight)


LERP_RULES: dict[str, Any] = {
    "vjp_self": lambda grad, weight: grad * (1 - weight).conjugate(),
    "vjp_end": lambda grad, weight: grad * weight.conjugate(),
}
lerp_number = elementwise(
    "lerp_number",
    _lerp,
    inputs=("self", "end", "weight"),
    grad_fn="LerpBackward0",
    refuses="biu",
    refuses_each=True,
    **LERP_RULES,
)
lerp = elementwise(
    "lerp",
    _lerp,
    inputs=("self", "end", "weight"),
    grad_fn="LerpBackward1",
    refuses="biu",
    **LERP_RULES,
    vjp_weight=lambda grad, self, end: grad * (end - self).conjugate(),
)

# --- absolute value and sign ----------------------------------------------------------


def _sign(self: ndarray) -> Any:
    if self.dtype.kind != "f":
        return self.copy() if self.dtype.kind == "b" else np.sign(self)
    # NaN has sign 0 in PyTorch, and this takes half the time of np.sign.
    return ((self > 0).view(np.int8) - (self < 0).view(np.int8)).astype(self.dtype)


def _sgn(self: ndarray) -> Any:
    if self.dtype.kind != "c":
        return _sign(self)
    size = np.abs(self)
    return np.where(size == 0, self.dtype.type(0), self / size)


def _sgn_vjp(grad: Any, self: Any, result: Any, self_dtype: Any) -> Any:
    if self_dtype.kind != "c":
        return zeros_like(grad)
    turning = grad / abs(self) - real(grad / self) * result
    return masked(turning, ne(self, 0))


sign = elementwise(
    "sign",
    _sign,
    vjp=lambda grad: zeros_like(grad),
    refuses={
        "c": NotImplementedError(
            "Unlike NumPy, torch.sign is not intended to support complex numbers. "
            "Please use torch.sgn instead."
        )
    },
)


def _sgn_jvp(self_t: Any, self: Any, result: Any, self_dtype: Any) -> Any:
    return _sgn_vjp(self_t, self, result, self_dtype)  # a symmetric map of x and y


sgn = elementwise("sgn", _sgn, vjp=_sgn_vjp, jvp=_sgn_jvp)
abs = elementwise(
    "abs",
    np.abs,
    vjp=lambda grad, self: grad * sgn(self),
    jvp=lambda self_t, self: real(self_t * sgn(self).conjugate()),
    refuses="b",
)


def _copysign_vjp(grad: Any, self: Any, result: Any) -> Any:
    return masked(grad * (result / self), ne(self, 0))


COPYSIGN: dict[str, Any] = {
    "inputs": ("self", "other"),
    "promote": "float",
    "refuses": "c",
}
copysign = elementwise(
    "copysign",
    np.copysign,
    vjp_self=_copysign_vjp,
    vjp_other=lambda grad: zeros_like(grad),
    **COPYSIGN,
)
copysign_number = elementwise(
    "copysign_number",
    np.copysign,
    grad_fn="CopysignBackward1",
    vjp_self=_copysign_vjp,
    **COPYSIGN,
)

# --- powers and roots -----------------------------------------------------------------


def are_integers(a: Any, b: Any) -> bool:
    """Whether arrays of one dtype, or an array and a number, are of integers."""
    if isinstance(a, float) or isinstance(b, float):
        return False
    kind: str = (b if isinstance(a, (int, complex)) else a).dtype.kind
    return kind in "iu"


def _pow(self: Any, exponent: Any) -> Any:
    """Powers; the reciprocals of integers are rounded towards zero."""
    if not are_integers(self, exponent) or np.all(np.asarray(exponent) >= 0):
        return self**exponent
    dtype = np.result_type(self, exponent)
    powers = np.asarray(self) ** np.maximum(exponent, 0)
    odd = np.where(np.remainder(exponent, 2) == 0, 1, self)
    reciprocals = np.where(np.abs(self) == 1, odd, 0)
    return np.where(np.asarray(exponent) < 0, reciprocals, powers).astype(dtype)


def _pow_number_vjp(grad: Any, self: Any, exponent: Any) -> Any:
    if exponent == 0:
        return zeros_like(grad)
    if exponent == 2:
        return grad * (self * 2).conjugate()
    return grad * (self ** (exponent - 1) * exponent).conjugate()


def _pow_by_self(grad: Any, self: Any, exponent: Any) -> Any:
    slope = self ** (exponent - 1) * exponent
    return masked(grad * slope.conjugate(), ne(exponent, 0))


def _pow_by_exponent(grad: Any, self: Any, exponent: Any, result: Any) -> Any:
    slope = result * log(self)
    flat = eq(self, 0) & ge(real(exponent), 0)
    return masked(grad * slope.conjugate(), logical_not(flat))


def _number_pow_vjp(grad: Any, self: Any, exponent: Any, result: Any) -> Any:
    if self == 0:
        return masked(grad * (result * -math.inf), lt(real(exponent), 0))
    return grad * (result * logarithm(self)).conjugate()


def logarithm(number: Any) -> Any:
    """The logarithm of a Python number, NaN for a negative real one."""
    if isinstance(number, complex):
        return cmath.log(number)
    return math.log(number) if number > 0 else math.nan


POWER: dict[str, Any] = {"inputs": ("self", "exponent"), "refuses": "b"}
pow = elementwise(
    "pow",
    _pow,
    grad_fn="PowBackward1",
    vjp_self=_pow_by_self,
    vjp_exponent=_pow_by_exponent,
    **POWER,
)


def _pow_number(self: Any, exponent: Any) -> Any:
    """Powers; NumPy itself multiplies, divides and takes roots for 2, -1 and 1/2."""
    if exponent == 3:
        return self * self * self
    if exponent == -0.5:
        return 1 / np.sqrt(self)
    if exponent == -2 and not are_integers(self, exponent):
        return 1 / (self * self)
    return self**exponent


pow_number = elementwise(
    "pow_number",
    _pow_number,
    grad_fn="PowBackward0",
    vjp_self=_pow_number_vjp,
    **POWER,
)
number_pow = elementwise(
    "number_pow", _pow, grad_fn="PowBackward2", vjp_exponent=_number_pow_vjp, **POWER
)
sqrt = elementwise(
    "sqrt",
    np.sqrt,
    promote="float",
    vjp=lambda grad, result: grad / (result * 2).conjugate(),
)
rsqrt = elementwise(
    "rsqrt",
    lambda self: constant(1, self.dtype) / np.sqrt(self),
    promote="float",
    vjp=lambda grad, result: grad * (result * result * result).conjugate() * -0.5,
)

# --- exponentials and logarithms ------------------------------------------------------

LN2, LN10 = math.log(2), math.log(10)


def _exp2(self: ndarray) -> Any:
    return np.exp(self * LN2) if self.dtype.kind == "c" else np.exp2(self)


exp = elementwise("exp", np.exp, promote="float", d=lambda result: result)
exp2 = elementwise("exp2", _exp2, promote="float", d=lambda result: result * LN2)
expm1 = elementwise("expm1", np.expm1, promote="float", d=lambda result: result + 1)
log = elementwise(
    "log", np.log, promote="float", vjp=lambda grad, self: grad / self.conjugate()
)
log2 = elementwise(
    "log2",
    np.log2,
    promote="float",
    vjp=lambda grad, self: grad / (self * LN2).conjugate(),
)
log10 = elementwise(
    "log10",
    np.log10,
    promote="float",
    vjp=lambda grad, self: grad / (self * LN10).conjugate(),
)
log1p = elementwise(
    "log1p",
    np.log1p,
    promote="float",
    grad_fn="Log1PBackward0",
    vjp=lambda grad, self: grad / (self + 1).conjugate(),
)


def _logaddexp(self: Any, other: Any) -> Any:
    """Begins with the larger one; by hand, as np.logaddexp takes ten times as long."""
    if self.dtype.kind == "c":
        swap = np.real(self) < np.real(other)
        high, low = np.where(swap, other, self), np.where(swap, self, other)
        return np.where(high == low, low + LN2, high + np.log1p(np.exp(low - high)))
    high, low = np.maximum(self, other), np.minimum(self, other)
    return unless_infinite(high, np.log1p(np.exp(low - high)) + high)


def _logaddexp2(self: Any, other: Any) -> Any:
    high, low = np.maximum(self, other), np.minimum(self, other)
    return unless_infinite(high, np.log1p(np.exp2(low - high)) * (1 / LN2) + high)


def unless_infinite(high: Any, result: Any) -> Any:
    """Return a result, and the larger one of two inputs where that is infinite."""
    infinite = np.isinf(high)
    return np.where(infinite, high, result) if np.any(infinite) else result


logaddexp = elementwise(
    "logaddexp",
    _logaddexp,
    inputs=("self", "other"),
    vjp_self=lambda grad, self, other: grad / (exp(other - self) + 1).conjugate(),
    vjp_other=lambda grad, self, other: grad / (exp(self - other) + 1).conjugate(),
    refuses="biu",
)
logaddexp2 = elementwise(
    "logaddexp2",
    _logaddexp2,
    inputs=("self", "other"),
    vjp_self=lambda grad, self, other: grad / (exp2(other - self) + 1),
    vjp_other=lambda grad, self, other: grad / (exp2(self - other) + 1),
    refuses="biuc",
)


def _ldexp(self: Any, other: Any) -> Any:
    return np.ldexp(self, other) if other.dtype.kind in "iu" else self * _exp2(other)


ldexp = elementwise(
    "ldexp",
    _ldexp,
    inputs=("self", "other"),
    promote="float",
    vjp_self=lambda grad, other: ldexp(grad, other.conjugate()),
    vjp_other=lambda grad, result: grad * (result * LN2).conjugate(),
)
frexp = fused(
    "frexp",
    np.frexp,
    inputs=("self",),
    outputs=("mantissa", "exponent"),
    vjp_self=lambda grad, exponent: ldexp(grad, -exponent),
)

# --- the logistic function and the hyperbolic tangent ---------------------------------


def _sigmoid(self: ndarray) -> Any:
    if not self.ndim:
        return 1 / (1 + np.exp(-self))
    result = np.negative(self)
    np.exp(result, result)
    unit = constant(1, self.dtype)
    np.add(result, unit, result)
    return np.divide(unit, result, result)


def _sigmoid_backward(grad_output: Any, output: Any) -> Any:
    return grad_output * (output * (1 - output)).conjugate()


def _tanh_backward(grad_output: Any, output: Any) -> Any:
    return grad_output * (1 - output * output).conjugate()


sigmoid = elementwise(
    "sigmoid",
    _sigmoid,
    promote="float",
    d=lambda result: result * (1 - result),
    vjp=lambda grad, result: sigmoid_backward(grad, result),
)
sigmoid_backward = elementwise(
    "sigmoid_backward",
    _sigmoid_backward,
    inputs=("grad_output", "output"),
    grad_fn="SigmoidBackwardBackward0",
    vjp_grad_output=lambda grad, output: sigmoid_backward(grad, output.conjugate()),
    vjp_output=lambda grad, grad_output, output: (
        grad.conjugate() * grad_output * (1 - output * 2).conjugate()
    ),
    jvp=lambda grad_output_t, output_t, grad_output, output: (
        sigmoid_backward(grad_output_t, output)
        + grad_output * (output_t * (1 - output * 2)).conjugate()
    ),
)
tanh = elementwise(
    "tanh",
    np.tanh,
    promote="float",
    d=lambda result: 1 - result * result,
    vjp=lambda grad, result: tanh_backward(grad, result),
)
tanh_backward = elementwise(
    "tanh_backward",
    _tanh_backward,
    inputs=("grad_output", "output"),
    grad_fn="TanhBackwardBackward0",
    vjp_grad_output=lambda grad, output: tanh_backward(grad, output.conjugate()),
    vjp_output=lambda grad, grad_output, output: (
        grad.conjugate() * grad_output * output.conjugate() * -2
    ),
    jvp=lambda grad_output_t, output_t, grad_output, output: (
        tanh_backward(grad_output_t, output)
        - grad_output * (output_t * output * 2).conjugate()
    ),
)
