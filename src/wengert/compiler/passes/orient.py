"""Wide products, computed as products of transposes, whose left operand is the larger.

A product reads its left operand as it lies; the right one is read again for every few
rows of the result, and packed where its rows are not contiguous. So of a batch of 256
rows and a layer's 1024 rows of weights the weights should be at the left:
``(w @ x.T).T``.

What elementwise ops make of such a product is computed in transposed form, too, as long
as all of it is: until it is the operand of a product, which reads what it is given in
either form, or is folded by a reduction. Then no transpose is left.
"""

from __future__ import annotations

from collections.abc import Iterable

from wengert.compiler.graph import Graph, Node
from wengert.compiler.layout import is_product, matrix_layout

from .rewrite import rewrite

WIDE = 2  # times as many columns as rows
FEW = 32  # rows
_FOLDS = ("sum", "prod", "amax", "amin")


def orient_products(graph: Graph) -> Graph:
    """The graph with wide products, and what is made of them, transposed."""
    turned = _turnable(graph)
    if not turned:
        return graph
    found: dict[Node, Node] = {}  # turned nodes, transposed, in the new graph

    def transpose(new: Graph, old: Node, copy: Node) -> Node:
        return found[old] if old in found else new.transpose(copy)

    def replace(new: Graph, node: Node, copies: tuple[Node, ...]) -> Node | None:
        pairs = list(zip(node.inputs, copies, strict=True))
        if node in turned:
            flipped = [transpose(new, *pair) for pair in pairs]
            if node.op == "matmul":
                flipped.reverse()
            found[node] = new.add(node.op, flipped, **node.params)
            return new.transpose(found[node])
        if node.op in _FOLDS and node.inputs[0] in turned:
            dims = [1 - dim for dim in node.params["dims"]]
            keepdim = node.params["keepdim"]
            folded = new.reduce(node.op, found[node.inputs[0]], dims, keepdim)
            return new.transpose(folded) if keepdim else folded
        if is_product(node) and is_narrow(*copies):
            left, right = map(new.transpose, copies)
            return new.transpose(new.matmul(right, left))
        return None

    return rewrite(graph, replace)


def _turnable(graph: Graph) -> set[Node]:
    """Wide products and what follows, if nobody needs any of it as it was."""
    turned: set[Node] = set()
    for node in graph.nodes:
        if is_wide(node) or (_is_matrix(node) and turned & set(node.inputs)):
            turned.add(node)
    while unfit := _unfit(graph, turned):
        turned -= unfit
    return turned


def is_wide(node: Node) -> bool:
    """Whether a product of two matrices has many more columns than rows."""
    if not is_product(node) or len(node.shape) != 2:
        return False
    rows, columns = node.shape
    return columns >= WIDE * rows


def is_narrow(left: Node, right: Node) -> bool:
    """Whether a product has few rows, and to turn it spares packing the right operand.

    Its transpose has few columns; to transpose it again takes less than packing does.
    """
    layout = matrix_layout(right)
    if layout is None or len(left.shape) != 2 or left.shape[0] > FEW:
        return False
    along, down = layout[2]
    return along == 1 and down > 1


def _is_matrix(node: Node) -> bool:
    return node.kind == "elementwise" and len(node.shape) == 2


def _unfit(graph: Graph, turned: set[Node]) -> set[Node]:
    """Nodes whose neighbours in memory are matrices in the other form."""
    results = set(graph.results())
    unfit = {node for node in turned if node in results}
    for node in graph.nodes:
        if is_product(node) or node.op in _FOLDS or node.op == "permute":
            continue
        parts = _matrices(node.inputs)
        mixed = bool(parts & turned) and not (node in turned and parts <= turned)
        if mixed:
            unfit |= parts & turned | {node} & turned
    return unfit


def _matrices(nodes: Iterable[Node]) -> set[Node]:
    """Those that are not repeated vectors or numbers."""
    found = set()
    for node in nodes:
        base = node
        while base.op in ("expand", "reshape"):
            (base,) = base.inputs
        if base.size == node.size:
            found.add(node)
    return found
