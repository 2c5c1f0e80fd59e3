"""Forward mode: arrays that carry a tangent.

An op on duals is the op on their primals, and for the tangent the op's derivative
applied to theirs: the jvp rule if there is one, else what follows from the class of
the op, else the vjp rule transposed once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from .. import engine, errors
from ..dispatch import attribute_of, numpy_dtype
from ..primitive import GRAD, GRADS, INPUT, NEEDS, RESULT, Primitive, Rule
from ..primitives.copying import copy, zeros_like
from ..primitives.fitting import fit, fit_one
from ..tensor import Tensor, history, is_differentiable
from .level import (
    Level,
    Shared,
    active,
    belongs,
    is_recorded,
    leaf_on_level,
    lowered,
)


class Dual(Shared):
    """A primal and its tangent, which has the same shape and dtype."""

    __slots__ = ()

    def __init__(self, primal: Any, tangent: Any, level: int) -> None:
        super().__init__((primal, tangent), level)

    @property
    def primal(self) -> Any:
        return self.parts[0]

    @property
    def tangent(self) -> Any:
        return self.parts[1]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.primal.shape)

    @property
    def ndim(self) -> int:
        return len(self.primal.shape)

    @property
    def dtype(self) -> Any:
        return self.primal.dtype

    def __repr__(self) -> str:
        return f"Dual({self.primal!r}, tangent={self.tangent!r})"

    def write(self, values: Any) -> None:
        """Take over other values, primal and tangent: see Note [Views on layers]."""
        primal, tangent = values, None
        if belongs(values, self.level):
            primal, tangent = values.parts
        if tangent is None:
            tangent = zeros_like(self.primal)
        if is_recorded(self.primal) or is_recorded(self.tangent):
            self.take(copy(self.primal, primal), fit_tangent(tangent, self.primal))
        else:
            self.primal.copy_(primal)
            self.take(self.primal, fit_tangent(tangent, self.primal))

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
        duals = [isinstance(arg, Dual) and arg.level == level for arg in args]
        has_rule = primitive.jvp or primitive.kind != "fused"
        if primitive.differentiable and primitive.decomposition and not has_rule:
            return primitive.decomposition(*args, **params)
        pairs = list(zip(args, duals, strict=True))
        primals = [arg.primal if dual else arg for arg, dual in pairs]
        results = primitive.call(*primals, **params)
        if not primitive.differentiable:
            return results
        several = isinstance(results, tuple)
        outputs = results if several else (results,)
        if level not in active:
            return results
        tangents = [arg.tangent if dual else None for arg, dual in pairs]
        pushed = push_forward(primitive, primals, tangents, outputs, params)
        made = tuple(
            [
                out
                if tangent is None or not is_differentiable(out.dtype)
                else Dual(out, fit_tangent(tangent, out), level)
                for out, tangent in zip(outputs, pushed, strict=True)
            ]
        )
        if primitive.kind == "view":
            follow_base(primitive, made, args[0], params, several)
        return made if several else made[0]


def follow_base(
    primitive: Primitive,
    views: Sequence[Any],
    base: Dual,
    params: dict[str, Any],
    several: bool,
) -> None:
    """Let the results of a view op be views of its argument."""

    def step(whole: Any, index: int) -> Any:
        made = primitive.call(whole, **params)
        return made[index] if several else made

    for index, view in enumerate(views):
        view.follow(base, partial(step, index=index))


def fit_tangent(tangent: Any, result: Any) -> Any:
    """Bring a tangent to the shape and dtype of the result it belongs to."""
    if tuple(tangent.shape) != tuple(result.shape):
        tangent = tangent.expand(tuple(result.shape))
    if numpy_dtype(tangent) != numpy_dtype(result):
        tangent = tangent.to(result.dtype)
    return tangent


def push_forward(
    primitive: Primitive,
    primals: Sequence[Any],
    tangents: Sequence[Any],
    outputs: Sequence[Any],
    params: dict[str, Any],
) -> Sequence[Any]:
    """Return the tangents of a primitive's results, None for those without one."""
    call = Application(primitive, primals, outputs, params)
    if primitive.jvp is not None:
        found = call.jvp(tangents)
    elif primitive.kind in ("linear", "view"):
        filled = call.filled(tangents) if primitive.variadic else tangents
        count = len(primals) if primitive.variadic else 1
        found = primitive.call(*filled[:count], *primals[count:], **params)
    elif primitive.kind == "bilinear":
        found = total(
            [
                primitive.call(*primals[:i], tangent, *primals[i + 1 :], **params)
                for i, tangent in enumerate(tangents)
                if tangent is not None
            ]
        )
    elif primitive.kind == "elementwise":
        found = total(
            [
                call.diagonal(i, tangent)
                for i, tangent in enumerate(tangents)
                if tangent is not None
            ]
        )
    else:
        return call.transposed(tangents)
    return found if isinstance(found, tuple | list) else (found,)


def total(terms: list[Any]) -> Any:
    """Return the sum of the terms that there are, or None."""
    terms = [term for term in terms if term is not None]
    if not terms:
        return None
    result = terms[0]
    for term in terms[1:]:
        result = result + term
    return result


