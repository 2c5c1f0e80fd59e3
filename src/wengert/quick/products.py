"""The quick calls of products of matrices, and of linear layers.

See Note [What a quick call looks at].
"""

from __future__ import annotations

from typing import Any

from numpy import asarray, ndarray

from .. import modes
from ..dispatch import general, record
from ..engine import Edges, clock
from ..primitive import Primitive
from ..tensor import Parameter, Tensor, new, plain
from .calls import Call, is_settled_view, only_grad_is_off, version_of


def is_product(primitive: Primitive) -> bool:
    """Whether each of two factors' rules needs the other factor and nothing else."""
    if len(primitive.inputs) != 2 or primitive.statics or len(primitive.rules) != 2:
        return False
    first, second = primitive.inputs
    names = {key: rule.names for key, rule in primitive.rules.items()}
    return names == {first: ("grad", second), second: ("grad", first)}


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
        edge, other_edge = a._node, b._node
        either = edge is not None or other_edge is not None
        if either and modes.special:
            if not only_grad_is_off():
                return general(primitive, (a, b), {})
            either = False
        result = forward(data, array)
        if type(result) is not ndarray:
            result = asarray(result)
        if either and result.dtype is not data.dtype:
            return record(primitive, (a, b), (data, array), {}, result, 0)
        out = new(Tensor)
        out._data = result
        out._form = None
        out._node = None
        out._counter = None
        out._special = None
        if not either:
            return out
        if node_class is None:
            node_class = primitive.node_class
        out._node = node = node_class()
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


def affine(primitive: Primitive) -> Call:
    """Return the function of a linear layer: input, weight and perhaps a bias.

    The rules of input and weight need the other one, that of the bias the gradient and
    the bias's shape.
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
        edges: Edges
        if bias:
            edges = (input._node, weight._node, bias[0]._node)
        else:
            edges = (input._node, weight._node)
        recorded = any(edges)
        if recorded and modes.special:
            if not only_grad_is_off():
                return general(primitive, args, {})
            recorded = False
        if bias:
            result = forward(data, matrix, bias[0]._data)
        else:
            result = forward(data, matrix)
        if recorded and result.dtype is not data.dtype:
            return record(primitive, args, [a._data for a in args], {}, result, 0)
        out = plain(result)
        if recorded:
            if node_class is None:
                node_class = primitive.node_class
            out._node = node = node_class()
            node.number = next(clock)
            node.edges = edges
            node.fits = None
            if bias:
                node.params = {"bias_shape": bias[0]._data.shape}
            of_input, of_weight = edges[:2]
            node.saved = (
                *((None, None) if of_input is None else (weight, version_of(weight))),
                *((None, None) if of_weight is None else (input, version_of(input))),
            )
        return out

    return call
