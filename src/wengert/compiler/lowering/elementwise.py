"""Ops on each element by itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..symbol import Symbol, node_of
from .rules import RULES, graph_of, of_floats, op, rule

for _name in ("erf", "sigmoid", "rsqrt"):
    RULES[_name] = lambda x, name=_name: op(name, of_floats(x))


@rule("relu")
def _relu(x: Symbol) -> Symbol:
    return op("maximum", x, 0)


@rule("silu")
def _silu(x: Symbol) -> Symbol:
    return x * op("sigmoid", of_floats(x))


@rule("gelu")
def _gelu(x: Symbol) -> Symbol:
    return (op("erf", of_floats(x) * math.sqrt(0.5)) + 1) * 0.5 * x


@rule("gelu_backward")
def _gelu_backward(grad: Symbol, x: Symbol) -> Symbol:
    share = (op("erf", of_floats(x) * math.sqrt(0.5)) + 1) * 0.5
    return grad * (share + x * np.exp(x * x * -0.5) * math.sqrt(0.5 / math.pi))


def tanh_of_cubic(x: Symbol) -> Symbol:
    return np.tanh((of_floats(x) * x * 0.044715 + 1) * x * math.sqrt(2 / math.pi))


@rule("gelu_tanh")
def _gelu_tanh(x: Symbol) -> Symbol:
    return (tanh_of_cubic(x) + 1) * 0.5 * x


@rule("gelu_tanh_backward")
def _gelu_tanh_backward(grad: Symbol, x: Symbol) -> Symbol:
    t = tanh_of_cubic(x)
    slope = (x * x * (3 * 0.044715) + 1) * math.sqrt(2 / math.pi)
    return grad * ((t + 1) + x * (1 - t * t) * slope) * 0.5


@rule("softplus")
def _softplus(x: Symbol, *, beta: float, threshold: float) -> Symbol:
    scaled = of_floats(x) * beta
    soft = np.maximum(scaled, 0) + np.log1p(np.exp(-np.abs(scaled)))
    return op("where", scaled > threshold, x, soft / beta)


@rule("softplus_backward")
def _softplus_backward(
    grad: Symbol, x: Symbol, *, beta: float, threshold: float
) -> Symbol:
    scaled = of_floats(x) * beta
    return op("where", scaled > threshold, grad, grad * op("sigmoid", scaled))


@rule("mish")
def _mish(x: Symbol) -> Symbol:
    return x * np.tanh(_softplus(x, beta=1.0, threshold=20.0))


@rule("masked")
def _masked(x: Symbol, mask: Symbol) -> Symbol:
    return np.where(mask, x, 0)  # type: ignore[call-overload,no-any-return]


@rule("threshold_backward")
def _threshold_backward(grad: Symbol, result: Symbol) -> Symbol:
    return _masked(grad, result > 0)


@rule("where")
def _where(condition: Any, yes: Any, no: Any) -> Symbol:
    from ... import dtypes

    common = dtypes.result_dtype(yes, no)
    sides = [x.astype(common) if isinstance(x, Symbol) else x for x in (yes, no)]
    graph = graph_of(condition, yes, no)
    nodes = [
        node_of(graph, x, None if isinstance(x, Symbol) else common) for x in sides
    ]
    return Symbol(graph, graph.add("where", [node_of(graph, condition), *nodes]))


@rule("masked_fill_number")
def _masked_fill_number(x: Symbol, mask: Symbol, *, value: Any) -> Symbol:
    return op("where", mask, np.asarray(value, x.dtype).item(), x)