class Application:
    """A primitive applied to inputs, with what its rules may ask for."""

    def __init__(
        self,
        primitive: Primitive,
        primals: Sequence[Any],
        outputs: Sequence[Any],
        params: dict[str, Any],
    ) -> None:
        self.primitive = primitive
        self.primals = primals
        self.outputs = outputs
        self.params = params

    def value(self, kind: int, name: str) -> Any:
        """Return what a rule's parameter names, apart from gradients and tangents."""
        primitive = self.primitive
        if kind == INPUT:
            if primitive.variadic and name == primitive.inputs[-1][1:]:
                return tuple(self.primals[len(primitive.inputs) - 1 :])
            return self.primals[primitive.inputs.index(name)]
        if kind == RESULT:
            return self.outputs[primitive.outputs.index(name)]
        if name in self.params:
            return self.params[name]
        what, _, attribute = name.rpartition("_")
        return attribute_of(primitive, self.primals, what, attribute)

    def vjp(self, rule: Rule, grads: Sequence[Any], needs: Sequence[bool]) -> Any:
        """Call a vjp rule with gradients of the outputs."""
        values = []
        for kind, name in rule.plan:
            if kind == GRAD:
                values.append(grads[0])
            elif kind == GRADS:
                values.append(list(grads))
            elif kind == NEEDS:
                values.append(list(needs))
            else:
                values.append(self.value(kind, name))
        return rule.function(*values)

    def cotangents(self, grads: Sequence[Any], needs: Sequence[bool]) -> list[Any]:
        """Return the inputs' cotangents, fitted to them, None where not needed."""
        primitive = self.primitive
        if primitive.whole is not None or primitive.variadic:
            rule = primitive.whole or next(iter(primitive.rules.values()))
            found = list(self.vjp(rule, grads, needs))
        else:
            rules = [primitive.rules.get(name) for name in primitive.inputs]
            found = [
                self.vjp(rule, grads, needs) if rule is not None and need else None
                for rule, need in zip(rules, needs, strict=True)
            ]
        return [
            None
            if cotangent is None or not need
            else fit_one(cotangent, tuple(primal.shape), numpy_dtype(primal))
            for cotangent, primal, need in zip(found, self.primals, needs, strict=True)
        ]

    def filled(self, tangents: Sequence[Any]) -> list[Any]:
        """Return the tangents with zeros where there is none."""
        return [
            zeros_like(primal)
            if tangent is None and hasattr(primal, "shape")
            else tangent
            for tangent, primal in zip(tangents, self.primals, strict=True)
        ]

    def jvp(self, tangents: Sequence[Any]) -> Any:
        """Call the jvp rule."""
        primitive = self.primitive
        assert primitive.jvp is not None
        bare = tuple([name.lstrip("*") for name in primitive.inputs])
        rule = Rule(primitive.jvp, bare, primitive.outputs)
        filled = self.filled(tangents)
        values = []
        for kind, name in rule.plan:
            if name.endswith("_t") and name[:-2] in bare:
                position = bare.index(name[:-2])
                last = primitive.variadic and position == len(bare) - 1
                values.append(tuple(filled[position:]) if last else filled[position])
            else:
                values.append(self.value(kind, name))
        return rule.function(*values)

    def diagonal(self, index: int, tangent: Any) -> Any:
        """Return what one input's tangent contributes to an elementwise op's.

        The Jacobian of an elementwise op is diagonal, so that its transpose differs
        from it just by conjugation.
        """
        rule = self.primitive.rules.get(self.primitive.inputs[index])
        if rule is None:
            return None
        needs = [i == index for i in range(len(self.primals))]
        if not tangent.dtype.is_complex:
            wide = fit_tangent(tangent, self.outputs[0]) if rule.names else tangent
            return self.vjp(rule, (wide,), needs)
        return self.vjp(rule, (tangent.conj(),), needs).conj()

    def transposed(self, tangents: Sequence[Any]) -> Sequence[Any]:
        """Return the tangents of the outputs by transposing the vjp rule.

        The cotangents of the inputs are a linear function of those u of the outputs;
        the gradient of their product with the tangents, by u, is the jvp.
        """
        needs = [tangent is not None for tangent in tangents]
        with Level(grad=True) as level:
            u = [
                leaf_on_level(level, zeros_like(out))
                if is_differentiable(out.dtype)
                else None
                for out in self.outputs
            ]
            seeds: dict[engine.Node, Any] = {}
            for cotangent, tangent in zip(
                self.cotangents(u, needs), tangents, strict=True
            ):
                if cotangent is None or tangent is None:
                    continue
                node = history(cotangent) if belongs(cotangent, level) else None
                if node is None:
                    raise errors.no_rule(self.primitive.name, "forward mode")
                seeds[node] = seeds[node] + tangent if node in seeds else tangent
            captured = {leaf._node: None for leaf in u if leaf is not None}
            pull(seeds, captured)
        return [None if leaf is None else captured[leaf._node] for leaf in u]


def pull(seeds: dict[engine.Node, Any], captured: dict[Any, Any]) -> None:
    """Run the engine for a transformation: nothing but `captured` changes."""
    engine.run(seeds, keep_graph=True, captured=captured, fit=fit)


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
