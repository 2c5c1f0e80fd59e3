"""Identity matrices, such as the tangents of a Jacobian: comparisons of indices.

A kernel computes a comparison of its loops' variables more quickly than it loads an
element, above all where the matrix is read against the grain of its memory.
"""

from __future__ import annotations

import numpy as np

from wengert.compiler.emit import is_native
from wengert.compiler.graph import Graph, Node
from wengert.compiler.groups import is_loop

from .fold import LARGEST
from .rewrite import rewrite


def compare_identities(graph: Graph) -> Graph:
    """The graph with large constant identities that kernels read made comparisons."""
    in_memory = _read_from_memory(graph)

    def replace(new: Graph, node: Node, _: tuple[Node, ...]) -> Node | None:
        if node.size <= LARGEST or node in in_memory:
            return None
        if not _is_identity(node.params["value"]):
            return None
        row, column = (new.iota(node.shape, dim, np.int32) for dim in (0, 1))
        return new.cast(new.add("eq", [row, column]), node.dtype)

    return rewrite(graph, replace, ("constant",))


def _read_from_memory(graph: Graph) -> set[Node]:
    """The nodes that are results or, maybe through views, read by no loop kernel."""
    found = set(graph.results())
    for node in reversed(graph.nodes):
        if not is_loop(node) or (node.kind == "view" and node in found):
            found.update(node.inputs)
    return found


def _is_identity(value: np.ndarray) -> bool:
    """Whether a matrix is one, bit by bit (a minus zero is another number)."""
    if value.ndim != 2 or value.shape[0] != value.shape[1]:
        return False
    if not is_native(value.dtype) or np.count_nonzero(value) != len(value):
        return False
    return value.tobytes() == np.eye(len(value), dtype=value.dtype).tobytes()
