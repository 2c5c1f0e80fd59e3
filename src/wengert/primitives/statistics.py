"""Variances, histograms and counts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import ndarray

from ..constants import constant
from ..kernels.folds import summed, summed_squares
from .dims import ACCUMULATORS, Dims, count, drop, restore
from .op import nondifferentiable, reduction
from .reduction import mean_dim, mean_vjp
from .selection import masked, ne, where

# --- variances ------------------------------------------------------------------------


def moments(
    self: ndarray, dim: Dims, correction: float, keepdim: bool
) -> tuple[Any, Any]:
    """Return the variance, and the mean with its dimensions kept, both accumulated."""
    wide = ACCUMULATORS.get(self.dtype.char)
    if wide is not None:
        self = self.astype(wide)
    n = count(self.shape, dim)
    mean = summed(self, dim, True) / constant(n, self.dtype)
    deviation = np.asarray(self - mean)
    if self.dtype.kind == "c":
        total = summed(deviation.real**2 + deviation.imag**2, dim, keepdim)
    else:
        total = summed_squares(deviation, dim, keepdim, spare=True)
    return total / constant(max(n - correction, 0), self.dtype), mean


def real_like(value: Any, self: ndarray) -> Any:
    """Return a value in the dtype of an array, or of its real part."""
    if value.dtype is self.dtype:
        return value
    return value.astype(self.real.dtype, copy=False)


def _var(self: ndarray, *, dim: Dims, correction: float, keepdim: bool) -> Any:
    return real_like(moments(self, dim, correction, keepdim)[0], self)


def _std(self: ndarray, *, dim: Dims, correction: float, keepdim: bool) -> Any:
    return real_like(np.sqrt(moments(self, dim, correction, keepdim)[0]), self)


def _var_mean(
    self: ndarray, *, dim: Dims, correction: float, keepdim: bool
) -> tuple[Any, Any]:
    var, mean = moments(self, dim, correction, keepdim)
    mean = drop(mean, self.shape, dim, keepdim)
    return real_like(var, self), mean.astype(self.dtype, copy=False)


def _std_mean(
    self: ndarray, *, dim: Dims, correction: float, keepdim: bool
) -> tuple[Any, Any]:
    var, mean = moments(self, dim, correction, keepdim)
    mean = drop(mean, self.shape, dim, keepdim)
    return real_like(np.sqrt(var), self), mean.astype(self.dtype, copy=False)


def var_vjp(grad: Any, self: Any, dim: Dims, correction: float, keepdim: bool) -> Any:
    shape = tuple(self.shape)
    freedom = count(shape, dim) - correction
    factor = 2 / freedom if freedom > 0 else math.inf
    grad = restore(grad, shape, dim, keepdim)
    return grad * ((self - mean_dim(self, dim=dim, keepdim=True)) * factor)


def std_vjp(
    grad: Any, self: Any, result: Any, dim: Dims, correction: float, keepdim: bool
) -> Any:
    return var_vjp(by_var(grad, result), self, dim, correction, keepdim)


def by_var(grad: Any, std: Any) -> Any:
    """The gradient of the variance, of that of its root; zero where that is zero."""
    moving = ne(std, 0)
    return masked(grad / (where(moving, std, 1.0) * 2), moving)


def var_mean_vjp(
    grads: list[Any], self: Any, dim: Dims, correction: float, keepdim: bool
) -> Any:
    var_grad, mean_grad = grads
    total = None
    if var_grad is not None:
        total = var_vjp(var_grad, self, dim, correction, keepdim)
    if mean_grad is None:
        return total
    of_mean = mean_vjp(mean_grad, tuple(self.shape), dim, keepdim)
    return of_mean if total is None else total + of_mean


def std_mean_vjp(
    grads: list[Any], self: Any, std: Any, dim: Dims, correction: float, keepdim: bool
) -> Any:
    std_grad, mean_grad = grads
    if std_grad is not None:
        std_grad = by_var(std_grad, std)
    return var_mean_vjp([std_grad, mean_grad], self, dim, correction, keepdim)


var = reduction("var", _var, var_vjp)
std = reduction("std", _std, std_vjp)
var_mean = reduction("var_mean", _var_mean, var_mean_vjp, outputs=("var", "mean"))
std_mean = reduction("std_mean", _std_mean, std_mean_vjp, outputs=("std", "mean"))

# --- counts ---------------------------------------------------------------------------


def _histogram(
    self: ndarray, edges: ndarray, weight: ndarray | None, *, density: bool
) -> ndarray:
    found, _ = np.histogram(self, edges, weights=weight, density=density)
    return found.astype(self.dtype)


def bounds_of(self: ndarray, low: float, high: float) -> tuple[float, float]:
    """Return the range of a histogram: that of the elements if none is given."""
    if low == high == 0 and self.size:
        low, high = float(self.min()), float(self.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"torch.histc: range of [{low}, {high}] is not finite")
    if low > high:
        raise RuntimeError("torch.histc: max must be larger than min")
    return (low - 1, high + 1) if low == high else (low, high)


def _edges(self: ndarray, *, bins: int, low: float, high: float) -> ndarray:
    return np.linspace(*bounds_of(self, low, high), bins + 1).astype(self.dtype)


def _histc(self: ndarray, *, bins: int, low: float, high: float) -> ndarray:
    found, _ = np.histogram(self, bins, bounds_of(self, low, high))
    return found.astype(self.dtype)


edges = nondifferentiable("histogram_edges", _edges)
histc = nondifferentiable("histc", _histc)
histogram = nondifferentiable(
    "histogram", _histogram, inputs=("self", "edges", "weight")
)


def only_counts() -> RuntimeError:
    return RuntimeError("bincount only supports 1-d non-negative integral inputs.")


def _bincount(self: ndarray, weights: ndarray | None, *, minlength: int) -> ndarray:
    if self.size and self.min() < 0:
        raise only_counts()
    found = np.bincount(self, weights, minlength)
    single = weights is not None and weights.dtype == np.float32
    return found.astype(np.float32) if single else found


def _histogramdd(
    self: ndarray, weight: ndarray | None, *edges: ndarray, density: bool
) -> ndarray:
    points = self.reshape(-1, self.shape[-1])
    weights = None if weight is None else weight.reshape(-1)
    wide = [edge.astype(np.float64) for edge in edges]
    found, _ = np.histogramdd(points, wide, density=density, weights=weights)
    return found.astype(self.dtype)


histogramdd = nondifferentiable(
    "histogramdd", _histogramdd, inputs=("self", "weight", "*edges")
)
"""How many points lie in each of several boxes."""

bincount = nondifferentiable("bincount", _bincount, inputs=("self", "weights"))
