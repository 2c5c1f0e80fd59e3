"""Constant folding: what depends on constants alone is computed now, if small."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.compiler.graph import Graph, Node

from .rewrite import rewrite

LARGEST = 64


def fold_constants(graph: Graph) -> Graph:
    """The graph with small constant subgraphs replaced by their values.

    ``expand`` of a constant stays: it is free in a kernel and says that every element
    is the same.
    """

    def replace(new: Graph, node: Node, operands: tuple[Node, ...]) -> Node | None:
        foldable = node.kind in ("elementwise", "view", "reduction", "other")
        if not foldable or node.op in ("expand", "call", "result"):
            return None
        values = [_constant_value(operand) for operand in operands]
        if node.size > LARGEST or any(value is None for value in values):
            return None
        with np.errstate(all="ignore"):
            result = node.info.run(*values, **node.params)
        return new.constant(np.asarray(result, dtype=node.dtype))

    return rewrite(graph, replace)


def _constant_value(node: Node) -> Any:
    if node.op == "constant":
        return node.params["value"]
    if node.op == "expand" and node.inputs[0].op == "constant" and node.size <= LARGEST:
        return np.broadcast_to(node.inputs[0].params["value"], node.shape)
    return None
