"""Ops that run along a dimension and keep every step: sums, products, maxima.

Note [Linear recurrences]
    The derivatives of a cumulative product are sums of products that leave one factor
    out. Division by that factor is wrong where it is zero. But such sums obey
    ``h[i] = b[i] + a[i] h[i-1]``: the primitive `recurrence`, whose own derivatives are
    recurrences again. So products with zeros can be differentiated any number of times.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy import ndarray

from .along import put_along
from .dims import ACCUMULATORS
from .elementwise import exp
from .op import fused, linear

# --- cumulative sums ------------------------------------------------------------------


LONG = 4096
"""From this length on, float32 is accumulated in float64."""

WIDE_ROW = 64
"""From this many neighbours on, whole rows are accumulated in a loop of Python's: NumPy
goes along the dimension of each element, waiting for every sum."""


def accumulated(ufunc: Any, self: Any, dim: int, reverse: bool = False) -> ndarray:
    """Accumulate sums or products along a dimension, from its end if reversed."""
    dtype = self.dtype
    wide = ACCUMULATORS.get(dtype.char, dtype)
    if not self.shape:
        return np.array(self, wide if wide.kind == "i" else dtype)
    if reverse:
        return np.flip(accumulated(ufunc, np.flip(self, dim), dim), dim)
    if dtype.char == "f" and self.shape[dim] > LONG:
        wide = np.dtype("float64")
    result = running(ufunc, self.astype(wide, copy=False), dim)
    return result.astype(dtype, copy=False) if wide.kind == "f" else result


def running(ufunc: Any, self: ndarray, dim: int) -> ndarray:
    """Accumulate by a ufunc along a dimension."""
    if prod(self.shape[dim + 1 :]) < WIDE_ROW:
        result: ndarray = ufunc.accumulate(self, dim)
        return result
    result = np.empty(self.shape, self.dtype)
    rows, out = np.moveaxis(self, dim, 0), np.moveaxis(result, dim, 0)
    out[:1] = rows[:1]
    for i in range(1, len(out)):
        ufunc(out[i - 1], rows[i], out=out[i])
    return result


cumsum = linear(
    "cumsum",
    lambda self, *, dim, reverse: accumulated(np.add, self, dim, reverse),
    lambda grad, dim, reverse: cumsum(grad, dim=dim, reverse=not reverse),
)

# --- shifts and recurrences -----------------------------------------------------------


def span(dim: int, start: int | None, stop: int | None) -> tuple[slice, ...]:
    """Return the index of a stretch of a dimension."""
    return (*[slice(None)] * dim, slice(start, stop))


def _shift(self: ndarray, *, dim: int, by: int) -> ndarray:
    if not self.shape:
        return np.zeros_like(self)
    shifted = np.empty_like(self)
    if by > 0:
        shifted[span(dim, None, 1)] = 0
        shifted[span(dim, 1, None)] = self[span(dim, None, -1)]
    else:
        shifted[span(dim, -1, None)] = 0
        shifted[span(dim, None, -1)] = self[span(dim, 1, None)]
    return shifted


shift = linear("shift", _shift, lambda grad, dim, by: shift(grad, dim=dim, by=-by))
"""The elements moved on (``by=1``) or back (``by=-1``) by one; zero comes in."""


def _recurrence(a: ndarray, b: ndarray, *, dim: int, reverse: bool) -> ndarray:
    if not b.shape:
        return b.copy()
    a, b = np.moveaxis(a, dim, 0), np.moveaxis(b, dim, 0)
    if reverse:
        a, b = a[::-1], b[::-1]
    result = np.empty_like(b)
    solve_recurrence(a, b, result)
    if reverse:
        result = result[::-1]
    return np.moveaxis(result, 0, dim)


def solve_recurrence(a: ndarray, b: ndarray, out: ndarray) -> None:
    """Write ``h[i] = b[i] + a[i] h[i-1]`` into `out`, in about 2 n steps.

    Long and narrow arrays are halved: two steps at once are a step of the same form, so
    that Python does log n rounds instead of n.
    """
    n = len(b)
    if n <= 16 or b[0].size > 256:
        out[:1] = b[:1]
        for i in range(1, n):
            np.multiply(a[i], out[i - 1], out=out[i : i + 1])
            out[i] += b[i]
        return
    odd = a[1::2], b[1::2]
    even = a[0::2][: n // 2], b[0::2][: n // 2]
    solve_recurrence(odd[0] * even[0], odd[1] + odd[0] * even[1], out[1::2])
    out[0] = b[0]
    out[2::2] = b[2::2] + a[2::2] * out[1:-1:2]


def recurrence_vjp_b(grad: Any, a: Any, dim: int, reverse: bool) -> Any:
    step = 1 if reverse else -1
    return recurrence(
        shift(a.conjugate(), dim=dim, by=step), grad, dim=dim, reverse=not reverse
    )


def recurrence_vjp_a(grad: Any, a: Any, result: Any, dim: int, reverse: bool) -> Any:
    step = 1 if reverse else -1
    before = shift(result, dim=dim, by=-step)
    return recurrence_vjp_b(grad, a, dim, reverse) * before.conjugate()


recurrence = fused(
    "recurrence",
    _recurrence,
    inputs=("a", "b"),
    vjp_a=recurrence_vjp_a,
    vjp_b=recurrence_vjp_b,
)

# --- cumulative products --------------------------------------------------------------


def _exclusive_cumprod(self: ndarray, *, dim: int, reverse: bool) -> ndarray:
    if not self.shape:
        return np.ones_like(self)
    products = accumulated(np.multiply, self, dim, reverse)
    step = -1 if reverse else 1
    shifted = _shift(products, dim=dim, by=step)
    shifted[span(dim, -1, None) if reverse else span(dim, None, 1)] = 1
    return shifted


def exclusive_cumprod_vjp(
    grad: Any, self: Any, result: Any, dim: int, reverse: bool
) -> Any:
    step = 1 if reverse else -1
    later = recurrence(self.conjugate(), grad, dim=dim, reverse=not reverse)
    return result.conjugate() * shift(later, dim=dim, by=step)


exclusive_cumprod = fused(
    "exclusive_cumprod",
    _exclusive_cumprod,
    inputs=("self",),
    vjp_self=exclusive_cumprod_vjp,
)
"""The product of what comes before each element (after it, if reversed)."""


def cumprod_vjp(grad: Any, self: Any, dim: int) -> Any:
    factors = shift(self.conjugate(), dim=dim, by=-1)
    before = exclusive_cumprod(self, dim=dim, reverse=False).conjugate()
    return before * recurrence(factors, grad, dim=dim, reverse=True)


cumprod = fused(
    "cumprod",
    lambda self, *, dim: accumulated(np.multiply, self, dim),
    inputs=("self",),
    vjp_self=cumprod_vjp,
)

# --- log of cumulative sums of exponentials -------------------------------------------


def _logcumsumexp(self: ndarray, *, dim: int) -> ndarray:
    if not self.shape:
        return self.copy()
    if self.dtype.kind != "c":
        return np.logaddexp.accumulate(self, dim)
    result = np.moveaxis(self.copy(), dim, 0)
    for i in range(1, len(result)):
        result[i] = log_add_exp(result[i - 1], result[i])
    return np.moveaxis(result, 0, dim)


def log_add_exp(a: ndarray, b: ndarray) -> ndarray:
    """Return log(exp(a) + exp(b)) of complex arrays."""
    swap = a.real < b.real
    high, low = np.where(swap, b, a), np.where(swap, a, b)
    return np.where(np.isneginf(low.real), high, high + np.log1p(np.exp(low - high)))


def logcumsumexp_vjp(grad: Any, self: Any, result: Any, dim: int) -> Any:
    # The gradient of x[i] is the sum over k >= i of grad[k] exp(x[i] - y[k]), which is
    # exp(x[i] - y[i]) h[i] where h[i] = grad[i] + exp(y[i] - y[i+1]) h[i+1].
    rise = shift(result - shift(result, dim=dim, by=1), dim=dim, by=-1)
    total = recurrence(exp(-rise).conjugate(), grad, dim=dim, reverse=True)
    return exp(self - result).conjugate() * total


logcumsumexp = fused(
    "logcumsumexp", _logcumsumexp, inputs=("self",), vjp_self=logcumsumexp_vjp
)

# --- cumulative extremes --------------------------------------------------------------


def cumulative_extreme(name: str, ufunc: Any) -> Any:
    """Declare ``cummax`` or ``cummin``: of equal elements the last one counts."""

    def forward(self: ndarray, *, dim: int) -> tuple[ndarray, ndarray]:
        if not self.shape:
            return self.copy(), np.zeros((), np.int64)
        values = running(ufunc, self, dim)
        reached = self == values
        if self.dtype.kind == "f":
            reached |= np.isnan(self)
        shape = [1] * self.ndim
        shape[dim] = self.shape[dim]
        steps = np.arange(self.shape[dim]).reshape(shape)
        return values, running(np.maximum, steps * reached, dim)

    return fused(
        name,
        forward,
        inputs=("self",),
        outputs=("values", "indices"),
        vjp_self=lambda grad, indices, self_shape, dim: put_along(
            grad,
            indices,
            dim=dim,
            size=self_shape[dim] if self_shape else 1,
            repeated=True,
        ),
    )


cummax = cumulative_extreme("cummax", np.maximum)
cummin = cumulative_extreme("cummin", np.minimum)
