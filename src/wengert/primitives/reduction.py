"""Ops that take dimensions away: sums, products, extremes and what is made of them.

`dim` is a tuple of the dimensions to reduce, or None for all of them. PyTorch names
the two cases' nodes apart (SumBackward0, SumBackward1), so most ops here are two
primitives: one of the whole array without parameters, and one along dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import empty, ndarray

from ..constants import constant
from ..kernels.folds import summed
from .along import selection
from .dims import ACCUMULATORS, Dims, Shape, count, drop, kept, restore
from .elementwise import exp
from .fitting import sum_to
from .op import linear, nondifferentiable, reduction
from .scan import exclusive_cumprod
from .selection import eq, masked

# NumPy's types know `keepdims` as a keyword alone, which takes longer.
add: Any = np.add
maximum: Any = np.maximum
minimum: Any = np.minimum

SMALL = 8192
"""Up to this many elements, filling an array costs less than strides of zero cost its
reader; beyond, a view that repeats one element saves the memory."""


def stretched(array: Any, shape: Shape) -> ndarray:
    """Return an array repeated along the dimensions where it has size 1."""
    if math.prod(shape) > SMALL:
        return np.broadcast_to(array, shape)
    result = empty(shape, array.dtype)
    result[...] = array
    return result


# --- sums -----------------------------------------------------------------------------


def folded(ufunc: Any, self: Any, dim: Dims | None, keepdim: bool) -> Any:
    """Reduce by a ufunc, in the accumulator's dtype where there is one."""
    wide = ACCUMULATORS.get(self.dtype.char)
    if wide is None:
        return ufunc.reduce(self, dim, None, None, keepdim)
    result = ufunc.reduce(self, dim, wide, None, keepdim)
    return result.astype(self.dtype) if wide.kind == "f" else result


def _sum(self: Any, *, dim: Dims | None = None, keepdim: bool = False) -> Any:
    if self.dtype.char in ACCUMULATORS:
        return folded(add, self, dim, keepdim)
    return summed(self, dim, keepdim)


def divisor(number: int, like: ndarray) -> Any:
    """Return a number as small arrays are divided by it quickest."""
    return constant(number, like.dtype) if like.dtype.kind == "f" else number


def _mean(self: Any, *, dim: Dims | None = None, keepdim: bool = False) -> Any:
    wide = ACCUMULATORS.get(self.dtype.char)
    if wide is None:
        by = count(self.shape, dim)
        return summed(self, dim, keepdim) / (by if dim is None else divisor(by, self))
    total = add.reduce(self, dim, wide, None, keepdim)
    return (total / count(self.shape, dim)).astype(self.dtype)


def _expand_to(grad: Any, *, shape: Shape) -> ndarray:
    return stretched(grad, shape)


def _spread(grad: Any, *, shape: Shape, by: int) -> ndarray:
    # A 0-dim array is first made a NumPy scalar: its arithmetic costs a tenth.
    return stretched((grad if grad.ndim else grad[()]) / by, shape)


expand_to = linear(
    "expand_to",
    _expand_to,
    lambda grad, self_shape: sum_to(grad, self_shape),
    grad_fn="ExpandBackward0",
)
spread = linear(
    "spread",
    _spread,
    lambda grad, self_shape, by: sum_to(grad, self_shape) / by,
    grad_fn="ExpandBackward0",
)


def sum_vjp(grad: Any, self_shape: Shape, dim: Dims, keepdim: bool) -> Any:
    return expand_to(restore(grad, self_shape, dim, keepdim), shape=self_shape)


def mean_vjp(grad: Any, self_shape: Shape, dim: Dims, keepdim: bool) -> Any:
    grad = restore(grad, self_shape, dim, keepdim)
    return spread(grad, shape=self_shape, by=count(self_shape, dim) or 1)


sum = reduction(
    "sum",
    _sum,
    lambda grad, self_shape: expand_to(grad, shape=self_shape),
    jvp=lambda self_t: sum(self_t),
)
sum_dim = reduction(
    "sum_dim",
    _sum,
    sum_vjp,
    jvp=lambda self_t, dim, keepdim: sum_dim(self_t, dim=dim, keepdim=keepdim),
    grad_fn="SumBackward1",
)
mean = reduction(
    "mean",
    _mean,
    lambda grad, self_shape: spread(
        grad, shape=self_shape, by=math.prod(self_shape) or 1
    ),
    jvp=lambda self_t: mean(self_t),
)
mean_dim = reduction(
    "mean_dim",
    _mean,
    mean_vjp,
    jvp=lambda self_t, dim, keepdim: mean_dim(self_t, dim=dim, keepdim=keepdim),
    grad_fn="MeanBackward1",
)


def _nansum(self: ndarray, *, dim: Dims | None, keepdim: bool) -> Any:
    if self.dtype.kind in "fc":
        self = np.where(np.isnan(self), self.dtype.type(0), self)
    return folded(add, self, dim, keepdim)


def nansum_vjp(grad: Any, self: Any, dim: Dims, keepdim: bool) -> Any:
    grad = restore(grad, self.shape, dim, keepdim)
    # An element equals itself unless it is NaN.
    return masked(expand_to(grad, shape=tuple(self.shape)), eq(self, self))


nansum = reduction("nansum", _nansum, nansum_vjp)

# --- products -------------------------------------------------------------------------


def _prod(self: Any, *, dim: Dims | None = None, keepdim: bool = False) -> Any:
    return folded(np.multiply, self, dim, keepdim)


