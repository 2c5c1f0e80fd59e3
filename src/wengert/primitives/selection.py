"""Ops that choose: where, the larger and the smaller, bounds.

Note [Masks as bits]
    A choice by a random mask is slow with `np.where`: the processor mispredicts one
    branch in two, 4.7 ns an element. Floats are bits: multiplied with 0 or 1 as
    integers they are zero or themselves (also infinity and NaN, which times zero are
    NaN as floats), and ``b ^ (a ^ b) * mask`` is a or b. That takes 0.25 and 0.5 ns.
"""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
from numpy import ndarray

from wengert import dtypes
from wengert.constants import ZERO, constant

from .op import elementwise, nondifferentiable

BITS = {2: np.int16, 4: np.int32, 8: np.int64}
"""For each size of elements the integer type of that size."""


NOTHING = {
    char: np.zeros((), char) for char in np.typecodes["All"] if char not in "SUVOMm"
}
"""Zero in each dtype of numbers, by the dtype's letter."""

FEW = 1000
"""Of fewer elements than this, `np.where` is as quick."""


def _masked(self: ndarray, mask: ndarray) -> Any:
    integer = BITS.get(self.dtype.itemsize)
    if integer is None or mask.size < FEW:
        return np.where(mask, self, NOTHING[self.dtype.char])
    return (self.view(integer) * mask).view(self.dtype)


masked = elementwise(
    "masked",
    _masked,
    inputs=("self", "mask"),
    promote=None,
    vjp_self=lambda grad, mask: masked(grad, mask),
)
"""The elements where the mask is true, and zero elsewhere. See Note [Masks as bits]."""


def chosen(condition: Any, a: Any, b: Any) -> Any:
    """Return `a` where the condition holds, else `b`: arrays of one dtype."""
    integer = BITS.get(a.dtype.itemsize)
    if integer is None or condition.size < FEW:
        return np.where(condition, a, b)
    b_bits = b.view(integer)
    result = a.view(integer) ^ b_bits
    if result.shape != condition.shape:
        result = result * condition
    else:
        result *= condition
    return (result ^ b_bits).view(a.dtype)


def _where(condition: ndarray, self: Any, other: Any) -> Any:
    if getattr(self, "dtype", 0) is not getattr(other, "dtype", 1):
        dtype = dtypes.result_dtype(self, other)
        self, other = of_dtype(self, dtype), of_dtype(other, dtype)
    return chosen(condition, self, other)


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


def comparison(name: str, forward: np.ufunc, refuses: str = "") -> Any:
    """Declare a comparison of two inputs, brought to one dtype first."""
    return nondifferentiable(
        name,
        forward,
        inputs=("self", "other"),
        promote="numeric",
        kind="elementwise",
        refuses=refuses,
    )


eq = comparison("eq", np.equal)
ne = comparison("ne", np.not_equal)
lt = comparison("lt", np.less, "c")
le = comparison("le", np.less_equal, "c")
gt = comparison("gt", np.greater, "c")
ge = comparison("ge", np.greater_equal, "c")
logical_not = nondifferentiable("logical_not", np.logical_not, kind="elementwise")
isnan = nondifferentiable(
    "isnan",
    lambda self: (
        np.isnan(self) if self.dtype.kind in "fc" else np.zeros(self.shape, bool)
    ),
    kind="elementwise",
)

# --- the larger and the smaller -------------------------------------------------------


def larger_or_smaller(name: str, forward: np.ufunc, loses: Any, wins: Any) -> Any:
    """Declare an op that takes one of two inputs; equal ones share the gradient.

    Args:
        name: the op's.
        forward: NumPy's function.
        loses: says where the first input is not taken; a NaN loses to nothing.
        wins: says where the second one is not.
    """

    def share(grad: Any, lost: Any, tied: Any) -> Any:
        return masked(grad, logical_not(lost)) - masked(grad, tied) * 0.5

    return elementwise(
        name,
        forward,
        vjp_self=lambda grad, self, other: share(
            grad, loses(self, other), eq(self, other)
        ),
        vjp_other=lambda grad, self, other: share(
            grad, wins(self, other), eq(self, other)
        ),
        refuses={"c": RuntimeError(f"{name} not implemented for complex tensors.")},
    )


maximum = larger_or_smaller("maximum", np.maximum, loses=lt, wins=gt)
minimum = larger_or_smaller("minimum", np.minimum, loses=gt, wins=lt)


def one_or_other(name: str, forward: np.ufunc, prefers: Any) -> Any:
    """Declare an op that takes the first of two equals, and NaN only of two NaNs."""

    def first(self: Any, other: Any) -> Any:
        return prefers(self, other) | isnan(other)

    return elementwise(
        name,
        forward,
        vjp_self=lambda grad, self, other: masked(grad, first(self, other)),
        vjp_other=lambda grad, self, other: masked(
            grad, logical_not(first(self, other))
        ),
        refuses={"c": RuntimeError(f"{name} not implemented for complex tensors.")},
    )


fmax = one_or_other("fmax", np.fmax, ge)
fmin = one_or_other("fmin", np.fmin, le)


