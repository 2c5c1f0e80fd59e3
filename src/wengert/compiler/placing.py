"""Arrays put where an index shows in larger ones: derivatives of views, and writing."""

from __future__ import annotations

from typing import Any

import numpy as np

from .graph import Graph, Node
from .lowering.rules import rule
from .passes.join import stretched
from .symbol import Symbol, Untraceable


def place(graph: Graph, whole: Node, part: Node, index: Any) -> Node:
    """Return the node of an array after ``whole[index] = part``.

    Each element of the result looks for its place in the part, and takes the nearest
    one where it has none; a mask says which of them count.

    Raises:
        Untraceable: the index holds arrays, or shows nothing.
    """
    shape, rank = whole.shape, len(whole.shape)
    items = items_of(index, rank)
    sizes = [
        1 if isinstance(item, int) else len(range(size)[item])
        for item, size in zip(items, shape, strict=True)
    ]
    if 0 in sizes:
        raise Untraceable("an index that shows nothing")
    mask: Node | None = None
    part = graph.reshape(graph.expand(part, shown(index, shape)), tuple(sizes))
    for dim, (item, size) in enumerate(zip(items, shape, strict=True)):
        if item == slice(None):
            continue
        line = (1,) * dim + (size,) + (1,) * (rank - dim - 1)
        taken = np.arange(size)[item]
        held = np.zeros(size, bool)
        held[taken] = True
        here = graph.constant(held.reshape(line))
        mask = here if mask is None else graph.add("logical_and", [mask, here])
        nearest = np.abs(np.arange(size)[:, None] - taken).argmin(1)
        part = stretched(graph, part, dim, nearest)
    if mask is None:
        return part
    return graph.add("where", [mask, graph.expand(part, shape), whole])


def items_of(index: Any, rank: int) -> list[Any]:
    """Return an integer or a slice for each dimension."""
    items = list(index) if isinstance(index, tuple) else [index]
    if any([not isinstance(i, int | slice | None | type(...)) for i in items]) or any(
        [isinstance(i, bool) for i in items]
    ):
        raise Untraceable("an index that holds arrays")
    items = [item for item in items if item is not None]
    missing = rank - sum([item is not ... for item in items])
    at = items.index(...) if ... in items else len(items)
    return [*items[:at], *[slice(None)] * missing, *items[at + 1 :]]


def shown(index: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of what an index shows."""
    return np.broadcast_to(np.empty((), np.int8), shape)[index].shape


@rule("basic_index_backward")
def _basic_index_backward(
    grad: Symbol, *, index: Any, shape: tuple[int, ...]
) -> Symbol:
    graph = grad.graph
    zeros = graph.expand(graph.constant(0, grad.dtype), tuple(shape))
    return Symbol(graph, place(graph, zeros, grad.node, index))


# --- other arrangements ---------------------------------------------------------------


@rule("roll")
def _roll(x: Symbol, *, shifts: tuple[int, ...], dims: tuple[int, ...]) -> Symbol:
    node = x.node
    for shift, dim in zip(shifts, dims, strict=True):
        if node.shape[dim]:
            places = (np.arange(node.shape[dim]) - shift) % node.shape[dim]
            node = stretched(x.graph, node, dim, places)
    return Symbol(x.graph, node)


@rule("repeat")
def _repeat(x: Symbol, *, repeats: tuple[int, ...]) -> Symbol:
    missing = len(repeats) - x.ndim
    sizes = (*[1] * missing, *x.shape)
    narrow = [n for size in sizes for n in (1, size)]
    wide = [n for pair in zip(repeats, sizes, strict=True) for n in pair]
    shape = [n * size for n, size in zip(repeats, sizes, strict=True)]
    graph = x.graph
    node = graph.expand(graph.reshape(x.node, tuple(narrow)), tuple(wide))
    return Symbol(graph, graph.reshape(node, tuple(shape)))


@rule("tril")
def _tril(x: Symbol, *, diagonal: int) -> Symbol:
    return _triangle(x, "le", diagonal)


@rule("triu")
def _triu(x: Symbol, *, diagonal: int) -> Symbol:
    return _triangle(x, "ge", diagonal)


def _triangle(x: Symbol, comparison: str, diagonal: int) -> Symbol:
    graph, shape = x.graph, x.shape
    row, column = [graph.iota(shape, dim) for dim in (-2, -1)]
    border = graph.add("add", [row, diagonal])
    inside = graph.add(comparison, [column, border])
    return Symbol(graph, graph.add("where", [inside, x.node, 0]))


@rule("constant_pad_nd")
def _constant_pad(
    x: Symbol, *, before: tuple[int, ...], after: tuple[int, ...], value: Any
) -> Symbol:
    sizes = list(zip(x.shape, before, after, strict=True))
    shape = tuple([n + b + a for n, b, a in sizes])
    kept = x[tuple([slice(max(-b, 0), n - max(-a, 0)) for n, b, a in sizes])]
    if all([b <= 0 and a <= 0 for _, b, a in sizes]):
        return x.new(kept.node)
    index = tuple([slice(max(b, 0), n + b + min(a, 0)) for n, b, a in sizes])
    whole = x.graph.expand(x.graph.constant(value, x.dtype), shape)
    return Symbol(x.graph, place(x.graph, whole, kept.node, index))
