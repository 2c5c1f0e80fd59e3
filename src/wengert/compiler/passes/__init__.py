"""Graph to graph: each pass is a pure function in a file of its own."""

from __future__ import annotations

from wengert.compiler.graph import Graph

from .common import share_common
from .dead import drop_dead
from .fold import fold_constants
from .identity import compare_identities
from .join import lower_cat
from .lower import insert_copies, lower_scatter
from .orient import orient_products
from .simplify import simplify
from .split import split_products
from .turn import turn_products

__all__ = [
    "compare_identities",
    "drop_dead",
    "fold_constants",
    "lower_cat",
    "lower_scatter",
    "insert_copies",
    "optimize",
    "orient_products",
    "share_common",
    "simplify",
    "split_products",
    "turn_products",
]


def optimize(graph: Graph) -> Graph:
    """All passes, in the order in which each finds the work of the one before."""
    graph = simplify(lower_cat(lower_scatter(drop_dead(graph))))
    graph = compare_identities(fold_constants(graph))
    graph = drop_dead(share_common(simplify(graph)))
    graph = drop_dead(simplify(turn_products(graph)))
    graph = drop_dead(simplify(split_products(orient_products(graph))))
    return insert_copies(graph)
