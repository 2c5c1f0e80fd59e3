"""Losses by class."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..symbol import Symbol, Untraceable
from .picking import along
from .rules import op, rule


def counted(x: Symbol, target: Symbol, weight: Any, ignore: int) -> tuple[Symbol, Any]:
    """Return which targets count, and how many, for class indices of rows."""
    if weight is not None or target.ndim != 1 or len(x.shape) > 2:
        raise Untraceable("a loss with weights, or of more than rows")
    counts = op("ne", target, ignore)
    return counts, counts.astype(x.dtype)


def total(x: Symbol) -> Symbol:
    return Symbol(x.graph, x.graph.sum(x.node))


@rule("nll_loss")
def _nll_loss(
    x: Symbol, target: Symbol, weight: Any, *, reduction: str, ignore_index: int
) -> Symbol:
    options = {"reduction": reduction, "ignore_index": ignore_index}
    if x.ndim == 1:
        row = _nll_loss(x.reshape((1, -1)), target.reshape((1,)), weight, **options)
        return row.reshape(())
    counts, ones = counted(x, target, weight, ignore_index)
    safe = op("where", counts, target, 0)
    picked = along(x, 1, safe.reshape((-1, 1))).reshape((-1,))
    losses = op("where", counts, op("neg", picked), 0)
    if reduction == "none":
        return losses
    return total(losses) / total(ones) if reduction == "mean" else total(losses)


@rule("nll_backward")
def _nll_backward(
    grad: Symbol,
    target: Symbol,
    weight: Any,
    *,
    shape: tuple[int, ...],
    reduction: str,
    ignore_index: int,
) -> Symbol:
    if len(shape) == 1:
        row = _nll_backward(
            grad.reshape((1,)) if reduction == "none" else grad,
            target.reshape((1,)),
            weight,
            shape=(1, *shape),
            reduction=reduction,
            ignore_index=ignore_index,
        )
        return row.reshape(shape)
    if len(shape) != 2:
        raise Untraceable("a loss of more than rows")
    counts, ones = counted(grad, target, weight, ignore_index)
    share = op("neg", grad)
    if reduction == "mean":
        share = share / total(ones)
    graph = grad.graph
    share = np.where(counts, share, 0)  # type: ignore[call-overload]
    column = Symbol(graph, graph.expand(share.node, (shape[0],))).reshape((-1, 1))
    classes = Symbol(graph, graph.iota(shape, 1, np.int32))
    chosen = op("eq", classes, target.astype(np.int32).reshape((-1, 1)))
    return op("where", chosen, column, 0)
