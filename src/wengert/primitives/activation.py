"""Activations: what bends the values between the layers of a network.

Note [Activations and their derivatives]
    Each rule is a product of the gradient with the slope. Where the slope is a step,
    the gradient is masked (`masked`), as infinity times zero would be NaN. Rules of
    many passes over memory are kernels, each the forward of a backward op.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import ndarray

from ..kernels import activations as kernel, softmax as softmaxes
from .copying import zeros_like
from .elementwise import exp, sigmoid, tanh
from .op import elementwise, flat, fused
from .reduction import sum_dim as sum
from .selection import _masked, masked, where
from .special import check_floats

NOT_FLOATS = "biu"
NOT_REAL = "biuc"
"""The kinds of dtypes that most activations are not for."""

NO_CLAMP = NotImplementedError("clamp is not supported for complex types")


# --- piecewise linear -----------------------------------------------------------------


def _relu(self: ndarray) -> Any:
    if self.size < 1024:
        return np.maximum(self, 0)
    # NumPy's maximum of two arrays is vectorised, that of an array and a number is not.
    result = np.zeros(self.shape, self.dtype)
    return np.maximum(self, result, out=result)


relu = elementwise(
    "relu",
    _relu,
    vjp=lambda grad, result: relu_backward(grad, result),
    refuses={"c": NO_CLAMP, "b": RuntimeError("Boolean inputs not supported for relu")},
)
relu_backward = elementwise(
    "threshold_backward",
    lambda self, result_: _masked(self, result_ > 0),
    inputs=("self", "result_"),
    promote=None,
    vjp_self=lambda grad, result_: relu_backward(grad, result_),
    vjp_result_=lambda grad: zeros_like(grad),  # the slope is the same nearby
    jvp=lambda self_t, result_: relu_backward(self_t, result_),
)
threshold = elementwise(
    "threshold",
    lambda self, *, threshold, value: np.where(
        self <= threshold, self.dtype.type(value), self
    ),
    vjp=lambda grad, self, threshold: masked(grad, (self <= threshold) == 0),
    refuses="bc",
)
flat(threshold)


def _leaky_relu(self: ndarray, *, negative_slope: float) -> ndarray:
    if 0 <= negative_slope <= 1:
        return np.maximum(self, self * negative_slope)
    return np.where(self > 0, self, self * negative_slope)


leaky_relu = elementwise(
    "leaky_relu",
    _leaky_relu,
    vjp=lambda grad, self, negative_slope: where(self > 0, grad, grad * negative_slope),
    refuses=NOT_REAL,
)
flat(leaky_relu)


def bounded(array: ndarray, low: float, high: float) -> ndarray:
    """Limit an array to a range, whose ends are cast to its dtype."""
    number = array.dtype.type
    return np.minimum(np.maximum(array, number(low)), number(high))


hardtanh = elementwise(
    "hardtanh",
    lambda self, *, min_val, max_val: bounded(self, min_val, max_val),
    vjp=lambda grad, self, min_val, max_val: masked(
        grad, (self > min_val) & (self < max_val)
    ),
    refuses={
        "c": NO_CLAMP,
        "b": RuntimeError("Bool inputs not supported for hardtanh"),
    },
)
flat(hardtanh)
hardsigmoid = elementwise(
    "hardsigmoid",
    lambda self: np.minimum(np.maximum(self + 3, 0), 6) / 6,
    vjp=lambda grad, self: masked(grad * (1 / 6), (self > -3) & (self < 3)),
    refuses=NOT_REAL,
)
flat(hardsigmoid)
hardswish = elementwise(
    "hardswish",
    lambda self: self * (np.minimum(np.maximum(self + 3, 0), 6) / 6),
    vjp=lambda grad, self: where(
        self < 3, masked(grad * (self * (1 / 3) + 0.5), self > -3), grad
    ),
    refuses=NOT_REAL,
)
hardshrink = elementwise(
    "hardshrink",
    lambda self, *, lambd: np.where(np.abs(self) <= lambd, self.dtype.type(0), self),
    vjp=lambda grad, self, lambd: masked(grad, (self > lambd) | (self < -lambd)),
    refuses=NOT_REAL,
)
flat(hardshrink)
softshrink = elementwise(
    "softshrink",
    lambda self, *, lambd: np.where(
        self > lambd,
        self - lambd,
        np.where(self < -lambd, self + lambd, self * self.dtype.type(0)),
    ),
    vjp=lambda grad, self, lambd: masked(grad, (self > lambd) | (self < -lambd)),
    refuses=NOT_REAL,
)
flat(softshrink)
prelu = elementwise(
    "prelu",
    lambda self, weight: np.where(self > 0, self, weight * self),
    inputs=("self", "weight"),
    grad_fn="PreluKernelBackward0",
    vjp_self=lambda grad, self, weight: where(self > 0, grad, grad * weight),
    vjp_weight=lambda grad, self: masked(grad * self, (self > 0) == 0),
)
flat(prelu)
rrelu = elementwise(
    "rrelu",
    lambda self, noise: np.where(self > 0, self, noise * self),
    inputs=("self", "noise"),
    grad_fn="RreluWithNoiseBackward0",
    vjp_self=lambda grad, self, noise: where(self > 0, grad, grad * noise),
)

# --- exponential ----------------------------------------------------------------------


def _elu(self: ndarray, *, alpha: float, scale: float, input_scale: float) -> ndarray:
    below = np.expm1(np.minimum(self, 0) * input_scale)
    below *= alpha * scale
    return np.where(self > 0, self * scale, below)


elu = elementwise(
    "elu",
    _elu,
    vjp=lambda grad, self, alpha, scale, input_scale: where(
        self > 0,
        grad * scale,
        grad * (exp(self * input_scale) * (alpha * scale * input_scale)),
    ),
    refuses=NOT_REAL,
)
celu = elementwise(
    "celu",
    lambda self, *, alpha: (
        np.maximum(self, 0) + alpha * np.expm1(np.minimum(self, 0) / alpha)
    ),
    vjp=lambda grad, self, alpha: where(self > 0, grad, grad * exp(self * (1 / alpha))),
    refuses=NOT_REAL,
)


def _softplus(self: ndarray, *, beta: float, threshold: float) -> ndarray:
    check_floats(self.dtype)
    return kernel.softplus(self, beta=beta, threshold=threshold)


def _softplus_backward(
    grad_output: ndarray, self: ndarray, *, beta: float, threshold: float
) -> ndarray:
    return kernel.softplus_vjp(grad_output, self, beta=beta, threshold=threshold)


def _softplus_curvature(x: Any, beta: float, threshold: float) -> Any:
    s = sigmoid(x * beta)
    return masked(s * (1 - s) * beta, x * beta <= threshold)


softplus = elementwise(
    "softplus",
    _softplus,
    vjp=lambda grad, self, beta, threshold: softplus_backward(
        grad, self, beta=beta, threshold=threshold
    ),
    refuses=NOT_REAL,
)
softplus_backward = elementwise(
    "softplus_backward",
    _softplus_backward,
    inputs=("grad_output", "self"),
    grad_fn="SoftplusBackwardBackward0",
    vjp_grad_output=lambda grad, self, beta, threshold: softplus_backward(
        grad, self, beta=beta, threshold=threshold
    ),
    vjp_self=lambda grad, grad_output, self, beta, threshold: (
        grad * grad_output * _softplus_curvature(self, beta, threshold)
    ),
)


def _log_sigmoid(self: ndarray) -> ndarray:
    # log(1 / (1 + exp(-x))), with the exponent never above zero
    return np.minimum(self, 0) - np.log1p(np.exp(-np.abs(self)))


log_sigmoid = elementwise(
    "log_sigmoid",
    _log_sigmoid,
    vjp=lambda grad, self: grad * sigmoid(-self),
    refuses=NOT_REAL,
)


def logistic(array: ndarray) -> ndarray:
    """The sigmoid of an array, in an array of its own: (1 + tanh(x / 2)) / 2."""
    result = array * array.dtype.type(0.5)
    np.tanh(result, out=result) if result.ndim else None
    if not result.ndim:
        result = np.tanh(result)
    result = result + 1
    result *= 0.5
    return result


def _silu(self: ndarray) -> ndarray:
    return self * logistic(self)


def _silu_slope(x: Any) -> Any:
    s = sigmoid(x)
    return s * (1 + x * (1 - s))


silu = elementwise(
    "silu",
    _silu,
    d=lambda self: _silu_slope(self),
    refuses=NOT_FLOATS,
)


def _mish_slope(x: Any) -> Any:
    t = tanh(softplus(x, beta=1.0, threshold=20.0))
    return t + x * sigmoid(x) * (1 - t * t)


mish = elementwise(
    "mish",
    lambda self: self * np.tanh(_softplus(self, beta=1.0, threshold=20.0)),
    d=lambda self: _mish_slope(self),
    refuses=NOT_REAL,
)

# --- gelu -----------------------------------------------------------------------------

INV_SQRT_2PI = 1 / math.sqrt(2 * math.pi)
SQRT_2_OVER_PI = math.sqrt(2 / math.pi)
CUBIC = 0.044715


def gelu_family(name: str, approximate: str, curvature: Any) -> Any:
    """Declare x Φ(x), or its form with tanh, and its backward op.

    Args:
        name: of the op.
        approximate: the form, as `torch.nn.functional.gelu` calls it.
        curvature: the second derivative.
    """

    def forward(self: ndarray) -> ndarray:
        check_floats(self.dtype)
        return kernel.gelu(self, approximate=approximate)

    backward = elementwise(
        f"{name}_backward",
        lambda grad_output, self: kernel.gelu_vjp(
            grad_output, self, approximate=approximate
        ),
        inputs=("grad_output", "self"),
        grad_fn="GeluBackwardBackward0",
        vjp_grad_output=lambda grad, self: backward(grad, self),
        vjp_self=lambda grad, grad_output, self: grad * grad_output * curvature(self),
    )
    return elementwise(
        name,
        forward,
        vjp=lambda grad, self: backward(grad, self),
        refuses=NOT_REAL,
        grad_fn="GeluBackward0",
    )


def _gelu_curvature(x: Any) -> Any:
    return exp(x * x * -0.5) * INV_SQRT_2PI * (2 - x * x)


def _gelu_tanh_curvature(x: Any) -> Any:
    # with t = tanh u, u = √(2/π) (x + 0.044715 x³): (1 - t²) (u' + x (u''/2 - t u'²))
    square = x * x
    t = tanh((square * CUBIC + 1) * x * SQRT_2_OVER_PI)
    slope = (square * (3 * CUBIC) + 1) * SQRT_2_OVER_PI
    bend = x * (3 * CUBIC * SQRT_2_OVER_PI) - t * slope * slope
    return (1 - t * t) * (slope + x * bend)


gelu = gelu_family("gelu", "none", _gelu_curvature)
"""x Φ(x), Φ the normal distribution function (Hendrycks and Gimpel, 2016)."""
gelu_tanh = gelu_family("gelu_tanh", "tanh", _gelu_tanh_curvature)

# --- gates ----------------------------------------------------------------------------


def halves(array: ndarray, dim: int) -> tuple[ndarray, ndarray]:
    half = array.shape[dim] // 2
    before = (slice(None),) * dim
    return array[(*before, slice(half))], array[(*before, slice(half, None))]


def _glu(self: ndarray, *, dim: int) -> ndarray:
    a, b = halves(self, dim)
    return a * logistic(b)


def _glu_decomposed(self: Any, *, dim: int) -> Any:
    half = self.shape[dim] // 2
    return self.narrow(dim, 0, half) * self.narrow(dim, half, half).sigmoid()


def _glu_vjp(grad: Any, self: Any, dim: int) -> Any:
    from .joining import cat

    half = self.shape[dim] // 2
    before = (slice(None),) * dim
    a = self[(*before, slice(None, half))]
    gate = sigmoid(self[(*before, slice(half, None))])
    return cat(grad * gate, grad * a * gate * (1 - gate), dim=dim)


glu = fused(
    "glu",
    _glu,
    inputs=("self",),
    vjp_self=_glu_vjp,
    decomposition=_glu_decomposed,
)

# --- softmax --------------------------------------------------------------------------


def _softmax(self: ndarray, *, dim: int) -> ndarray:
    return softmaxes.softmax(self, dim)


def _log_softmax(self: ndarray, *, dim: int) -> ndarray:
    return softmaxes.log_softmax(self, dim)


def _softmax_backward(self: ndarray, result: ndarray, *, dim: int) -> ndarray:
    return softmaxes.softmax_vjp(self, result, dim)


def _log_softmax_backward(self: ndarray, result: ndarray, *, dim: int) -> ndarray:
    return softmaxes.log_softmax_vjp(self, result, dim)


softmax_backward = fused(
    "softmax_backward",
    _softmax_backward,
    inputs=("self", "result_"),
    grad_fn="SoftmaxBackwardDataBackward0",
    vjp_self=lambda grad, result_, dim: softmax_backward(grad, result_, dim=dim),
    vjp_result_=lambda grad, self, result_, dim: (
        grad * (self - sum(self * result_, dim=(dim,), keepdim=True))
        - self * sum(grad * result_, dim=(dim,), keepdim=True)
    ),
    jvp_self=lambda self_t, result_, dim: softmax_backward(self_t, result_, dim=dim),
    jvp_result_=lambda result__t, self, result_, dim: (
        result__t * (self - sum(self * result_, dim=(dim,), keepdim=True))
        - result_ * sum(self * result__t, dim=(dim,), keepdim=True)
    ),
    decomposition=lambda self, result_, *, dim: (
        self * result_ - result_ * (self * result_).sum(dim, keepdim=True)
    ),
)
log_softmax_backward = fused(
    "log_softmax_backward",
    _log_softmax_backward,
    inputs=("self", "result_"),
    grad_fn="LogSoftmaxBackwardDataBackward0",
    vjp_self=lambda grad, result_, dim: (
        grad - sum(grad * exp(result_), dim=(dim,), keepdim=True)
    ),
    vjp_result_=lambda grad, self, result_, dim: (
        -(grad * exp(result_)) * sum(self, dim=(dim,), keepdim=True)
    ),
    jvp_self=lambda self_t, result_, dim: log_softmax_backward(
        self_t, result_, dim=dim
    ),
    jvp_result_=lambda result__t, self, result_, dim: (
        -(exp(result_) * result__t) * sum(self, dim=(dim,), keepdim=True)
    ),
    decomposition=lambda self, result_, *, dim: (
        self - result_.exp() * self.sum(dim, keepdim=True)
    ),
)
softmax = fused(
    "softmax",
    _softmax,
    inputs=("self",),
    vjp_self=lambda grad, result, dim: softmax_backward(grad, result, dim=dim),
    jvp=lambda self_t, result, dim: softmax_backward(self_t, result, dim=dim),
    decomposition=lambda self, *, dim: (
        (self - self.amax(dim, keepdim=True).detach()).exp()
        / (self - self.amax(dim, keepdim=True).detach()).exp().sum(dim, keepdim=True)
    ),
)
log_softmax = fused(
    "log_softmax",
    _log_softmax,
    inputs=("self",),
    vjp_self=lambda grad, result, dim: log_softmax_backward(grad, result, dim=dim),
    jvp=lambda self_t, result, dim: (
        self_t - sum(exp(result) * self_t, dim=(dim,), keepdim=True)
    ),
    decomposition=lambda self, *, dim: self - self.logsumexp(dim, keepdim=True),
)
