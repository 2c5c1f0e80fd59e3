"""The operators of tensors: ``+``, ``<``, ``&`` and so on, reflected and in place.

They are quick calls of primitives. With operands that they do not know they return
NotImplemented, so that Python asks the other operand, or raises TypeError.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert import dtypes
from wengert.dispatch import general
from wengert.inplace import inplace
from wengert.pointwise import binary, predicate
from wengert.primitive import Primitive
from wengert.primitives import (
    bitwise as B,
    elementwise as E,
    rounding as R,
    selection as S,
)
from wengert.tensor import Layer, Tensor, plain

from .elementwise import positive

Operator = Callable[..., Any]

OPERANDS = (Tensor, Layer, int, float, complex, np.generic)
"""What an operator takes besides tensors."""


def known(primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
    """Call a primitive, unless one of its arguments is of another library."""
    for arg in args:
        if not isinstance(arg, OPERANDS):
            return NotImplemented
    if not any(isinstance(arg, Tensor | Layer) for arg in args):
        raise TypeError(f"the operator {primitive.name} needs a tensor")
    return general(primitive, args, params)


def operator(function: Operator) -> Operator:
    """Return the operator that is a primitive of two tensors."""
    primitive: Primitive = function.primitive  # type: ignore[attr-defined]
    quick = binary if primitive.differentiable else predicate
    return quick(primitive, known)


def reflected(function: Operator) -> Operator:
    """Return the operator with its operands in the other order."""
    primitive: Primitive = function.primitive  # type: ignore[attr-defined]

    def call(input: Tensor, other: Any) -> Any:
        return known(primitive, (other, input), {})

    return call


def install(**operators: Operator) -> None:
    """Make functions the operators with these names."""
    for name, function in operators.items():
        setattr(Tensor, f"__{name.rstrip('_')}__", function)


# --- arithmetic -----------------------------------------------------------------------

add, mul = operator(E.add), operator(E.mul)
install(add=add, radd=add, mul=mul, rmul=mul)
install(sub=operator(E.sub), rsub=operator(E.rsub))
install(truediv=operator(E.div), div=operator(E.div))
install(floordiv=operator(R.floor_divide), rfloordiv=reflected(R.floor_divide))
install(rmod=reflected(R.remainder))
install(neg=E.neg, abs=E.abs, pos=positive)

remainder, remainder_number = operator(R.remainder), operator(R.remainder_number)
power, power_number = operator(E.pow), operator(E.pow_number)


def mod(input: Tensor, other: Any) -> Any:
    return (remainder if isinstance(other, Tensor) else remainder_number)(input, other)


def pow(input: Tensor, other: Any) -> Any:
    return (power if isinstance(other, Tensor) else power_number)(input, other)


def rtruediv(input: Tensor, other: Any) -> Any:
    return E.reciprocal(input) * other


def rpow(input: Tensor, other: Any) -> Any:
    function: Any = E.pow if isinstance(other, Tensor) else E.number_pow
    return known(function.primitive, (other, input), {})


install(mod=mod, pow=pow, rpow=rpow)
install(rtruediv=rtruediv, rdiv=rtruediv)

# --- comparison -----------------------------------------------------------------------


def equals(primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
    """Compare with a NumPy array, too, as PyTorch does for this operator alone."""
    input, other = args
    if type(other) is np.ndarray and isinstance(input, Tensor):
        return general(primitive, (input, plain(other)), params)
    return known(primitive, args, params)


install(eq=predicate(S.eq.primitive, equals))
install(ne=operator(S.ne), lt=operator(S.lt), le=operator(S.le))
install(gt=operator(S.gt), ge=operator(S.ge))


def contains(input: Tensor, element: Any) -> bool:
    """``element in tensor``: whether any element of the tensor equals it."""
    if not isinstance(element, OPERANDS):
        raise RuntimeError(
            "Tensor.__contains__ only supports Tensor or scalar, but you passed in a "
            f"{type(element)}."
        )
    equal: Any = input == element
    return bool(equal.any())


install(contains=contains)

# --- bits -----------------------------------------------------------------------------


def invert(input: Tensor) -> Tensor:
    if input.dtype.category >= dtypes.FLOAT:
        raise TypeError(
            "~ (operator.invert) is only implemented on integer and Boolean-type "
            "tensors"
        )
    inverted: Tensor = B.bitwise_not(input)
    return inverted


bit_and, bit_or = operator(B.bitwise_and), operator(B.bitwise_or)
bit_xor = operator(B.bitwise_xor)
install(invert=invert, and_=bit_and, rand=bit_and, or_=bit_or, ror=bit_or)
install(xor=bit_xor, rxor=bit_xor)
install(lshift=operator(B.bitwise_left_shift), rshift=operator(B.bitwise_right_shift))
install(rlshift=reflected(B.bitwise_left_shift))
install(rrshift=reflected(B.bitwise_right_shift))

# --- in place -------------------------------------------------------------------------

install(iadd=inplace(E.add), isub=inplace(E.sub), imul=inplace(E.mul))
install(itruediv=inplace(E.div), idiv=inplace(E.div))

IN_PLACE = {
    "ifloordiv": "floor_divide_",
    "imod": "remainder_",
    "ipow": "pow_",
    "iand": "bitwise_and_",
    "ior": "bitwise_or_",
    "ixor": "bitwise_xor_",
    "ilshift": "bitwise_left_shift_",
    "irshift": "bitwise_right_shift_",
}
for _operator, _method in IN_PLACE.items():
    setattr(Tensor, f"__{_operator}__", getattr(Tensor, _method))


def array_wrap(
    input: Tensor,
    array: np.ndarray,
    context: Any = None,
    return_scalar: bool = False,
) -> Tensor:
    """Make a tensor of what NumPy has computed from one: ``tensor * array``."""
    return plain(np.asarray(array))


Tensor.__array_wrap__ = array_wrap
