"""Forward mode: arrays that carry a tangent.

An op on duals is the op on their primals, and for the tangent the op's derivative
applied to theirs, see `pushing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from numpy import ndarray

from .. import modes
from ..primitive import Primitive
from ..primitives.copying import copy, zeros_like
from ..recording import numpy_dtype
from ..tensor import Tensor, forward_levels, is_differentiable
from .level import Shared, active, belongs, decomposed, is_recorded, lowered
from .pushing import CONSTANT, DECOMPOSED, push_of, pushes


class Dual(Shared):
    """A primal and its tangent, which has the same shape and dtype."""

    __slots__ = ()

    def __init__(self, primal: Any, tangent: Any, level: int) -> None:
        self.held = (primal, tangent)
        self.level = level
        self.base = None
        data = primal._data
        self.shape = data.shape
        self.numpy_dtype = data.dtype if type(data) is ndarray else numpy_dtype(data)

    @property
    def primal(self) -> Any:
        return self.parts[0]

    @property
    def tangent(self) -> Any:
        return self.parts[1]

    def __repr__(self) -> str:
        return f"Dual({self.primal!r}, tangent={self.tangent!r})"

    def write(self, values: Any) -> None:
        """Take over other values, primal and tangent: see Note [Views on layers]."""
        primal, tangent = values, None
        if belongs(values, self.level):
            primal, tangent = values.parts
        if not modes.local.forward:
            tangent = self.tangent
        elif tangent is None:
            tangent = zeros_like(self.primal)
        tangent = fit_tangent(tangent, self.primal)
        own = self.level in forward_levels  # whose records are the primals'
        if not own and (is_recorded(self.primal) or is_recorded(self.tangent)):
            self.take(copy(self.primal, primal), tangent)
        else:
            self.primal.copy_(primal)
            self.take_tangent(tangent)

    def take_tangent(self, tangent: Any) -> None:
        """Have another tangent, and the primal as it is."""
        if self.base is None:
            self.held = (self.held[0], tangent)
            return
        base: Any = self.base
        whole = base.tangent.clone()
        self.step(whole).copy_(tangent)
        base.take_tangent(whole)

    def values_of(self, what: str) -> Any:
        """Return the array whose values are this one's."""
        return self.primal

    def detached(self) -> Any:
        """Return a tensor of these values without derivatives."""
        return self.primal.detach()

    def constant(self, value: Tensor) -> Dual:
        """Return a value of a lower level as one of this."""
        return Dual(value, zeros_like(value), self.level)

    @classmethod
    def process(
        cls,
        primitive: Primitive,
        level: int,
        args: Sequence[Any],
        params: dict[str, Any],
    ) -> Any:
        push = pushes.get(primitive) or push_of(primitive)
        if push is DECOMPOSED:
            return decomposed(primitive, level, args, params)
        primals: list[Any] = []
        tangents: list[Any] = []
        for arg in args:
            primal, tangent = arg, None
            if type(arg) is Dual and arg.level == level:
                primal, tangent = arg.held if arg.base is None else arg.parts
            primals.append(primal)
            tangents.append(tangent)
        results = primitive.call(*primals, **params)
        if push is CONSTANT or level not in active or not modes.local.forward:
            return results
        if type(results) is Tensor:
            (tangent,) = push(primals, tangents, (results,), params)
            if tangent is None or not is_differentiable(numpy_dtype(results)):
                return results
            dual = Dual(results, fit_tangent(tangent, results), level)
            if primitive.kind == "view":
                dual.follow(args[0], partial(primitive.call, **params))
            return dual
        pushed = push(primals, tangents, results, params)
        made = tuple(
            [
                out
                if tangent is None or not is_differentiable(out.dtype)
                else Dual(out, fit_tangent(tangent, out), level)
                for out, tangent in zip(results, pushed, strict=True)
            ]
        )
        if primitive.kind == "view":
            follow_base(primitive, made, args[0], params)
        return made


def follow_base(
    primitive: Primitive, views: Sequence[Any], base: Dual, params: dict[str, Any]
) -> None:
    """Let the several results of a view op be views of its argument."""

    def step(whole: Any, index: int) -> Any:
        return primitive.call(whole, **params)[index]

    for index, view in enumerate(views):
        view.follow(base, partial(step, index=index))


def fit_tangent(tangent: Any, result: Any) -> Any:
    """Bring a tangent to the shape and dtype of the result it belongs to."""
    if tangent._data.shape != result._data.shape:
        tangent = tangent.expand(tuple(result.shape))
    if numpy_dtype(tangent) != numpy_dtype(result):
        tangent = tangent.to(result.dtype)
    return tangent


def primal_of(value: Any, level: int) -> Any:
    """Return the primal of a tensor of this level, others as they are."""
    inner = lowered(value, level)
    return inner.primal if isinstance(inner, Dual) and inner.level == level else inner


def tangent_of(value: Any, level: int) -> Any:
    """Return the tangent of a tensor of this level, or None."""
    if not isinstance(value, Tensor) or not belongs(value, level):
        return None
    inner = value._data
    return inner.tangent if isinstance(inner, Dual) and inner.level == level else None
