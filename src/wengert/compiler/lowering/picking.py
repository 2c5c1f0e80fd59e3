"""Elements that are picked by their indices."""

from __future__ import annotations

from typing import Any

from ..symbol import Symbol, Untraceable
from .rules import rule
from .shapes import new_zeros


def along(x: Symbol, dim: int, index: Symbol) -> Symbol:
    """Return the elements along a dimension that indices name."""
    if x.ndim == 0 or index.ndim != x.ndim:
        raise Untraceable("an index of other dimensions")
    ranges = [
        slice(None) if i == dim else slice(size) for i, size in enumerate(index.shape)
    ]
    return Symbol(x.graph, x.graph.gather(x[tuple(ranges)].node, dim, index.node))


@rule("gather")
def _gather(x: Symbol, index: Symbol, *, dim: int) -> Symbol:
    return along(x, dim, index)


@rule("gather_backward")
def _gather_backward(
    grad: Symbol, index: Symbol, *, dim: int, shape: tuple[int, ...]
) -> Symbol:
    rest = [n for i, n in enumerate(shape) if i != dim]
    if grad.ndim != len(shape) or rest != [
        n for i, n in enumerate(index.shape) if i != dim
    ]:
        raise Untraceable("an index smaller than the array")
    zeros = new_zeros(grad, shape=shape)
    return Symbol(
        grad.graph, grad.graph.scatter_add(zeros.node, dim, index.node, grad.node)
    )


@rule("index_select")
def _index_select(x: Symbol, index: Symbol, *, dim: int) -> Symbol:
    if x.ndim == 0 or index.ndim != 1:
        raise Untraceable("an index that is no vector")
    return Symbol(x.graph, x.graph.index_select(x.node, dim, index.node))


@rule("embedding")
def _embedding(
    weight: Symbol, indices: Symbol, *, padding_idx: Any, scale_grad_by_freq: bool
) -> Symbol:
    picked = _index_select(weight, indices.reshape((indices.size,)), dim=0)
    return picked.reshape((*indices.shape, *weight.shape[1:]))


@rule("embedding_backward")
def _embedding_backward(
    grad: Symbol,
    indices: Symbol,
    *,
    shape: tuple[int, ...],
    padding_idx: int,
    scale_grad_by_freq: bool,
) -> Symbol:
    if padding_idx >= 0 or scale_grad_by_freq or len(shape) != 2:
        raise Untraceable("an embedding with padding, or scaled")
    rows = (indices.size, shape[1])
    graph = grad.graph
    index = graph.expand(indices.reshape((-1, 1)).node, rows)
    zeros = new_zeros(grad, shape=shape)
    return Symbol(
        graph, graph.scatter_add(zeros.node, 0, index, grad.reshape(rows).node)
    )
