"""Ops that work element by element."""

from __future__ import annotations

from typing import Any

from ..primitives import elementwise as E, selection as S
from ..tensor import Tensor
from .public import op, publish

publish(E.exp, ("exp",), inplace=True)
publish(E.log, ("log",), inplace=True)
publish(E.sqrt, ("sqrt",), inplace=True)
publish(E.tanh, ("tanh",), inplace=True)
publish(E.sigmoid, ("sigmoid",), inplace=True)
publish(E.neg, ("neg", "negative"), inplace=True)
publish(E.sign, ("sign",), inplace=True)
publish(E.sgn, ("sgn",), inplace=True)
publish(E.abs, ("abs", "absolute"), inplace=True)
publish(E.reciprocal, ("reciprocal",), inplace=True)
publish(E.mul, ("mul", "multiply"), inplace=True)
for name in ("eq", "ne", "lt", "le", "gt", "ge"):
    publish(getattr(S, name), (name,), inplace=True)
publish(S.logical_not, ("logical_not",), inplace=True)
publish(S.maximum, ("maximum",))
publish(S.minimum, ("minimum",))


@op("subtract", inplace=True)
def sub(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    return E.sub(input, other if alpha == 1 else E.mul(other, alpha))


@op(inplace=True)
def add(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    return E.add(input, other if alpha == 1 else E.mul(other, alpha))


@op("true_divide", "divide", inplace=True)
def div(input: Tensor, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    if rounding_mode is not None:
        raise NotImplementedError
    return E.div(input, other)


@op(inplace=True)
def pow(input: Any, exponent: Any) -> Tensor:
    if not isinstance(exponent, Tensor):
        return E.pow_number(input, exponent)
    return (E.pow if isinstance(input, Tensor) else E.number_pow)(input, exponent)


@op("clip", inplace=True)
def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    return S.clamp_numbers(input, min, max)


@op()
def where(condition: Tensor, input: Any = None, other: Any = None) -> Tensor:
    return S.where(condition, input, other)


Tensor.where = lambda input, condition, other: where(condition, input, other)
Tensor.conjugate = lambda input: input if input._data.dtype.kind != "c" else E.conj(input)

Tensor.__add__ = Tensor.__radd__ = E.add
Tensor.__sub__ = E.sub
Tensor.__rsub__ = E.rsub
Tensor.__mul__ = Tensor.__rmul__ = E.mul
Tensor.__truediv__ = E.div
Tensor.__rtruediv__ = lambda input, other: E.mul(E.reciprocal(input), other)
Tensor.__neg__ = E.neg
Tensor.__pow__ = pow
Tensor.__rpow__ = lambda input, other: E.number_pow(other, input)
Tensor.__abs__ = E.abs
Tensor.__eq__ = S.eq
Tensor.__ne__ = S.ne
Tensor.__lt__ = S.lt
Tensor.__le__ = S.le
Tensor.__gt__ = S.gt
Tensor.__ge__ = S.ge
Tensor.__iadd__ = Tensor.add_
Tensor.__isub__ = Tensor.sub_
Tensor.__imul__ = Tensor.mul_
Tensor.__itruediv__ = Tensor.div_
Tensor.__ipow__ = Tensor.pow_
Tensor.__invert__ = S.logical_not
Tensor.__and__ = lambda a, b: E.logical_and_bits(a, b)
Tensor.__or__ = lambda a, b: E.logical_or_bits(a, b)
