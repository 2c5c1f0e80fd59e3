"""Rounding, quotients without a fraction, and what remains."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import ndarray

from .copying import zeros_like
from .elementwise import are_integers
from .op import elementwise
from .selection import masked

# --- rounding -------------------------------------------------------------------------


def _rounding(name: str, forward: np.ufunc) -> Any:
    complex_refused = NotImplementedError(f"{name} is not supported for complex inputs")
    return elementwise(
        name,
        lambda self: forward(self) if self.dtype.kind == "f" else self.copy(),
        vjp=lambda grad: zeros_like(grad),
        refuses={"b": None, "c": complex_refused},
    )


floor = _rounding("floor", np.floor)
ceil = _rounding("ceil", np.ceil)
trunc = _rounding("trunc", np.trunc)
round = _rounding("round", np.rint)


def _round_decimals(self: ndarray, *, decimals: int) -> Any:
    scale = self.dtype.type(10.0 ** math.fabs(decimals))
    if decimals < 0:
        return np.rint(self / scale) * scale
    return np.rint(self * scale) / scale


round_decimals = elementwise(
    "round_decimals",
    _round_decimals,
    grad_fn="RoundBackward1",
    vjp=lambda grad: zeros_like(grad),
    refuses="biuc",
)
frac = elementwise(
    "frac",
    lambda self: self - np.trunc(self),
    vjp=lambda grad: grad,
    refuses="biuc",
)

# --- quotients without a fraction, and what remains -----------------------------------


def check_divisor(self: Any, other: Any) -> None:
    """Refuse to divide integers by zero."""
    if are_integers(self, other) and not np.all(other):
        raise RuntimeError("ZeroDivisionError")


def _div_floor(self: Any, other: Any) -> Any:
    check_divisor(self, other)
    if are_integers(self, other):
        return np.floor_divide(self, other)
    rest = np.fmod(self, other)
    quotient = self / other
    rounded = np.rint((self - rest) / other - goes_below(rest, other))
    result = np.where(rounded == 0, np.copysign(rounded, quotient), rounded)
    return np.where(np.equal(other, 0), quotient, result)


def _div_trunc(self: Any, other: Any) -> Any:
    if not are_integers(self, other):
        return np.trunc(np.true_divide(self, other))
    check_divisor(self, other)
    # As a is trunc(a / b) * b + fmod(a, b), this division leaves no remainder.
    return np.floor_divide(np.subtract(self, np.fmod(self, other)), other)


def _remainder(self: Any, other: Any) -> Any:
    check_divisor(self, other)
    if are_integers(self, other):
        return np.remainder(self, other)
    # np.remainder takes five times as long.
    rest = np.fmod(self, other)
    return rest + masked(np.asarray(other, rest.dtype), goes_below(rest, other))


def goes_below(rest: Any, other: Any) -> Any:
    """Whether rounding down gives one less than rounding towards zero."""
    return (rest != 0) & ((rest < 0) != (other < 0))


def _fmod(self: Any, other: Any) -> Any:
    check_divisor(self, other)
    return np.fmod(self, other)


def nowhere(name: str) -> Any:
    """Return the rule of an op that PyTorch has no derivative for, either."""

    def rule(grad: Any) -> Any:
        raise RuntimeError(f"derivative for aten::{name} is not implemented")

    return rule


QUOTIENT: dict[str, Any] = {"inputs": ("self", "other"), "refuses": "bc"}
div_floor = elementwise(
    "div_floor",
    _div_floor,
    grad_fn="DivBackward2",
    vjp_self=lambda grad: zeros_like(grad),
    vjp_other=lambda grad: zeros_like(grad),
    **QUOTIENT,
)
div_trunc = elementwise(
    "div_trunc",
    _div_trunc,
    grad_fn="DivBackward2",
    vjp_self=lambda grad: zeros_like(grad),
    vjp_other=lambda grad: zeros_like(grad),
    **QUOTIENT,
)
floor_divide = elementwise(
    "floor_divide",
    _div_floor,
    grad_fn="NotImplemented",
    vjp_self=nowhere("floor_divide"),
    vjp_other=nowhere("floor_divide"),
    **QUOTIENT,
)
remainder = elementwise(
    "remainder",
    _remainder,
    grad_fn="RemainderBackward1",
    vjp_self=lambda grad: grad,
    vjp_other=lambda grad, self, other: -grad * div_floor(self, other),
    **QUOTIENT,
)
remainder_number = elementwise(
    "remainder_number",
    _remainder,
    grad_fn="RemainderBackward0",
    vjp_self=lambda grad: grad,
    **QUOTIENT,
)
fmod = elementwise(
    "fmod",
    _fmod,
    grad_fn="FmodBackward1",
    vjp_self=lambda grad: grad,
    vjp_other=lambda grad, self, other: -grad * div_trunc(self, other),
    **QUOTIENT,
)
fmod_number = elementwise(
    "fmod_number",
    _fmod,
    grad_fn="FmodBackward0",
    vjp_self=lambda grad: grad,
    **QUOTIENT,
)
