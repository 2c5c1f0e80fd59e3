"""Norms of vectors, and distances between them.

Note [The gradient of a norm]
    ``N = (sum |x|^p)^(1/p)`` has the derivative ``sgn(x) (|x| / N)^(p - 1)``. In this
    form nothing overflows. Where N is zero, or x is and p is below 2, the gradient
    counts as zero; the numbers there are replaced before the power is taken, so that
    derivatives of the gradient are not NaN, either.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import ndarray

from ..kernels.folds import summed, summed_squares
from .dims import ACCUMULATORS, Dims, restore
from .elementwise import abs, pow_number, sgn
from .fitting import sum_to
from .matmul import matmul
from .op import fused, reduction
from .reduction import shares, sum_dim
from .selection import masked, ne, where

add: Any = np.add
maximum: Any = np.maximum
minimum: Any = np.minimum

# --- the norm of a vector -------------------------------------------------------------


def norm(self: ndarray, *, ord: float, dim: Dims, keepdim: bool) -> Any:
    """Return norms along dimensions, as real numbers."""
    wide = ACCUMULATORS.get(self.dtype.char)
    if wide is not None:
        found = norm(self.astype(wide), ord=ord, dim=dim, keepdim=keepdim)
        return found.astype(self.dtype)
    if ord == 2:
        if self.dtype.kind == "c":
            squares = summed(self.real**2 + self.imag**2, dim, keepdim)
        else:
            squares = summed_squares(self, dim, keepdim)
        return np.sqrt(squares)
    if ord == 0:
        return add.reduce(self != 0, dim, self.real.dtype, None, keepdim)
    magnitude = np.abs(self)
    if ord == 1:
        return summed(magnitude, dim, keepdim)
    if math.isinf(ord):
        if ord > 0:
            return maximum.reduce(magnitude, dim, None, None, keepdim, 0)
        return minimum.reduce(magnitude, dim, None, None, keepdim)
    return add.reduce(magnitude**ord, dim, None, None, keepdim) ** (1 / ord)


def norm_vjp(
    grad: Any, self: Any, result: Any, ord: float, dim: Dims, keepdim: bool
) -> Any:
    """See Note [The gradient of a norm]."""
    shape = tuple(self.shape)
    grad, result = [restore(item, shape, dim, keepdim) for item in (grad, result)]
    if ord == 0:
        return None
    if ord == 1:
        return sgn(self) * grad
    if math.isinf(ord):
        return sgn(self) * (grad * shares(abs(self), result, dim=dim, nan=True))
    nonzero = ne(result, 0)
    safe = where(nonzero, result, 1.0)
    if ord == 2:
        return self * masked(grad / safe, nonzero)
    grad = masked(grad, nonzero)
    magnitude = abs(self)
    if ord > 2:
        return sgn(self) * (grad * pow_number(magnitude / safe, ord - 1))
    nonzero = ne(magnitude, 0)
    ratio = where(nonzero, magnitude, 1.0) / safe
    return sgn(self) * masked(grad * pow_number(ratio, ord - 1), nonzero)


vector_norm = reduction(
    "linalg_vector_norm",
    norm,
    norm_vjp,
)

# --- the distance of two tensors ------------------------------------------------------


def dims_of(tensor: Any) -> Dims:
    return tuple(range(len(tensor.shape)))


def _dist(self: ndarray, other: ndarray, *, p: float) -> Any:
    difference = np.asarray(self - other)
    return norm(difference, ord=p, dim=dims_of(difference), keepdim=False)


def dist_vjp(grad: Any, self: Any, other: Any, result: Any, p: float) -> Any:
    difference = self - other
    found = norm_vjp(grad, difference, result, p, dims_of(difference), False)
    return None if found is None else sum_to(found, self.shape)


dist = fused(
    "dist",
    _dist,
    inputs=("self", "other"),
    vjp_self=dist_vjp,
    vjp_other=lambda grad, self, other, result, p: dist_vjp(
        grad, other, self, result, p
    ),
)

# --- the distances of all pairs of rows -----------------------------------------------

LARGE = 1 << 22
"""From this many differences on, they are not all kept at once."""


def _cdist(x1: ndarray, x2: ndarray, *, p: float, by_product: bool) -> ndarray:
    if by_product and p == 2 and x1.dtype.char != "e":
        return euclidean_by_product(x1, x2)
    differences = x1.size * x2.shape[-2]
    if differences <= LARGE or x1.ndim == 2 == len(x1):
        all_pairs = x1[..., :, None, :] - x2[..., None, :, :]
        return norm(all_pairs, ord=p, dim=(x1.ndim,), keepdim=False)
    rows = [
        _cdist(x1[..., i : i + 1, :], x2, p=p, by_product=False)
        for i in range(x1.shape[-2])
    ]
    return np.concatenate(rows, -2)


def euclidean_by_product(x1: ndarray, x2: ndarray) -> ndarray:
    """Return Euclidean distances as |a|² + |b|² - 2 a·b: quick, inexact when near."""
    squares1 = add.reduce(x1 * x1, -1, None, None, True)
    squares2 = add.reduce(x2 * x2, -1)[..., None, :]
    squares = np.matmul(x1 * -2, x2.swapaxes(-1, -2))
    squares += squares1
    squares += squares2
    np.maximum(squares, 0, out=squares)
    return np.sqrt(squares, out=squares)


def cdist_vjp(grad: Any, x1: Any, x2: Any, result: Any, p: float) -> Any:
    """The cotangent of x1."""
    if p == 2:
        nonzero = ne(result, 0)
        weights = masked(grad / where(nonzero, result, 1.0), nonzero)
        dim = (len(weights.shape) - 1,)
        total = sum_dim(weights, dim=dim, keepdim=True)
        return x1 * total - matmul(weights, x2)
    *batch, n, width = x1.shape
    m = x2.shape[-2]
    last = len(batch) + 2
    column, row = (*batch, n, 1, width), (*batch, 1, m, width)
    differences = x1.reshape(column) - x2.reshape(row)
    found = norm_vjp(grad, differences, result, p, (last,), False)
    return None if found is None else sum_dim(found, dim=(last - 1,), keepdim=False)


cdist = fused(
    "cdist",
    _cdist,
    inputs=("x1", "x2"),
    vjp_x1=cdist_vjp,
    vjp_x2=lambda grad, x1, x2, result, p: cdist_vjp(grad.mT, x2, x1, result.mT, p),
)
