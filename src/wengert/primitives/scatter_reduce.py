"""Ops that reduce values into the places where arrays of indices point.

A reduction takes all values that point to a place, and the place's own value unless
``include_self`` is false. Places to which nothing points keep their value.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .copying import ones_like, zeros_like
from .gathering import check_bounds, gather, positions_along
from .op import fused
from .scattering import corner, gathered, in_corner, scatter_add, scatter_value
from .selection import eq, masked, where

Shape = tuple[int, ...]

UFUNCS = {
    "sum": np.add,
    "mean": np.add,
    "prod": np.multiply,
    "amax": np.maximum,
    "amin": np.minimum,
}


def identity(reduce: str, dtype: np.dtype[Any]) -> Any:
    """Return the value with which a reduction begins."""
    if reduce in ("sum", "mean"):
        return 0
    if reduce == "prod":
        return 1
    if dtype.kind in "fc":
        return -np.inf if reduce == "amax" else np.inf
    if dtype.kind == "b":
        return reduce == "amin"
    limits = np.iinfo(dtype)
    return limits.min if reduce == "amax" else limits.max


def _scatter_reduce(
    self: ndarray,
    index: ndarray,
    src: ndarray,
    *,
    dim: int,
    reduce: str,
    include_self: bool,
) -> ndarray:
    check_bounds(index, self.shape[dim], dim)
    result = self.copy()
    flat = result.reshape(-1)
    positions = positions_along(index, dim, self.shape).reshape(-1)
    if not include_self:
        flat[positions] = identity(reduce, self.dtype)
    UFUNCS[reduce].at(flat, positions, corner(src, index.shape).reshape(-1))
    if reduce == "mean":
        counts = np.bincount(positions, minlength=flat.size) + include_self
        counts = np.maximum(counts, 1).astype(self.dtype)
        divide = np.floor_divide if self.dtype.kind in "iub" else np.divide
        flat[...] = divide(flat, counts)
    return result


# --- derivatives ----------------------------------------------------------------------


def own_share(grad: Any, index: Any, dim: int, include_self: bool) -> Any:
    """The part of a gradient that belongs to the place's own value."""
    return grad if include_self else scatter_value(grad, index, dim=dim, value=0)


def counted(grad: Any, index: Any, dim: int, include_self: bool) -> Any:
    """How many values go into each place, at least one."""
    own = ones_like(grad) if include_self else zeros_like(grad)
    ones = ones_like(gather(grad, index, dim=dim))
    counts = scatter_add(own, index, ones, dim=dim)
    return counts + eq(counts, 0)


def reduced_vjp(
    grad: Any,
    self: Any,
    index: Any,
    src: Any,
    result: Any,
    dim: int,
    reduce: str,
    include_self: bool,
    needs: list[bool],
) -> list[Any]:
    src_shape = tuple(src.shape)
    values = corner(src, tuple(index.shape))
    if reduce in ("sum", "mean"):
        if reduce == "mean":
            grad = grad / counted(grad, index, dim, include_self)
        by_self = by_src = None
        if needs[0]:
            by_self = own_share(grad, index, dim, include_self)
        if needs[2]:
            by_src = gathered(grad, index, src_shape, dim)
        return [by_self, None, by_src]
    rule = product_vjp if reduce == "prod" else extreme_vjp
    by_self, by_values = rule(grad, self, index, values, result, dim, include_self)
    return [by_self, None, in_corner(by_values, src_shape)]


def product_vjp(
    grad: Any, self: Any, index: Any, values: Any, result: Any, dim: int, own: bool
) -> tuple[Any, Any]:
    """The product of all other factors: that of all by this one, if it is not zero.

    If it is zero, the product P of all that are not zero is what it is multiplied with,
    times the other zero, if there is just one, which matters to second derivatives; the
    sum of both zeros less this one is the other one.
    """
    base = self if own else scatter_value(self, index, dim=dim, value=1)
    base_zero, zero = eq(base, 0), eq(values, 0)
    zeros = scatter_add(
        masked(ones_like(base), base_zero),
        index,
        masked(ones_like(values), zero),
        dim=dim,
    )
    sum_of_zeros = scatter_add(
        masked(base, base_zero), index, masked(values, zero), dim=dim
    )
    filled_base = where(base_zero, ones_like(base), base)
    filled = where(zero, ones_like(values), values)
    nonzero_product = scatter_reduce(
        filled_base, index, filled, dim=dim, reduce="prod", include_self=True
    )
    of_zero = grad * nonzero_product.conjugate()
    alone, paired = masked(of_zero, eq(zeros, 1)), masked(of_zero, eq(zeros, 2))
    of_others = grad * result.conjugate()

    def at(place: Any) -> Any:
        return gather(place, index, dim=dim)

    by_base = where(
        base_zero,
        alone + paired * (sum_of_zeros - base).conjugate(),
        of_others / filled_base.conjugate(),
    )
    by_values = where(
        zero,
        at(alone) + at(paired) * (at(sum_of_zeros) - values).conjugate(),
        at(of_others) / filled.conjugate(),
    )
    return own_share(by_base, index, dim, own), by_values


def extreme_vjp(
    grad: Any, self: Any, index: Any, values: Any, result: Any, dim: int, own: bool
) -> tuple[Any, Any]:
    """Equal shares for all values that are the extreme one."""
    own_hit = own_share(masked(ones_like(grad), eq(self, result)), index, dim, own)
    hit = eq(values, gather(result, index, dim=dim))
    ones = masked(ones_like(gather(grad, index, dim=dim)), hit)
    hits = scatter_add(own_hit, index, ones, dim=dim)
    share = grad / (hits + eq(hits, 0))
    return share * own_hit, masked(gather(share, index, dim=dim), hit)


def reducing(name: str) -> Any:
    """Declare a reduction; ``index`` names a place for each value."""
    return fused(
        name,
        _scatter_reduce,
        inputs=("self", "index", "src"),
        vjp=reduced_vjp,
    )


scatter_reduce = reducing("scatter_reduce")
index_reduce = reducing("index_reduce")
