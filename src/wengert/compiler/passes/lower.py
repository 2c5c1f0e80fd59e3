"""Ops rewritten as others that kernels can fuse."""

from __future__ import annotations

import numpy as np

from wengert.compiler.graph import Graph, Node
from wengert.compiler.layout import is_product, matrix_layout

from .rewrite import rewrite


def lower_scatter(graph: Graph) -> Graph:
    """Turn a scatter of one element a row into a comparison with the index.

    ``scatter_add(x, dim, index, source)`` whose index has size one along ``dim`` (the
    gradient of cross-entropy's gather) is ``x + where(iota == index, source, 0)``: an
    elementwise expression that needs no memory of its own.
    """

    def replace(new: Graph, node: Node, operands: tuple[Node, ...]) -> Node | None:
        if operands[1].shape[node.params["dim"]] != 1:
            return None
        x, index, source = operands
        place = new.iota(x.shape, node.params["dim"], index.dtype)
        chosen = new.add("eq", [place, _checked(new, index, node)])
        if _is_zero(x):
            return new.add("where", [chosen, source, 0])
        return new.add("where", [chosen, new.add("add", [x, source]), x])

    return rewrite(graph, replace, ("scatter_add",))


def insert_copies(graph: Graph) -> Graph:
    """Copy what cannot be used from where it lies.

    Those are a written value that is an input (inputs may be exchanged), a reshape of
    an input with gaps or in another order, and stacks of matrices in a product that do
    not lie at equal distances.
    """

    def copied(new: Graph, x: Node) -> Node:
        return new.add("copy", [x])

    def replace(new: Graph, node: Node, operands: tuple[Node, ...]) -> Node | None:
        if node.op == "reshape" and "strides" in operands[0].params:
            return new.reshape(copied(new, operands[0]), node.shape)
        if is_product(node) and not all(map(matrix_layout, operands)):
            return new.matmul(
                *(x if matrix_layout(x) else copied(new, x) for x in operands)
            )
        return None

    result = rewrite(graph, replace)
    result.writes = [
        (target, copied(result, value) if value.op == "input" else value)
        for target, value in result.writes
    ]
    return result


def _checked(new: Graph, index: Node, node: Node) -> Node:
    """``index``, with an error at replay where it is out of range.

    Gathering from the row ``0, 1, 2 ...`` is the identity on the valid indices, and a
    gather checks its index.
    """
    dim = node.params["dim"]
    shape = (*index.shape[:dim], node.shape[dim], *index.shape[dim + 1 :])
    return new.gather(new.iota(shape, dim, index.dtype), dim, index)


def _is_zero(node: Node) -> bool:
    while node.op in ("expand", "reshape"):
        (node,) = node.inputs
    return node.op == "constant" and not np.any(node.params["value"])
