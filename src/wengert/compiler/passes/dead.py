"""Dead code: keep what outputs and writes are computed from, and all inputs."""

from __future__ import annotations

from wengert.compiler.graph import Graph, Node


def drop_dead(graph: Graph) -> Graph:
    """The graph without nodes that no output or write depends on; itself, if it is so.

    A ``call`` is kept only for its results: a Python function run for its effect alone
    has to return something that the program uses.
    """
    live = set(graph.inputs) | set(graph.results())
    for node in reversed(graph.nodes):
        if node in live:
            live.update(node.inputs)
    if len(live) == len(graph.nodes):
        return graph
    result = Graph()
    new: dict[Node, Node] = {}
    for node in graph.nodes:
        if node in live:
            new[node] = result.copy_node(node, [new[x] for x in node.inputs])
    result.outputs = [new[node] for node in graph.outputs]
    result.writes = [(new[target], new[value]) for target, value in graph.writes]
    return result
