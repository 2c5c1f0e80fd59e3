"""The quick calls of ops whose results share memory with their input.

See Note [What a quick call looks at]. A view belongs to the base of its input, if that
is a view itself, and shares the version counter of all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from numpy import ndarray

from .. import modes
from ..dispatch import general
from ..engine import clock, outputs_of
from ..primitive import Primitive
from ..tensor import Parameter, Tensor, new
from ..views import View, one_of
from .calls import is_settled_view, only_grad_is_off


def viewing(primitive: Primitive) -> Callable[..., Any]:
    """Return the function of a primitive whose result is a view of its only input."""
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
            origin = "recorded"
            if modes.special:
                if only_grad_is_off():
                    origin = "no_grad"
                elif edge is not None and modes.is_grad_enabled_at(0):
                    return general(primitive, (self,), params)
                else:
                    origin = modes.circumstance()
                edge = None
            elif edge is not None and not differentiable:
                return general(primitive, (self,), params)
            if special is None or is_settled_view(self):
                data = self._data
                result = forward(data, **params)
                memory = result.base
                if memory is not None and (memory is data or memory is data.base):
                    out = new(Tensor)
                    out._data = result
                    out._form = None
                    out._special = view = new(View)
                    view.level = 0
                    view.step = call
                    view.params = params
                    view.origin = origin
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
                        if origin == "recorded":
                            view.origin = special.origin
                    out._counter = counter
                    view.version = counter[0]
                    if edge is None:
                        out._node = None
                        return out
                    if node_class is None:
                        node_class = primitive.node_class
                    out._node = node = node_class()
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


def dividing(primitive: Primitive) -> Callable[..., Any]:
    """Return the function of a primitive whose results are views of its input."""
    forward = primitive.forward
    node_class: Any = None

    def call(self: Any, **params: Any) -> Any:
        nonlocal node_class
        kind = type(self)
        if kind is ndarray:
            return forward(self, **params)
        if (kind is not Tensor and kind is not Parameter) or modes.special:
            return general(primitive, (self,), params)
        special = self._special
        if special is None:
            base = self
            if self._counter is None:
                self._counter = [0]
        elif is_settled_view(self):
            base = special.base
        else:
            return general(primitive, (self,), params)
        parts = forward(self._data, **params)
        node: Any = None
        if self._node is not None:
            if node_class is None:
                node_class = primitive.node_class
            node = node_class()
            node.number = next(clock)
            node.edges = (self._node,)
            node.fits = None
            node.params = {
                **params,
                "self_shape": self._data.shape,
                "count": len(parts),
            }
        counter = self._counter
        outputs = []
        nodes = None if node is None else outputs_of(node, len(parts))
        for index, part in enumerate(parts):
            view = new(View)
            view.level = 0
            view.base = base
            view.before = special
            view.step = partial(one_of, call, index)
            view.params = params
            view.origin = "several"
            view.version = counter[0]
            out = new(Tensor)
            out._data = part
            out._form = None
            out._counter = counter
            out._special = view
            out._node = None if nodes is None else nodes[index]
            outputs.append(out)
        return tuple(outputs)

    return call
