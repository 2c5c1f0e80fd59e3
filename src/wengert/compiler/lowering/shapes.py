"""Copies, and the same elements in other shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..symbol import Symbol, node_of
from .rules import rule

# --- copies ---------------------------------------------------------------------------


@rule("to_copy")
def _to_copy(x: Symbol, *, dtype: Any) -> Symbol:
    return x.astype(np.dtype(dtype))


@rule("clone")
def _clone(x: Symbol) -> Symbol:
    return x.copy()


@rule("copy")
def _copy(x: Symbol, src: Any) -> Symbol:
    graph = x.graph
    node = graph.cast(node_of(graph, src), x.dtype)
    return Symbol(graph, graph.expand(node, x.shape))


@rule("fill")
def _fill(x: Symbol, value: Any) -> Symbol:
    return _copy(x, value)


@rule("fill_number")
def _fill_number(x: Symbol, *, value: Any) -> Symbol:
    return np.full_like(x, value)  # type: ignore[call-overload,no-any-return]


@rule("zero")
def _zero(x: Symbol) -> Symbol:
    return _fill_number(x, value=0)


@rule("new_zeros")
def new_zeros(x: Symbol, *, shape: tuple[int, ...]) -> Symbol:
    return Symbol(x.graph, x.graph.expand(x.graph.constant(0, x.dtype), shape))


# --- shapes ---------------------------------------------------------------------------


@rule("expand")
def _expand(x: Symbol, *, shape: tuple[int, ...]) -> Symbol:
    return x._seen_as(x.graph.expand(x.node, tuple(shape)))


@rule("expand_to")
def _expand_to(x: Symbol, *, shape: tuple[int, ...]) -> Symbol:
    return Symbol(x.graph, x.graph.expand(x.node, tuple(shape)))


@rule("spread")
def _spread(x: Symbol, *, shape: tuple[int, ...], by: int) -> Symbol:
    return _expand_to(x / by, shape=shape)


@rule("cat")
def _cat(*parts: Symbol, dim: int) -> Symbol:
    return np.concatenate(parts, axis=dim)  # type: ignore[arg-type,return-value]


@rule("stack")
def _stack(*parts: Symbol, dim: int) -> Symbol:
    shape = (*parts[0].shape[:dim], 1, *parts[0].shape[dim:])
    return _cat(*[part.reshape(shape) for part in parts], dim=dim)
