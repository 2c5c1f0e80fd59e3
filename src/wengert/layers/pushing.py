"""Pushing tangents forward: what `Dual` does with each primitive.

How the tangents of an op's results follow from those of its inputs is worked out once
for each primitive, from its declaration: a jvp rule, or a rule for each input; or the
class of the op; or its vjp rule, transposed once more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import engine, errors
from ..primitive import GRAD, GRADS, INPUT, NEEDS, RESULT, Primitive, Rule
from ..primitives.copying import ones_like, zeros_like
from ..primitives.fitting import fit, fit_one
from ..recording import attribute_of, numpy_dtype
from ..tensor import history, is_differentiable
from .level import Level, belongs, leaf_on_level

Values = Sequence[Any]
Push = Callable[[Values, Values, Values, dict[str, Any]], Values]
"""Takes primals, tangents (None where there is none), results and parameters; returns
the tangents of the results, None for those without one."""


def CONSTANT(*args: Any) -> Any:
    """The push of an op without derivative: its results are constants."""
    raise NotImplementedError


def DECOMPOSED(*args: Any) -> Any:
    """The push of an op that is to be decomposed."""
    raise NotImplementedError


pushes: dict[Primitive, Push] = {}
"""The push of each primitive that has been called."""


def push_of(primitive: Primitive) -> Push:
    """Return how tangents go through a primitive."""
    made = pushes[primitive] = made_push(primitive)
    return made


def made_push(primitive: Primitive) -> Push:
    if not primitive.differentiable:
        return CONSTANT
    if primitive.jvp is not None:
        return by_rule(primitive)
    if primitive.jvps:
        return by_terms([of_input(primitive, name) for name in primitive.inputs])
    if primitive.kind in ("linear", "view"):
        return by_itself(primitive)
    if primitive.kind == "bilinear":
        return by_terms([replacing(primitive, i) for i in range(2)])
    if primitive.kind == "elementwise":
        count = range(len(primitive.inputs))
        return by_terms([diagonal(primitive, i) for i in count])
    if primitive.decomposition is not None and primitive.kind == "fused":
        return DECOMPOSED
    if primitive.kind == "reduction" and not primitive.several:
        return by_gradient(primitive)
    return transposing(primitive)


# --- from a rule ----------------------------------------------------------------------

Fetch = Callable[[Values, Values, dict[str, Any]], Any]
"""Gets a value that a rule names out of primals, results and parameters."""


def fetching(primitive: Primitive, kind: int, name: str) -> Fetch:
    """Return what gets a value other than a gradient or a tangent for a rule."""
    bare = [item.lstrip("*") for item in primitive.inputs]
    if kind == INPUT:
        position = bare.index(name)
        if primitive.variadic and position == len(bare) - 1:
            return lambda primals, outputs, params: tuple(primals[position:])
        return lambda primals, outputs, params: primals[position]
    if kind == RESULT:
        place = primitive.outputs.index(name)
        return lambda primals, outputs, params: outputs[place]
    what, _, attribute = name.rpartition("_")

    def fetch(primals: Values, outputs: Values, params: dict[str, Any]) -> Any:
        if name in params:
            return params[name]
        return attribute_of(primitive, primals, what, attribute)

    return fetch


def rule_for(primitive: Primitive, function: Callable[..., Any]) -> Rule:
    """Return a jvp rule with what its parameters' names mean."""
    bare = tuple([name.lstrip("*") for name in primitive.inputs])
    return Rule(function, bare, primitive.outputs)


