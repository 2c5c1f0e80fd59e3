"""The quick call of ops whose results share memory with their input.

As `dispatch.unary` does for elementwise ops: the commonest case in a fraction of the time
that `dispatch.general` takes, which serves all others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy import ndarray

from . import modes
from .dispatch import general
from .engine import clock
from .primitive import Primitive
from .tensor import Parameter, Tensor, new
from .views import View


def viewing(primitive: Primitive) -> Callable[..., Any]:
    """Return the function of a primitive whose only result is a view of its only input."""
    forward = primitive.forward
    differentiable = primitive.differentiable
    wants_params = bool(primitive.statics)
    wants_shape = "self_shape" in primitive.statics
    node_class: Any = None

    def call(self: Any, **params: Any) -> Any:
        nonlocal node_class
        kind = type(self)
        if kind is ndarray:
            return forward(self, **params)
        if kind is Tensor or kind is Parameter:
            special = self._special
            edge = self._node
            if (
                special is None or (type(special) is View and special.is_current(self))
            ) and (edge is None or (differentiable and not modes.special)):
                data = self._data
                result = forward(data, **params)
                memory = result.base
                if memory is not None and (memory is data or memory is data.base):
                    out = new(Tensor)
                    out._data = result
                    out._special = view = new(View)
                    view.level = 0
                    view.step = call
                    view.params = params
                    view.index = None
                    view.origin = "recorded" if modes.is_grad_enabled() else "no_grad"
                    if special is None:
                        view.base = self
                        view.before = None
                        counter = self._counter
                        if counter is None:
                            counter = self._counter = [0]
                    else:
                        view.base = special.base
                        view.before = special
                        counter = self._counter
                        if special.origin != "recorded":
                            view.origin = special.origin
                    out._counter = counter
                    view.version = counter[0]
                    if edge is None:
                        out._node = None
                        return out
                    if node_class is None:
                        node_class = primitive.node_class
                    out._node = node = new(node_class)
                    node.number = next(clock)
                    node.edges = (edge,)
                    node.fits = (
                        None
                        if result.dtype is data.dtype
                        else ((data.shape, data.dtype),)
                    )
                    if wants_shape:
                        node.params = {**params, "self_shape": data.shape}
                    elif wants_params:
                        node.params = params
                    return out
        return general(primitive, (self,), params)

    return call
