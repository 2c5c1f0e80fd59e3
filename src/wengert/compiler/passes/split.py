"""Products with a large parameter transposed, as sums of two: one for each half of it.

The rows of a parameter are cut among cores where it is applied (`orient`) and where it
is updated. Its transpose, by which gradients go back, would be cut by columns, so that
each core read what another is about to write: to write a line that another core holds
takes as long as to fetch it from memory. Of a sum of two products each has half of the
rows, and they run side by side.
"""

from __future__ import annotations

from wengert.compiler.graph import Graph, Node
from wengert.compiler.layout import is_product, matrix_layout

from .rewrite import rewrite

LARGE = 1 << 20  # bytes: less stays in all caches
DEEP = 128  # ... and fewer terms are not worth a sum


def split_products(graph: Graph) -> Graph:
    """The graph with products of transposed parameters cut in two."""
    written = {target for target, _ in graph.writes}
    if not any(is_split(node, written) for node in graph.nodes):
        return graph

    def replace(new: Graph, node: Node, operands: tuple[Node, ...]) -> Node | None:
        if not is_split(node, written):
            return None
        left, right = operands
        half = node.inputs[0].shape[-1] // 2
        every = slice(None)
        parts = [
            new.matmul(new.slice(left, every, some), new.slice(right, some, every))
            for some in (slice(0, half), slice(half, None))
        ]
        return new.add("add", parts)

    return rewrite(graph, replace, ("matmul",))


def is_split(node: Node, written: set[Node]) -> bool:
    """Whether a product's left operand is a large updated input, transposed."""
    if not is_product(node) or len(node.shape) != 2:
        return False
    (left, _), layout = node.inputs, matrix_layout(node.inputs[0])
    if layout is None or layout[0] not in written or left.nbytes < LARGE:
        return False
    (down, along), (rows, depth) = layout[2], left.shape
    return down == 1 and along >= rows and depth >= DEEP
