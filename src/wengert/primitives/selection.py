"""Ops that choose: where, the larger and the smaller, bounds.

Note [Masks as bits]
    A choice by a random mask is slow with `np.where`: the processor mispredicts one
    branch in two, 4.7 ns an element. Floats are bits: multiplied with 0 or 1 as integers
    they are zero or themselves (also infinity and NaN, which times zero are NaN as
    floats), and ``b ^ (a ^ b) * mask`` is a or b. That takes 0.25 and 0.5 ns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .. import dtypes
from .op import elementwise, linear, nondifferentiable

BITS = {2: np.int16, 4: np.int32, 8: np.int64}
"""For each size of elements the integer type of that size."""


def _masked(self: ndarray, mask: ndarray) -> Any:
    integer = BITS.get(self.dtype.itemsize)
    if integer is None:
        return np.where(mask, self, self.dtype.type(0))
    return (self.view(integer) * mask).view(self.dtype)


masked = linear(
    "masked",
    _masked,
    lambda grad, mask: masked(grad, mask),
    inputs=("self", "mask"),
)
"""The elements where the mask is true, and zero elsewhere. See Note [Masks as bits]."""


def chosen(condition: Any, a: Any, b: Any) -> Any:
    """Return `a` where the condition holds, else `b`: arrays of one dtype."""
    integer = BITS.get(a.dtype.itemsize)
    if integer is None or condition.size < 1000:
        return np.where(condition, a, b)
    b_bits = b.view(integer)
    result = a.view(integer) ^ b_bits
    if result.shape != condition.shape:
        result = result * condition
    else:
        result *= condition
    return (result ^ b_bits).view(a.dtype)


def _where(condition: ndarray, self: Any, other: Any) -> Any:
    dtype = dtypes.result_dtype(self, other)
    return chosen(condition, of_dtype(self, dtype), of_dtype(other, dtype))


def of_dtype(value: Any, dtype: np.dtype[Any]) -> Any:
    """Return an array or number as an array of a dtype."""
    return np.asarray(value).astype(dtype, copy=False)


where = elementwise(
    "where",
    _where,
    inputs=("condition", "self", "other"),
    promote=None,
    vjp_self=lambda grad, condition: masked(grad, condition),
    vjp_other=lambda grad, condition: masked(grad, logical_not(condition)),
)

# --- comparison -----------------------------------------------------------------------


def comparison(name: str, forward: np.ufunc) -> Any:
    """Declare a comparison of two inputs, brought to one dtype first."""
    return nondifferentiable(
        name, forward, inputs=("self", "other"), promote="numeric", kind="elementwise"
    )


eq = comparison("eq", np.equal)
ne = comparison("ne", np.not_equal)
lt = comparison("lt", np.less)
le = comparison("le", np.less_equal)
gt = comparison("gt", np.greater)
ge = comparison("ge", np.greater_equal)
logical_not = nondifferentiable("logical_not", np.logical_not, kind="elementwise")

# --- the larger and the smaller -------------------------------------------------------


def shared(grad: Any, loses: Any, ties: Any) -> Any:
    """The gradient of an input of `maximum`: half of it where both are equal."""
    return masked(grad, logical_not(loses)) - masked(grad, ties) * 0.5


maximum = elementwise(
    "maximum",
    np.maximum,
    vjp_self=lambda grad, self, other: shared(grad, lt(self, other), eq(self, other)),
    vjp_other=lambda grad, self, other: shared(grad, gt(self, other), eq(self, other)),
)
minimum = elementwise(
    "minimum",
    np.minimum,
    vjp_self=lambda grad, self, other: shared(grad, gt(self, other), eq(self, other)),
    vjp_other=lambda grad, self, other: shared(grad, lt(self, other), eq(self, other)),
)

# --- bounds ---------------------------------------------------------------------------


def _clamp(self: Any, min: Any, max: Any) -> Any:
    if min is not None:
        self = np.maximum(self, min)
    return self if max is None else np.minimum(self, max)


def within(self: Any, min: Any, max: Any) -> Any:
    """A mask of the elements from `min` to `max`, either of which may be None."""
    if min is None:
        return le(self, max)
    return ge(self, min) if max is None else ge(self, min) & le(self, max)


clamp_numbers = elementwise(
    "clamp_numbers",
    _clamp,
    inputs=("self", "min", "max"),
    grad_fn="ClampBackward1",
    vjp_self=lambda grad, self, min, max: masked(grad, within(self, min, max)),
)
