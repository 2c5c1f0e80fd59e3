"""The operators of tensors: ``+``, ``<``, ``&`` and so on, reflected and in place.

They are quick calls of primitives. With operands that they do not know they return
NotImplemented, so that Python asks the other operand, or raises TypeError.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert import dtypes
from wengert.dispatch import general
from wengert.inplace import inplace
from wengert.primitive import Primitive
from wengert.primitives import (
    bitwise as B,
    elementwise as E,
    rounding as R,
    selection as S,
)
from wengert.quick.elementwise import binary, predicate, writing
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
    return general(primitive, args, params)


def operate(primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
    """Do as `known` for a method, whose first argument is a tensor."""
    if not isinstance(args[0], (Tensor, Layer)):
        raise TypeError(
            f"the operator {primitive.name} is for tensors, not for "
            f"{type(args[0]).__name__}"
        )
    return known(primitive, args, params)


def operator(function: Operator) -> Operator:
    """Return the operator that is a primitive of two tensors."""
    primitive: Primitive = function.primitive  # type: ignore[attr-defined]
    quick = binary if primitive.differentiable else predicate
    return quick(primitive, operate)


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


def into(function: Operator) -> Operator:
    """Return the operator that writes into its first operand."""
    primitive: Primitive = function.primitive  # type: ignore[attr-defined]
    return writing(primitive, inplace(function))


iadd, isub, imul, idiv = into(E.add), into(E.sub), into(E.mul), into(E.div)
install(iadd=iadd, isub=isub, imul=imul, itruediv=idiv, idiv=idiv)


def method(quick: Operator, name: str) -> Operator:
    """Return an in-place method that is an operator unless it is given options."""
    complete: Operator = getattr(Tensor, name)

    @functools.wraps(complete)
    def call(input: Tensor, other: Any, **options: Any) -> Any:
        return complete(input, other, **options) if options else quick(input, other)

    return call


for _quick, *_names in (
    (iadd, "add_"),
    (isub, "sub_", "subtract_"),
    (imul, "mul_", "multiply_"),
    (idiv, "div_", "divide_", "true_divide_"),
):
    for _name in _names:
        setattr(Tensor, _name, method(_quick, _name))

IN_PLACE = {
    "ifloordiv": "floor_divide_",
    "imod": "remainder_",
    "ipow": "pow_",
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