def by_rule(primitive: Primitive) -> Push:
    """Return the push of a jvp rule for all inputs: zeros stand for no tangent."""
    assert primitive.jvp is not None
    bare = [name.lstrip("*") for name in primitive.inputs]
    steps: list[tuple[int, Any]] = []
    for kind, name in rule_for(primitive, primitive.jvp).plan:
        if name.endswith("_t") and name[:-2] in bare:
            steps.append((bare.index(name[:-2]), None))
        else:
            steps.append((-1, fetching(primitive, kind, name)))
    last = len(bare) - 1 if primitive.variadic else -1
    function = primitive.jvp

    def push(
        primals: Values, tangents: Values, outputs: Values, params: dict[str, Any]
    ) -> Values:
        given: list[Any] = []
        for position, fetch in steps:
            if fetch is not None:
                given.append(fetch(primals, outputs, params))
            elif position == last:
                given.append(tuple(filled(primals[position:], tangents[position:])))
            else:
                tangent = tangents[position]
                given.append(
                    zero_for(primals[position]) if tangent is None else tangent
                )
        found = function(*given)
        return found if isinstance(found, tuple | list) else (found,)

    return push


def filled(primals: Values, tangents: Values) -> list[Any]:
    """Return the tangents with zeros where there is none."""
    return [
        zero_for(primal) if tangent is None else tangent
        for primal, tangent in zip(primals, tangents, strict=True)
    ]


def zero_for(primal: Any) -> Any:
    """Return the tangent of a constant."""
    return zeros_like(primal) if hasattr(primal, "shape") else None


# --- a sum of what each tangent contributes -------------------------------------------

Term = Callable[[Any, Values, Values, dict[str, Any]], Any]
"""Takes a tangent, primals, results and parameters; returns a part of the result's."""


def by_terms(terms: Sequence[Term | None]) -> Push:
    """Return the push of an op with one result: each tangent adds a term."""

    def push(
        primals: Values, tangents: Values, outputs: Values, params: dict[str, Any]
    ) -> Values:
        total = None
        for term, tangent in zip(terms, tangents, strict=True):
            if tangent is not None and term is not None:
                part = term(tangent, primals, outputs, params)
                total = part if total is None else total + part
        return (total,)

    return push


def of_input(primitive: Primitive, name: str) -> Term | None:
    """Return the term of an input that has a jvp rule of its own."""
    function = primitive.jvps.get(name)
    if function is None:
        return None
    fetches = [
        None if given == f"{name}_t" else fetching(primitive, kind, given)
        for kind, given in rule_for(primitive, function).plan
    ]

    def term(tangent: Any, primals: Values, outputs: Values, params: Any) -> Any:
        return function(
            *[tangent if f is None else f(primals, outputs, params) for f in fetches]
        )

    return term


def replacing(primitive: Primitive, index: int) -> Term:
    """Return the term of an input in which the op is linear: the op of the tangent."""

    def term(tangent: Any, primals: Values, outputs: Values, params: Any) -> Any:
        given = list(primals)
        given[index] = tangent
        return primitive.call(*given, **params)

    return term


def diagonal(primitive: Primitive, index: int) -> Term | None:
    """Return the term of an input of an elementwise op.

    Its Jacobian is diagonal, so that the transpose differs from it just by conjugation.
    """
    rule = primitive.rules.get(primitive.inputs[index])
    if rule is None:
        return None
    fetches = [
        None if kind == GRAD else fetching(primitive, kind, name)
        for kind, name in rule.plan
    ]
    function = rule.function

    def term(tangent: Any, primals: Values, outputs: Values, params: Any) -> Any:
        is_complex = numpy_dtype(tangent).kind == "c"
        if is_complex:
            tangent = tangent.conj()
        elif fetches and tangent._data.shape != outputs[0]._data.shape:
            tangent = tangent.expand(tuple(outputs[0].shape))
        found = function(
            *[tangent if f is None else f(primals, outputs, params) for f in fetches]
        )
        return found.conj() if is_complex else found

    return term


def by_itself(primitive: Primitive) -> Push:
    """Return the push of a linear op: the op on the tangent."""
    variadic, call = primitive.variadic, primitive.call

    def push(
        primals: Values, tangents: Values, outputs: Values, params: dict[str, Any]
    ) -> Values:
        if variadic:
            found = call(*filled(primals, tangents), **params)
        else:
            found = call(tangents[0], *primals[1:], **params)
        return found if isinstance(found, tuple | list) else (found,)

    return push


