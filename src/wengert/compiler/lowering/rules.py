"""The table of rules, and what rules are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..graph import Graph
from ..symbol import Symbol, Untraceable

Rule = Callable[..., Any]
RULES: dict[str, Rule] = {}


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Enter a function of symbols as the rule of primitives."""

    def enter(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, function))
        return function

    return enter


def graph_of(*values: Any) -> Graph:
    return next(value.graph for value in values if isinstance(value, Symbol))


def op(name: str, *symbols: Any) -> Symbol:
    """Add an elementwise op on symbols of one dtype, and numbers."""
    graph = graph_of(*symbols)
    operands = [x.node if isinstance(x, Symbol) else x for x in symbols]
    return Symbol(graph, graph.add(name, operands))


def of_floats(x: Symbol) -> Symbol:
    if x.dtype.kind != "f":
        raise Untraceable(f"of {x.dtype}")
    return x
