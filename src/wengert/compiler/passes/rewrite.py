"""The loop that passes share: copy a graph node by node, replacing some."""

from __future__ import annotations

from collections.abc import Callable, Container

from wengert.compiler.graph import Graph, Node

Replace = Callable[[Graph, Node, tuple[Node, ...]], Node | None]


def rewrite(graph: Graph, replace: Replace, ops: Container[str] | None = None) -> Graph:
    """Copy ``graph``; ``replace(new_graph, node, operands)`` may return a stand-in.

    ``operands`` are the node's operands in the new graph. Returning None copies the
    node. Inputs keep their order, whether used or not. Where only certain ``ops`` are
    replaced, and the graph has none of them, it is returned itself.
    """
    if ops is not None and not any(node.op in ops for node in graph.nodes):
        return graph
    result = Graph()
    new: dict[Node, Node] = {}
    for node in graph.nodes:
        operands = tuple([new[operand] for operand in node.inputs])
        result.source = node.source
        asked = ops is None or node.op in ops
        stand_in = replace(result, node, operands) if asked else None
        new[node] = stand_in or result.copy_node(node, operands)
    result.source = None
    result.outputs = [new[node] for node in graph.outputs]
    result.writes = [(new[target], new[value]) for target, value in graph.writes]
    return result
