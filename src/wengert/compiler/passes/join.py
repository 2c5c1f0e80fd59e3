"""Arrays joined one after another, as elements that choose where they come from."""

from __future__ import annotations

import numpy as np

from wengert.compiler.graph import Graph, Node

from .rewrite import rewrite

MOST_PARTS = 8
LARGEST = 1 << 17
"""Elements up to which a fused choice is quicker than copying in Python."""


def lower_cat(graph: Graph) -> Graph:
    """Turn the joining of a few small arrays into gathers along the dimension."""

    def replace(new: Graph, node: Node, parts: tuple[Node, ...]) -> Node | None:
        if len(parts) > MOST_PARTS or node.size > LARGEST:
            return None
        return joined(new, parts, node.params["dim"], node.shape)

    return rewrite(graph, replace, ("cat",))


def joined(
    graph: Graph, parts: tuple[Node, ...], dim: int, shape: tuple[int, ...]
) -> Node | None:
    """The join of parts; None if all are empty."""
    result: Node | None = None
    start = 0
    for part in parts:
        size = part.shape[dim]
        if size == 0:
            continue
        spread = stretched(graph, part, dim, np.arange(shape[dim]) - start)
        if result is not None:
            here = graph.iota(shape, dim)
            first = graph.add("lt", [here, start])
            spread = graph.add("where", [first, result, spread])
        result, start = spread, start + size
    return result


def stretched(graph: Graph, part: Node, dim: int, wanted: np.ndarray) -> Node:
    """The elements along a dimension that are nearest to the wanted places."""
    size = part.shape[dim]
    shape = (*part.shape[:dim], len(wanted), *part.shape[dim + 1 :])
    if size == 1:
        return graph.expand(part, shape)
    line = [1] * len(shape)
    line[dim] = len(wanted)
    nearest = graph.constant(np.clip(wanted, 0, size - 1).reshape(line))
    return graph.gather(part, dim, graph.expand(nearest, shape))
