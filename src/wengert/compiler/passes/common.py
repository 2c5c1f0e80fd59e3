"""Common subexpressions: the same op on the same operands is computed once."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from wengert.compiler.graph import Graph, Node

from .rewrite import rewrite


def share_common(graph: Graph) -> Graph:
    """The graph with equal nodes merged; inputs and calls stay apart."""
    seen: dict[Hashable, Node] = {}

    def replace(new: Graph, node: Node, operands: tuple[Node, ...]) -> Node | None:
        if node.op in ("input", "scalar", "call"):
            return None
        if node.info.commutes:
            operands = tuple(sorted(operands, key=lambda n: n.number))
        params = tuple((k, _hashable(v)) for k, v in sorted(node.params.items()))
        key = (node.op, operands, params, node.dtype)
        if key not in seen:
            seen[key] = new.copy_node(node, operands)
        return seen[key]

    return rewrite(graph, replace)


def _hashable(value: Any) -> Hashable:
    """Arrays by their bits, so that 0.0 and -0.0 (and NaNs) stay apart."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    hashable: Hashable = value
    return hashable
