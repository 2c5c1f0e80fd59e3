"""Algebra that holds for every value, NaN, infinities and signed zeros included.

So ``x * 0`` stays (it is NaN for an infinite ``x``), and ``x + 0`` stays for floats
(it turns -0 into 0) while ``x - 0`` and ``x + -0`` go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.compiler.graph import Graph, Node

from .rewrite import rewrite

Operands = tuple[Node, ...]
Rule = Callable[[Graph, Node, Operands], Node | None]


def simplify(graph: Graph) -> Graph:
    """The graph with neutral operations removed and chains of views composed."""

    def replace(new: Graph, node: Node, operands: Operands) -> Node | None:
        return _RULES[node.op](new, node, operands)

    return rewrite(graph, replace, _RULES)


def uniform(node: Node) -> Any:
    """The one value of all of ``node``'s elements, if it is a constant; else None."""
    while node.op in ("expand", "reshape", "permute", "slice"):
        (node,) = node.inputs
    if node.op == "constant" and node.params["value"].size == 1:
        return node.params["value"].reshape(())[()]
    return None


def _is(node: Node, value: float) -> bool:
    """Whether every element of ``node`` is ``value``, with the same sign of zero."""
    found = uniform(node)
    if found is None or found != value:
        return False
    return (
        bool(np.signbit(found) == np.signbit(value)) if node.dtype.kind == "f" else True
    )


def _add(new: Graph, node: Node, operands: Operands) -> Node | None:
    zero = -0.0 if node.dtype.kind == "f" else 0
    for x, other in (operands, operands[::-1]):
        if _is(other, zero):
            return x
        if other.op == "neg":
            return new.add("sub", [x, other.inputs[0]])
    return _added_where_both_are(new, node, *operands)


def _added_where_both_are(new: Graph, node: Node, x: Node, y: Node) -> Node | None:
    """The sum of what one mask lets through twice, as gradients of parts are."""
    if x.op != "where" or y.op != "where" or x.inputs[0] is not y.inputs[0]:
        return None
    (mask, x, x_else), (_, y, y_else) = x.inputs, y.inputs
    if not (_is(x_else, 0.0) and _is(y_else, 0.0)):
        return None
    return new.add("where", [mask, new.add("add", [x, y]), x_else])


def _negated(new: Graph, node: Node) -> Node | None:
    """What a node is the negative of, if there is less to compute."""
    if node.op == "neg":
        return node.inputs[0]
    if node.op == "expand" and node.inputs[0].op == "neg":
        return new.expand(node.inputs[0].inputs[0], node.shape)
    value = uniform(node)
    if value is None or node.dtype.kind != "f":
        return None
    return new.expand(new.constant(-value, node.dtype), node.shape)


def _sub(new: Graph, node: Node, operands: Operands) -> Node | None:
    x, y = operands
    if _is(y, 0.0 if node.dtype.kind == "f" else 0):
        return x
    return new.add("add", [x, y.inputs[0]]) if y.op == "neg" else None


def _mul(new: Graph, node: Node, operands: Operands) -> Node | None:
    for x, other in (operands, operands[::-1]):
        if _is(other, 1):
            return x
        if node.dtype.kind == "f" and _is(other, -1):
            return x.inputs[0] if x.op == "neg" else new.add("neg", [x])
        if x.op == "neg":
            negative = _negated(new, other)
            if negative is not None:
                return new.add("mul", [x.inputs[0], negative])
        if x.op == "mul" and node.dtype.kind == "f":
            for inner, factor in (x.inputs, x.inputs[::-1]):
                both = _exact_product(factor, other)
                if both is not None:
                    constant = new.constant(both, node.dtype)
                    return new.add("mul", [inner, new.expand(constant, node.shape)])
    return None


def _exact_product(first: Node, second: Node) -> Any:
    """The factor that gives what two do one after the other, for every value.

    The first is a power of two, so that it rounds nothing; the second is no fraction,
    so that it does not bring back what overflows by the first.
    """
    p, c = uniform(first), uniform(second)
    if p is None or c is None or np.frexp(abs(p))[0] != 0.5:
        return None
    with np.errstate(over="ignore"):
        both = p * c
    return both if abs(p) >= 1 and abs(c) >= 1 and np.isfinite(both) else None


