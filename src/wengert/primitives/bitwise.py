"""Ops on truth values, bits and integers, and tests of numbers: without derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from .op import nondifferentiable


def test(name: str, forward: Callable[..., Any], **settings: Any) -> Any:
    """Declare an op that says something about each element: its result has bools."""
    return nondifferentiable(name, forward, kind="elementwise", **settings)


def of_two(name: str, forward: Callable[..., Any], kinds: str = "") -> Any:
    """Declare an op of two inputs that refuses some kinds of dtypes."""
    return nondifferentiable(
        name,
        forward,
        inputs=("self", "other"),
        promote="numeric",
        kind="elementwise",
        refuses=kinds,
    )


# --- tests of numbers -----------------------------------------------------------------


def _of_any_parts(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a test of floats for all numbers; of integers it is never true."""

    def found(self: Any) -> Any:
        if self.dtype.kind in "fc":
            return function(self)
        return np.zeros(self.shape, bool)

    return found


def _no_complex(name: str) -> Any:
    return {"c": RuntimeError(f"{name} does not support complex inputs.")}


isinf = test("isinf", _of_any_parts(np.isinf))
isreal = test("isreal", lambda self: self.imag == 0)
isposinf = test(
    "isposinf",
    _of_any_parts(lambda self: self == np.inf),
    refuses=_no_complex("isposinf"),
    promote="numeric",
)
isneginf = test(
    "isneginf",
    _of_any_parts(lambda self: self == -np.inf),
    refuses=_no_complex("isneginf"),
    promote="numeric",
)
signbit = test(
    "signbit",
    lambda self: np.signbit(self) if self.dtype.kind == "f" else self < 0,
    refuses={
        "c": NotImplementedError("signbit is not implemented for complex tensors.")
    },
    promote="numeric",
)

# --- truth values ---------------------------------------------------------------------

logical_and = of_two("logical_and", np.logical_and)
logical_or = of_two("logical_or", np.logical_or)
logical_xor = of_two("logical_xor", np.logical_xor)

# --- bits -----------------------------------------------------------------------------

bitwise_and = of_two("bitwise_and", np.bitwise_and)
bitwise_or = of_two("bitwise_or", np.bitwise_or)
bitwise_xor = of_two("bitwise_xor", np.bitwise_xor)
bitwise_not = nondifferentiable(
    "bitwise_not",
    np.invert,
    promote="numeric",
    kind="elementwise",
    refuses="fc",
)


def _shift(function: np.ufunc) -> Callable[[Any, Any], Any]:
    """Return a shift that leaves nothing if the distance is negative or too large."""

    def shifted(self: Any, other: Any) -> Any:
        bits = 8 * (self if hasattr(self, "dtype") else other).dtype.itemsize
        array = np.asarray(other)
        outside = (array < 0) | (array >= bits)
        if not outside.any():
            return function(self, other)
        # Shifting to the right by all bits but one leaves just copies of the sign.
        rest = 0 if function is np.left_shift else function(self, bits - 1)
        return np.where(outside, rest, function(self, np.where(outside, 0, array)))

    return shifted


bitwise_left_shift = of_two("bitwise_left_shift", _shift(np.left_shift), "bfc")
bitwise_right_shift = of_two("bitwise_right_shift", _shift(np.right_shift), "bfc")

# --- integers -------------------------------------------------------------------------

gcd = of_two("gcd", np.gcd, "bfc")
lcm = of_two("lcm", np.lcm, "bfc")

# --- hashes ---------------------------------------------------------------------------


def _hash_of(self: ndarray, *, dim: tuple[int, ...], keepdim: bool) -> ndarray:
    wide = np.float64 if self.dtype.kind == "f" else np.int64
    bits = self.astype(wide if self.dtype != np.uint64 else np.uint64).view(np.uint64)
    reduce: Any = np.bitwise_xor.reduce
    return np.asarray(reduce(bits, dim, keepdims=keepdim))


hash_of = nondifferentiable("hash_tensor", _hash_of)

# --- closeness ------------------------------------------------------------------------


def _isclose(
    self: Any, other: Any, *, rtol: float, atol: float, equal_nan: bool
) -> Any:
    close = self == other
    if self.dtype.kind in "fc":
        distance = np.abs(self - other)
        allowed = atol + np.abs(rtol * other)
        close |= np.isfinite(distance) & (distance <= allowed)
        if equal_nan:
            close |= np.isnan(self) & np.isnan(other)
        return close
    if self.dtype.kind == "b":
        return close
    distance = np.abs(self.astype(np.float64) - other)
    return close | (distance <= atol + np.abs(rtol * other))


isclose = nondifferentiable(
    "isclose", _isclose, inputs=("self", "other"), kind="elementwise"
)
