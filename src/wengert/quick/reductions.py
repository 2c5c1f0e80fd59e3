"""The quick calls of ops of one input: sums, maxima, sorting and the like.

See Note [What a quick call looks at].
"""

from __future__ import annotations

from typing import Any

from numpy import asarray, ndarray

from .. import modes
from ..dispatch import general, record
from ..engine import clock
from ..primitive import Primitive
from ..tensor import Parameter, Tensor, new, plain
from .calls import (
    Call,
    attributes_of,
    is_settled_view,
    only_grad_is_off,
    version_of,
)


def reducing(primitive: Primitive) -> Call:
    """Return the function of a primitive of one input, with one or several results.

    Of several results the first is differentiable. The rule returns the cotangent in
    the shape of the input.
    """
    forward = primitive.forward
    differentiable = primitive.differentiable
    single = len(primitive.outputs) == 1
    saves = [
        -1 if name in primitive.inputs else primitive.outputs.index(name)
        for name in primitive.saves
    ]
    wants_params = bool(primitive.statics)
    attributes = attributes_of(primitive)
    node_class: Any = None

    def call(self: Any, **params: Any) -> Any:
        nonlocal node_class
        kind = type(self)
        if kind is ndarray:
            return forward(self, **params)
        if (kind is not Tensor and kind is not Parameter) or (
            self._special is not None and not is_settled_view(self)
        ):
            return general(primitive, (self,), params)
        data = self._data
        edge = self._node
        recorded = differentiable and edge is not None
        if recorded and modes.special:
            if not only_grad_is_off():
                return general(primitive, (self,), params)
            recorded = False
        result = forward(data, **params)
        if single:
            out = new(Tensor)
            out._data = result if type(result) is ndarray else asarray(result)
            out._form = None
            out._node = None
            out._counter = None
            out._special = None
            outs: Any = out
        else:
            outs = tuple([plain(asarray(item)) for item in result])
            out = outs[0]
        if not recorded:
            return outs
        if out._data.dtype is not data.dtype:
            return record(primitive, (self,), (data,), params, result, 0)
        if node_class is None:
            node_class = primitive.node_class
        out._node = node = node_class()
        node.number = next(clock)
        node.edges = (edge,)
        node.fits = None
        if wants_params:
            for name, _, attribute in attributes:
                params[name] = data.shape if attribute == "shape" else data.dtype
            node.params = params
        if saves:
            node.saved = kept(self, (out,) if single else outs, saves)
        return outs

    return call


def kept(self: Tensor, outs: tuple[Tensor, ...], saves: list[int]) -> tuple[Any, ...]:
    """Return what a node keeps, see `saved`: the input (-1), or results by position."""
    entries: list[Any] = []
    for place in saves:
        if place < 0:
            entries += (self, version_of(self))
        else:
            out = outs[place]
            versions = out._counter
            if versions is None:
                out._counter = versions = [0]
            entries += (out._data, (versions, 0))
    return tuple(entries)
