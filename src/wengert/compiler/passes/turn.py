"""Transposes of products: products of transposes, whose operands are read as they lie.

A kernel that transposes reads or writes against the grain of memory; a product packs
its operands anyway. So the transpose of a product that nobody else reads, or of a sum
of such, moves to the operands.
"""

from __future__ import annotations

from collections import Counter

from wengert.compiler.graph import Graph, Node

from .rewrite import rewrite
from .simplify import uniform


def turn_products(graph: Graph) -> Graph:
    """The graph with transposes moved from products to their operands."""
    readers = Counter(x for node in graph.nodes for x in node.inputs)
    readers.update(graph.results())

    def turned(new: Graph, node: Node, copy: Node) -> Node | None:
        """The transpose of a node, whose copy is in the new graph; None if no gain."""
        if uniform(copy) is not None:
            return new.transpose(copy)
        if readers[node] != 1 or node.op != copy.op:
            return None
        if node.op == "matmul":
            left, right = copy.inputs
            return new.add("matmul", [new.transpose(right), new.transpose(left)])
        if node.kind != "elementwise":
            return None
        pairs = zip(node.inputs, copy.inputs, strict=True)
        parts = [turned(new, old, x) for old, x in pairs]
        if any(part is None for part in parts):
            return None
        return new.add(node.op, parts, **node.params)

    def replace(new: Graph, node: Node, operands: tuple[Node, ...]) -> Node | None:
        if not is_transpose(node.params["dims"]):
            return None
        return turned(new, node.inputs[0], operands[0])

    return rewrite(graph, replace, ("permute",))


def is_transpose(dims: tuple[int, ...]) -> bool:
    """Whether dims exchange the last two, and leave the others."""
    rank = len(dims)
    return rank > 1 and dims == (*range(rank - 2), rank - 1, rank - 2)