def others(self: Any, dim: int) -> Any:
    """Return for each element the product of all others along a dimension.

    It is made of the products before and after it, not by division: so it is right
    where elements are zero, and can itself be differentiated there.
    """
    before = exclusive_cumprod(self, dim=dim, reverse=False)
    return before * exclusive_cumprod(self, dim=dim, reverse=True)


def prod_vjp(grad: Any, self: Any) -> Any:
    flat = self.reshape((-1,))
    return grad * others(flat, 0).conjugate().reshape(self.shape)


def prod_dim_vjp(grad: Any, self: Any, dim: Dims, keepdim: bool) -> Any:
    if not self.shape:
        return grad
    grad = restore(grad, self.shape, dim, keepdim)
    return grad * others(self, dim[0]).conjugate()


prod = reduction("prod", _prod, prod_vjp)
prod_dim = reduction("prod_dim", _prod, prod_dim_vjp, grad_fn="ProdBackward1")

# --- extremes -------------------------------------------------------------------------


def _shares(self: ndarray, result: Any, *, dim: Dims | None, nan: bool) -> ndarray:
    result = result.reshape(kept(self.shape, dim))
    equal = self == result
    if nan and self.dtype.kind == "f":
        equal |= np.isnan(self) & np.isnan(result)
    winners = add.reduce(equal, dim, self.dtype, None, True)
    return np.divide(equal, winners, dtype=self.dtype)


shares = nondifferentiable("shares", _shares, inputs=("self", "result"))
"""What fraction of the gradient of an extreme each element gets: those equal to it
share evenly. With ``nan`` an element that is NaN equals a result that is."""


def shared(grad: Any, self: Any, result: Any, dim: Dims, keepdim: bool) -> Any:
    grad = restore(grad, self.shape, dim, keepdim)
    return grad * shares(self, result, dim=dim, nan=False)


def shared_by_all(grad: Any, self: Any, result: Any) -> Any:
    return grad * shares(self, result, dim=None, nan=True)


def extreme(name: str, ufunc: Any) -> Any:
    """Declare ``amax`` or ``amin``."""

    def forward(self: Any, *, dim: Dims, keepdim: bool) -> Any:
        return ufunc.reduce(self, dim, None, None, keepdim)

    return reduction(name, forward, shared)


amax = extreme("amax", maximum)
amin = extreme("amin", minimum)
max = reduction(
    "max",
    lambda self: maximum.reduce(self, None),
    shared_by_all,
    grad_fn="MaxBackward1",
)
min = reduction(
    "min",
    lambda self: minimum.reduce(self, None),
    shared_by_all,
    grad_fn="MinBackward1",
)


def _aminmax(self: ndarray, *, dim: Dims, keepdim: bool) -> tuple[Any, Any]:
    low = minimum.reduce(self, dim, None, None, keepdim)
    return low, maximum.reduce(self, dim, None, None, keepdim)


def aminmax_vjp(
    grads: list[Any], self: Any, min: Any, max: Any, dim: Dims, keepdim: bool
) -> Any:
    low, high = grads
    total = None if low is None else shared(low, self, min, dim, keepdim)
    if high is None:
        return total
    upper = shared(high, self, max, dim, keepdim)
    return upper if total is None else total + upper


aminmax = reduction("aminmax", _aminmax, aminmax_vjp, outputs=("min", "max"))


max_dim = selection(
    "max_dim", lambda self, dim: self.argmax(dim, keepdims=True), "MaxBackward0"
)
min_dim = selection(
    "min_dim", lambda self, dim: self.argmin(dim, keepdims=True), "MinBackward0"
)


def index_of(name: str, find: Callable[..., Any]) -> Any:
    """Declare ``argmax`` or ``argmin``; `dim` is an integer, or None for all."""

    def forward(self: ndarray, *, dim: int | None, keepdim: bool) -> Any:
        return find(self if self.shape else self.reshape(1), dim, keepdims=keepdim)

    return nondifferentiable(name, forward)


argmax = index_of("argmax", ndarray.argmax)
argmin = index_of("argmin", ndarray.argmin)

# --- truth ----------------------------------------------------------------------------


def truth(name: str, ufunc: Any) -> Any:
    """Declare ``any`` or ``all``; of bytes they are bytes, as in PyTorch."""

    def forward(self: Any, *, dim: Dims | None = None, keepdim: bool = False) -> Any:
        result = ufunc.reduce(self, dim, None, None, keepdim)
        return result.astype(self.dtype) if self.dtype.char == "B" else result

    return nondifferentiable(name, forward)


any = truth("any", np.logical_or)
all = truth("all", np.logical_and)
count_nonzero = nondifferentiable(
    "count_nonzero", lambda self, *, dim: add.reduce(self != 0, dim)
)

# --- log of a sum of exponentials -----------------------------------------------------


def _logsumexp(self: ndarray, *, dim: Dims, keepdim: bool) -> Any:
    peak = maximum.reduce(self.real, dim, None, None, True, initial=-np.inf)
    peak = np.where(np.isfinite(peak), peak, peak.dtype.type(0))
    exponentials = np.asarray(self - peak)
    np.exp(exponentials, out=exponentials)
    total = summed(exponentials, dim, True)
    return drop(np.log(total) + peak, self.shape, dim, keepdim)


def logsumexp_vjp(grad: Any, self: Any, result: Any, dim: Dims, keepdim: bool) -> Any:
    grad, result = [restore(item, self.shape, dim, keepdim) for item in (grad, result)]
    return grad * exp(self - result).conjugate()


logsumexp = reduction("logsumexp", _logsumexp, logsumexp_vjp)