def _div(new: Graph, node: Node, operands: Operands) -> Node | None:
    x, y = operands
    if _is(y, 1):
        return x
    divisor = uniform(y)
    if divisor is not None and node.dtype.kind == "f" and _inverse_is_exact(divisor):
        return new.add("mul", [x, divisor.dtype.type(1) / divisor])
    return None


def _inverse_is_exact(divisor: Any) -> bool:
    mantissa, exponent = np.frexp(divisor)
    return bool(abs(mantissa) == 0.5 and abs(exponent) < 100)


def _neg(new: Graph, node: Node, operands: Operands) -> Node | None:
    (x,) = operands
    if x.op == node.op:
        return x.inputs[0]
    if x.op == "mul":
        for factor, other in (x.inputs, x.inputs[::-1]):
            if uniform(other) is not None and other.dtype.kind == "f":
                negative = _negated(new, other)
                assert negative is not None
                return new.add("mul", [factor, negative])
    return None


def _not(_: Graph, node: Node, operands: Operands) -> Node | None:
    (x,) = operands
    return x.inputs[0] if x.op == node.op else None


def _pow(new: Graph, node: Node, operands: Operands) -> Node | None:
    x, exponent = operands
    if node.dtype.kind != "f":
        return None
    if _is(exponent, 1):
        return x
    if _is(exponent, 2):
        return new.add("mul", [x, x])
    if _is(exponent, 3):
        return new.add("mul", [new.add("mul", [x, x]), x])
    if _is(exponent, -1):
        return new.add("reciprocal", [x])
    return None


def _where(_: Graph, __: Node, operands: Operands) -> Node | None:
    condition, x, y = operands
    if x is y:
        return x
    chosen = uniform(condition)
    return None if chosen is None else (x if chosen else y)


def _cast(_: Graph, node: Node, operands: Operands) -> Node | None:
    return operands[0] if operands[0].dtype == node.dtype else None


def _expand(new: Graph, node: Node, operands: Operands) -> Node | None:
    (x,) = operands
    if x.shape == node.shape:
        return x
    return new.expand(x.inputs[0], node.shape) if x.op == "expand" else None


def _reshape(new: Graph, node: Node, operands: Operands) -> Node | None:
    (x,) = operands
    if x.op == "reshape":
        (x,) = x.inputs
    if x.op == "expand" and x.inputs[0].size == 1:
        return new.expand(new.reshape(x.inputs[0], ()), node.shape)
    return new.reshape(x, node.shape)


def _permute(new: Graph, node: Node, operands: Operands) -> Node | None:
    (x,), dims = operands, node.params["dims"]
    if x.op == "permute":
        dims = tuple(x.params["dims"][d] for d in dims)
        (x,) = x.inputs
    return x if dims == tuple(range(len(dims))) else new.permute(x, dims)


def _slice(new: Graph, node: Node, operands: Operands) -> Node | None:
    (x,), p = operands, node.params
    whole = all(s == 0 for s in p["starts"]) and all(s == 1 for s in p["steps"])
    if whole and x.shape == node.shape:
        return x
    if x.op != "slice":
        return None
    q = x.params
    both = list(zip(p["starts"], p["steps"], q["starts"], q["steps"], strict=True))
    return new.add(
        "slice",
        x.inputs,
        starts=tuple(q0 + p0 * q1 for p0, _, q0, q1 in both),
        steps=tuple(p1 * q1 for _, p1, _, q1 in both),
        shape=node.shape,
    )


def _reduction(new: Graph, node: Node, operands: Operands) -> Node | None:
    (x,) = operands
    if all(x.shape[d] == 1 for d in node.params["dims"]):
        return new.reshape(x, node.shape)
    return None


_RULES: dict[str, Rule] = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    "neg": _neg,
    "logical_not": _not,
    "pow": _pow,
    "where": _where,
    "cast": _cast,
    "expand": _expand,
    "reshape": _reshape,
    "permute": _permute,
    "slice": _slice,
    "sum": _reduction,
    "prod": _reduction,
    "amax": _reduction,
    "amin": _reduction,
}
