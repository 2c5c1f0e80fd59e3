"""What a recorded cotangent depends on in name only.

Note [Flat derivatives]
    The slope of `relu` is the same at a point and its neighbours, so that the record of
    its rule leads to the incoming gradient alone. But PyTorch computes the cotangent
    from the input: it requires grad, and its derivative by the input is zeros, where
    it would otherwise be an error to ask for it. So `Primitive.flat` ties the cotangent
    to its input. What PyTorch computes in one op for all inputs requires grad if one
    of these does, though no gradient flows: `Primitive.tied` names them.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np

from .engine import Cotangents, Edges, Node, clock
from .tensor import Tensor, history


class Tied(Node):
    """The node of a cotangent: beyond the rule's node lies the input it is tied to."""

    __slots__ = ()

    def __init__(self, edges: Edges, fits: Any) -> None:
        self.number = next(clock)
        self.edges = edges
        self.fits = fits

    def apply(self, grad: Any, edges: Edges) -> Cotangents:
        return grad, (None if edges[1] is None else zeros_like(grad))

    apply_recorded = apply


def zeros_like(grad: Any) -> Any:
    """Return zeros like an array of any layer."""
    from .primitives.selection import masked

    return masked(grad, np.zeros((), bool))


@functools.cache
def tied_class(grad_fn: str) -> type[Tied]:
    """Return the class of such nodes of a name."""
    return type(grad_fn, (Tied,), {"__slots__": ()})


def tie(node: Any, cotangents: Iterable[Tensor | None], edges: Edges) -> None:
    """Tie the recorded cotangents of a node to its inputs."""
    primitive = node.primitive
    made = tied_class(primitive.tied_grad_fn)
    inputs = dict(zip(primitive.inputs, node.edges, strict=True))
    if not any([inputs[name] for name in primitive.tied]):
        return
    for index, cotangent in enumerate(cotangents):
        if cotangent is None:
            continue
        before = history(cotangent)
        if primitive.flat:
            fits = None if node.fits is None else (None, node.fits[index])
            cotangent._node = made((before, edges[index]), fits)
        elif before is None:
            cotangent._node = made((None, None), None)
