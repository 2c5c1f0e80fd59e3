"""`torch.autograd.function`: what belongs to custom functions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import modes
from ..engine import Cotangents, Edges, Node, clock
from ..function import Function as Function, FunctionCtx as FunctionCtx
from ..tensor import AccumulateGrad, Tensor, plain


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a backward that is not made of differentiable ops.

    Its result is right, but asking for its derivative raises an error.
    """

    @functools.wraps(backward)
    def call(ctx: Any, *grads: Any) -> Any:
        previous = modes.switch("grad", False)
        try:
            returned = backward(ctx, *grads)
        finally:
            modes.switch("grad", previous)
        if not modes.is_grad_enabled():
            return returned
        if not any(isinstance(g, Tensor) and g.requires_grad for g in grads):
            return returned
        several = returned if isinstance(returned, tuple) else (returned,)
        guarded = tuple([guard(value) for value in several])
        return guarded if isinstance(returned, tuple) else guarded[0]

    return call


def guard(value: Any) -> Any:
    """Return a tensor like this whose derivative is refused."""
    if not isinstance(value, Tensor):
        return value
    guarded = value.detach()
    guarded._node = Error()
    return guarded


class Error(Node):
    """The node of what must not be differentiated a second time."""

    __slots__ = ()

    def __init__(self) -> None:
        self.number = next(clock)
        self.edges = (AccumulateGrad(plain(np.zeros(()))),)
        self.fits = None

    def apply(self, grad: Any, edges: Edges) -> Cotangents:
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with "
            "@once_differentiable"
        )

    apply_recorded = apply
