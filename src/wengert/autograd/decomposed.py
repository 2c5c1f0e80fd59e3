"""Differentiating an op by what it is composed of.

Some rules cannot be recorded (Note [Hidden results]). Where their derivative is wanted,
the op's decomposition is computed again, recorded, and differentiated.
"""

from __future__ import annotations

from typing import Any

from .. import engine
from ..engine import Cotangents, Edges, Node, clock
from ..primitive import OpNode
from ..primitives.fitting import fit
from ..saved import unpack_recorded
from ..tensor import Tensor, level_of, wrap_at


class Here(Node):
    """A node that stands for an input: there the walk through the composition ends."""

    __slots__ = ()

    def __init__(self, edge: Node) -> None:
        self.number = next(clock)
        self.edges = (edge,)
        self.fits = None

    def apply(self, grad: Any, edges: Edges) -> Cotangents:
        return (grad,)

    apply_recorded = apply


def pull_back(node: OpNode, grad: Tensor, edges: Edges) -> Cotangents:
    """Return the cotangents of a node's inputs, recorded."""
    primitive = node.primitive
    inputs = [
        unpack_recorded(node, primitive.saves.index(name)) for name in primitive.inputs
    ]
    ends: list[Node | None] = []
    for position, edge in enumerate(edges):
        end = None
        if edge is not None:
            end = Here(edge)
            source = inputs[position]
            inputs[position] = alias = wrap_at(level_of(source), source._data)
            alias._node = end
        ends.append(end)
    assert primitive.decomposition is not None
    names = set(node.params) & parameters(primitive.decomposition)
    result = primitive.decomposition(*inputs, **{n: node.params[n] for n in names})
    seeds = {result: grad}
    if primitive.several:
        seeds = {result[index]: each for index, each in grad.items()}
    seeds = {out._node: each for out, each in seeds.items()}
    captured: dict[Node, Any] = {end: None for end in ends if end is not None}
    engine.run(seeds, keep_graph=True, recorded=True, captured=captured, fit=fit)
    return [None if end is None else captured[end] for end in ends]


def parameters(function: Any) -> set[str]:
    """Return the names of a function's parameters."""
    code = function.__code__
    return set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
