"""The quick calls of primitives that are not elementwise: sums, products, layers.

They do for sums, maxima, sorting and the like, and for products of matrices, what
`quick` does for elementwise ops: look whether the call is an ordinary one, do the same
as `dispatch.general` with what could be known before, and turn to it for all else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy import asarray, ndarray

from . import modes
from .dispatch import general, record
from .engine import Edges, clock
from .primitive import Primitive
from .quick import anything, attributes_of, is_settled_view
from .tensor import Parameter, Tensor, new, plain

Call = Callable[..., Any]


def calling(primitive: Primitive) -> Call:
    """Return the function of a primitive that is not elementwise."""
    plain_inputs = not (primitive.variadic or primitive.hidden or primitive.promote)
    if plain_inputs and not primitive.several:
        if len(primitive.inputs) == 1:
            return folding(primitive)
        if is_product(primitive):
            return product(primitive)
    return anything(primitive)


def is_product(primitive: Primitive) -> bool:
    """Whether each of two factors' rules needs the other factor and nothing else."""
    if len(primitive.inputs) != 2 or primitive.statics or len(primitive.rules) != 2:
        return False
    first, second = primitive.inputs
    names = {key: rule.names for key, rule in primitive.rules.items()}
    return names == {first: ("grad", second), second: ("grad", first)}


def folding(primitive: Primitive) -> Call:
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
        result = forward(data, **params)
        edge = self._node
        recorded = differentiable and edge is not None
        if recorded and modes.special:
            return record(primitive, (self,), (data,), params, result, 0)
        if single:
            out = new(Tensor)
            out._data = result if type(result) is ndarray else asarray(result)
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
        out._node = node = new(node_class)
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


def affine(primitive: Primitive) -> Call:
    """Return the function of a linear layer: input, weight and perhaps a bias.

    The rules of input and weight need the other one, that of the bias the gradient
    alone; they may ask for shapes.
    """
    forward = primitive.forward
    node_class: Any = None

    def call(input: Any, weight: Any, *bias: Any) -> Any:
        nonlocal node_class
        args = (input, weight, *bias)
        for arg in args:
            kind = type(arg)
            if (kind is not Tensor and kind is not Parameter) or (
                arg._special is not None and not is_settled_view(arg)
            ):
                if all(type(arg) is ndarray for arg in args):
                    return forward(*args)
                return general(primitive, args, {})
        data, matrix = input._data, weight._data
        if bias:
            result = forward(data, matrix, bias[0]._data)
            edges: Edges = (input._node, weight._node, bias[0]._node)
        else:
            result = forward(data, matrix)
            edges = (input._node, weight._node)
        recorded = any(edges)
        if recorded and (modes.special or result.dtype is not data.dtype):
            return record(primitive, args, [a._data for a in args], {}, result, 0)
        out = plain(result)
        if recorded:
            if node_class is None:
                node_class = primitive.node_class
            out._node = node = new(node_class)
            node.number = next(clock)
            node.edges = edges
            node.fits = None
            node.params = {"input_shape": data.shape}
            if bias:
                node.params["bias_shape"] = bias[0]._data.shape
            of_input, of_weight = edges[:2]
            node.saved = (
                *((None, None) if of_input is None else (weight, version_of(weight))),
                *((None, None) if of_weight is None else (input, version_of(input))),
            )
        return out

    return call


def version_of(tensor: Tensor) -> int:
    counter = tensor._counter
    return 0 if counter is None else counter[0]


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


def product(primitive: Primitive) -> Call:
    """Return the function of a product whose rules each need the other factor."""
    forward = primitive.forward
    node_class: Any = None

    def call(a: Any, b: Any) -> Any:
        nonlocal node_class
        kind, other_kind = type(a), type(b)
        if (kind is Tensor or kind is Parameter) and (
            other_kind is Tensor or other_kind is Parameter
        ):
            if (a._special is None or is_settled_view(a)) and (
                b._special is None or is_settled_view(b)
            ):
                return recorded(a, b)
        elif kind is ndarray and other_kind is ndarray:
            return forward(a, b)
        return general(primitive, (a, b), {})

    def recorded(a: Tensor, b: Tensor) -> Any:
        nonlocal node_class
        data, array = a._data, b._data
        result = forward(data, array)
        if type(result) is not ndarray:
            result = asarray(result)
        edge, other_edge = a._node, b._node
        either = edge is not None or other_edge is not None
        if either and (modes.special or result.dtype is not data.dtype):
            return record(primitive, (a, b), (data, array), {}, result, 0)
        out = new(Tensor)
        out._data = result
        out._node = None
        out._counter = None
        out._special = None
        if not either:
            return out
        if node_class is None:
            node_class = primitive.node_class
        out._node = node = new(node_class)
        node.number = next(clock)
        node.edges = (edge, other_edge)
        node.fits = None
        # A factor serves the other's cotangent.
        node.saved = (
            *((None, None) if edge is None else (b, version_of(b))),
            *((None, None) if other_edge is None else (a, version_of(a))),
        )
        return out

    return call