def by_gradient(primitive: Primitive) -> Push:
    """Return the push of a reduction: the products with its gradient, summed up.

    Each result depends on the elements of its slice alone, and those on no other.
    """
    (rule,) = primitive.rules.values()
    fetches = [
        None if kind == GRAD else fetching(primitive, kind, name)
        for kind, name in rule.plan
    ]

    def push(
        primals: Values, tangents: Values, outputs: Values, params: dict[str, Any]
    ) -> Values:
        ones = ones_like(outputs[0])
        gradient = rule.function(
            *[ones if f is None else f(primals, outputs, params) for f in fetches]
        )
        if gradient is None:
            return [None] * len(outputs)
        found = gradient.conj() * tangents[0]
        if primals[0].ndim:
            dim = params.get("dim")
            dims = tuple(range(primals[0].ndim)) if dim is None else dim
            found = found.sum(dims, keepdim=params.get("keepdim", False))
        if numpy_dtype(outputs[0]).kind != "c" and numpy_dtype(found).kind == "c":
            found = found.real
        return (found, *[None] * (len(outputs) - 1))

    return push


# --- transposing once more ------------------------------------------------------------


def transposing(primitive: Primitive) -> Push:
    """Return the push of an op that has nothing but a vjp rule.

    The cotangents of the inputs are a linear function of those u of the outputs; the
    gradient of their product with the tangents, by u, is the jvp.
    """

    def push(
        primals: Values, tangents: Values, outputs: Values, params: dict[str, Any]
    ) -> Values:
        needs = [tangent is not None for tangent in tangents]
        with Level(grad=True) as level:
            u = [
                leaf_on_level(level, zeros_like(out))
                if is_differentiable(out.dtype)
                else None
                for out in outputs
            ]
            pulled = cotangents(primitive, u, needs, primals, outputs, params)
            seeds: dict[engine.Node, Any] = {}
            for cotangent, tangent in zip(pulled, tangents, strict=True):
                if cotangent is None or tangent is None:
                    continue
                node = history(cotangent) if belongs(cotangent, level) else None
                if node is None:
                    raise errors.no_rule(primitive.name, "forward mode")
                seeds[node] = seeds[node] + tangent if node in seeds else tangent
            captured = {leaf._node: None for leaf in u if leaf is not None}
            pull(seeds, captured)
        return [None if leaf is None else captured[leaf._node] for leaf in u]

    return push


def cotangents(
    primitive: Primitive,
    grads: Values,
    needs: Sequence[bool],
    primals: Values,
    outputs: Values,
    params: dict[str, Any],
) -> list[Any]:
    """Return the inputs' cotangents, fitted to them, None where not needed."""

    def call(rule: Rule) -> Any:
        values: list[Any] = []
        for kind, name in rule.plan:
            if kind == GRAD:
                values.append(grads[0])
            elif kind == GRADS:
                values.append(list(grads))
            elif kind == NEEDS:
                values.append(list(needs))
            else:
                fetch = fetching(primitive, kind, name)
                values.append(fetch(primals, outputs, params))
        return rule.function(*values)

    if primitive.whole is not None or primitive.variadic:
        found = list(call(primitive.whole or next(iter(primitive.rules.values()))))
    else:
        rules = [primitive.rules.get(name) for name in primitive.inputs]
        found = [
            call(rule) if rule is not None and need else None
            for rule, need in zip(rules, needs, strict=True)
        ]
    return [
        None
        if cotangent is None or not need
        else fit_one(cotangent, tuple(primal.shape), numpy_dtype(primal))
        for cotangent, primal, need in zip(found, primals, needs, strict=True)
    ]


def pull(
    seeds: dict[engine.Node, Any], captured: dict[Any, Any], keep: bool = True
) -> None:
    """Run the engine for a transformation: nothing but `captured` changes."""
    engine.run(seeds, keep_graph=keep, captured=captured, fit=fit)