def _heaviside(self: Any, values: Any) -> Any:
    step = (self > 0).astype(self.dtype)
    return np.where(self == 0, values, step)


def _heaviside_rule(grad: Any) -> Any:
    raise RuntimeError("derivative for aten::heaviside is not implemented")


heaviside = elementwise(
    "heaviside",
    _heaviside,
    inputs=("self", "values"),
    grad_fn="NotImplemented",
    vjp_self=_heaviside_rule,
    vjp_values=_heaviside_rule,
    refuses={
        "c": RuntimeError("heaviside is not yet implemented for complex tensors.")
    },
)
nextafter = elementwise(
    "nextafter",
    np.nextafter,
    vjp_self=lambda grad, self, other: masked(grad, ne(self, other)),
    vjp_other=lambda grad, self, other: masked(grad, eq(self, other)),
    refuses="biuc",
)

# --- bounds ---------------------------------------------------------------------------

NO_COMPLEX_BOUNDS = {
    "c": NotImplementedError("clamp is not supported for complex types")
}


def _clamp(self: Any, min: Any, max: Any) -> Any:
    if min is not None:
        self = np.maximum(self, min)
    return self if max is None else np.minimum(self, max)


def _clamp_numbers(self: Any, min: Any, max: Any) -> Any:
    if isinstance(min, ndarray) or isinstance(max, ndarray) or self.dtype.kind != "f":
        return _clamp(self, min, max)
    if self.size >= FEW:  # one pass, which for two numbers is a quick one
        low, high = (-inf if min is None else min), (inf if max is None else max)
        return np.clip(self, low, high)
    if min is not None:
        self = np.maximum(self, constant(min or ZERO, self.dtype))
    if max is not None:
        self = np.minimum(self, constant(max or ZERO, self.dtype))
    return self


def within(self: Any, min: Any, max: Any) -> Any:
    """A mask of the elements from `min` to `max`, either of which may be None."""
    if min is None:
        return le(self, max)
    return ge(self, min) if max is None else ge(self, min) & le(self, max)


def _clamp_by_self(grad: Any, self: Any, min: Any, max: Any) -> Any:
    return masked(grad, within(self, min, max))


def _clamp_by_min(grad: Any, self: Any, min: Any, max: Any) -> Any:
    below = lt(self, min)
    return masked(grad, below if max is None else below & lt(min, max))


def _clamp_by_max(grad: Any, self: Any, min: Any, max: Any) -> Any:
    above = gt(self, max)
    return masked(grad, above if min is None else above | lt(max, min))


BOUNDS: dict[str, Any] = {
    "inputs": ("self", "min", "max"),
    "refuses": NO_COMPLEX_BOUNDS,
}
clamp = elementwise(
    "clamp",
    _clamp,
    vjp_self=_clamp_by_self,
    vjp_min=_clamp_by_min,
    vjp_max=_clamp_by_max,
    **BOUNDS,
)
clamp_numbers = elementwise(
    "clamp_numbers",
    _clamp_numbers,
    grad_fn="ClampBackward1",
    vjp_self=_clamp_by_self,
    **BOUNDS,
)


def _by_at_least(grad: Any, self: Any, min: Any) -> Any:
    return masked(grad, ge(self, min))


def _by_lower_bound(grad: Any, self: Any, min: Any) -> Any:
    return masked(grad, lt(self, min))


def _by_at_most(grad: Any, self: Any, max: Any) -> Any:
    return masked(grad, le(self, max))


def _by_upper_bound(grad: Any, self: Any, max: Any) -> Any:
    return masked(grad, gt(self, max))


LOWER: dict[str, Any] = {"inputs": ("self", "min"), "refuses": NO_COMPLEX_BOUNDS}
UPPER: dict[str, Any] = {"inputs": ("self", "max"), "refuses": NO_COMPLEX_BOUNDS}
clamp_min = elementwise(
    "clamp_min",
    np.maximum,
    grad_fn="ClampMinBackward1",
    vjp_self=_by_at_least,
    vjp_min=_by_lower_bound,
    **LOWER,
)
clamp_min_number = elementwise(
    "clamp_min_number",
    np.maximum,
    grad_fn="ClampMinBackward0",
    vjp_self=_by_at_least,
    **LOWER,
)
clamp_max = elementwise(
    "clamp_max",
    np.minimum,
    grad_fn="ClampMaxBackward1",
    vjp_self=_by_at_most,
    vjp_max=_by_upper_bound,
    **UPPER,
)
clamp_max_number = elementwise(
    "clamp_max_number",
    np.minimum,
    grad_fn="ClampMaxBackward0",
    vjp_self=_by_at_most,
    **UPPER,
)


def _nan_to_num(self: ndarray, *, nan: Any, posinf: Any, neginf: Any) -> Any:
    if self.dtype.kind not in "fc" or np.all(np.isfinite(self)):
        return self.copy()
    return np.nan_to_num(self, nan=nan, posinf=posinf, neginf=neginf)


nan_to_num = elementwise(
    "nan_to_num",
    _nan_to_num,
    vjp=lambda grad, self: masked(grad, isfinite(self)),
)
isfinite = nondifferentiable("isfinite", np.isfinite, kind="elementwise")
