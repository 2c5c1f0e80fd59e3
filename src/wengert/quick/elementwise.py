"""The quick calls of elementwise ops, the most frequent ones of all.

See Note [What a quick call looks at].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import asarray, ndarray

from .. import modes
from ..constants import ZERO, known as constants, make as make_constant
from ..dispatch import general
from ..engine import clock
from ..primitive import Primitive
from ..tensor import Parameter, Tensor, counter, new
from .calls import Call, anything, fits, is_settled_view, kept, planner

BOOL = np.dtype(bool)
REFUSED = (TypeError, ValueError, OverflowError)
RAW = (ndarray, int, float)


def unary(primitive: Primitive) -> Call:
    """Return the function of an elementwise primitive of one input."""
    forward = primitive.forward
    refused = primitive.refused_kinds
    saves = primitive.saves
    if primitive.statics or len(saves) > 1:
        return anything(primitive)
    records = primitive.differentiable
    allowed = None if records else BOOL
    saves_self, saves_result = saves == ("self",), saves == ("result",)
    node_class: Any = None

    def call(input: Any) -> Any:
        nonlocal node_class
        kind = type(input)
        if kind is ndarray:
            return forward(input)
        if (kind is Tensor or kind is Parameter) and (
            input._special is None or is_settled_view(input)
        ):
            data = input._data
            if refused and data.dtype.kind in refused:
                return general(primitive, (input,), {})
            try:
                result = forward(data)
            except REFUSED:
                return general(primitive, (input,), {})
            if type(result) is not ndarray:
                result = asarray(result)
            if result.dtype is data.dtype or result.dtype is allowed:
                edge = input._node
                out = new(Tensor)
                out._data = result
                out._counter = None
                out._special = None
                if edge is None or not records:
                    out._node = None
                    return out
                if not modes.special:
                    if node_class is None:
                        node_class = primitive.node_class
                    out._node = node = new(node_class)
                    node.number = next(clock)
                    node.edges = (edge,)
                    node.fits = None
                    if saves_self:
                        version = input._counter
                        node.saved = (input, 0 if version is None else version[0])
                    elif saves_result:
                        out._counter = version = [0]
                        node.saved = (result, (version, 0))
                    return out
        return general(primitive, (input,), {})

    return call


def binary(
    primitive: Primitive, otherwise: Call = general, numbers: bool = True
) -> Call:
    """Return the function of an elementwise primitive of two inputs.

    Args:
        primitive: the primitive.
        otherwise: what is called in place of `general`.
        numbers: whether the second input may be a number here.
    """
    forward = primitive.forward
    refused = primitive.refused_kinds
    knows_arrays = isinstance(forward, np.ufunc)
    if not primitive.differentiable or primitive.statics:
        return anything(primitive)
    first, second = primitive.inputs
    saves_none = not primitive.saves
    saves_opposite = [
        primitive.rules[name].names if name in primitive.rules else ()
        for name in primitive.inputs
    ] == [("grad", second), ("grad", first)]
    plan_for = planner(primitive)
    of_both, of_first, of_second = map(plan_for, ((1, 1), (1, None), (None, 1)))
    node_class: Any = None

    def call(input: Any, other: Any) -> Any:
        nonlocal node_class
        kind = type(input)
        if (kind is Tensor or kind is Parameter) and (
            input._special is None or is_settled_view(input)
        ):
            data = input._data
            kind = type(other)
            if kind is Tensor or kind is Parameter:
                of_number = False
                array = other._data
                quick = data.dtype is array.dtype and (
                    other._special is None or is_settled_view(other)
                )
                other_edge = other._node
            else:
                quick = of_number = numbers and (kind is float or kind is int)
                array = other
                if knows_arrays and quick and other:
                    array = constants.get((data.dtype.num, other))
                    if array is None:
                        array = make_constant(other, data.dtype)
                other_edge = None
            if quick and not (refused and data.dtype.kind in refused):
                try:
                    result = forward(data, array)
                except REFUSED:
                    return otherwise(primitive, (input, other), {})
                if type(result) is not ndarray:
                    result = asarray(result)
                if result.dtype is data.dtype:
                    edge = input._node
                    out = new(Tensor)
                    out._data = result
                    out._counter = None
                    out._special = None
                    if edge is None and other_edge is None:
                        out._node = None
                        return out
                    if not modes.special:
                        saved: Any
                        if saves_none:
                            saved = None
                        elif saves_opposite:
                            if other_edge is None:
                                if of_number:
                                    saved = (other, None, None, None)
                                else:
                                    version = other._counter
                                    version = 0 if version is None else version[0]
                                    saved = (other, version, None, None)
                            else:
                                version = input._counter
                                version = 0 if version is None else version[0]
                                if edge is None:
                                    saved = (None, None, input, version)
                                else:
                                    saved = (other, other._version, input, version)
                        else:
                            if other_edge is None:
                                plan = of_first
                            else:
                                plan = of_second if edge is None else of_both
                            saved = kept(plan, (input, other), out)
                        if node_class is None:
                            node_class = primitive.node_class
                        out._node = node = new(node_class)
                        node.number = next(clock)
                        node.edges = (edge, other_edge)
                        if of_number or data.shape == array.shape:
                            node.fits = None
                        else:
                            dtype = data.dtype
                            node.fits = ((data.shape, dtype), (array.shape, dtype))
                        if not saves_none:
                            node.saved = saved
                        return out
        elif kind is ndarray and type(other) in RAW:
            return forward(input, other)
        return otherwise(primitive, (input, other), {})

    return call


def pointwise(primitive: Primitive) -> Call:
    """Return the function of an elementwise primitive of any number of inputs.

    Its own forward sees to what is not of the common dtype, such as a condition.
    """
    forward = primitive.forward
    refused = primitive.refused_kinds
    if primitive.statics or len(primitive.outputs) > 1:
        return anything(primitive)
    differentiable = [name in primitive.rules for name in primitive.inputs]
    plan_for = planner(primitive)
    node_class: Any = None

    def call(*args: Any) -> Any:
        nonlocal node_class
        arrays: list[Any] = []
        edges: Any = []
        dtype = None
        recorded = uniform = False
        for arg, matters in zip(args, differentiable):  # noqa: B905 (quicker)
            kind = type(arg)
            if kind is Tensor or kind is Parameter:
                if arg._special is not None and not is_settled_view(arg):
                    return general(primitive, args, {})
                array = arg._data
                arrays.append(array)
                edges.append(arg._node if matters else None)
                if matters:
                    if dtype is None:
                        dtype = array.dtype
                        shape = array.shape
                        uniform = True
                    elif array.dtype is not dtype:
                        return general(primitive, args, {})
                    elif array.shape != shape:
                        uniform = False
                    if arg._node is not None:
                        recorded = True
            elif kind is float or kind is int or arg is None:
                arrays.append(arg)
                edges.append(None)
            else:
                break
        else:
            if refused and dtype is not None and dtype.kind in refused:
                return general(primitive, args, {})
            try:
                result = forward(*arrays)
            except REFUSED:
                return general(primitive, args, {})
            if type(result) is not ndarray:
                result = asarray(result)
            if result.dtype is dtype:
                out = new(Tensor)
                out._data = result
                out._counter = None
                out._special = None
                if not recorded:
                    out._node = None
                    return out
                if not modes.special:
                    if node_class is None:
                        node_class = primitive.node_class
                    out._node = node = new(node_class)
                    node.number = next(clock)
                    node.edges = edges = tuple(edges)
                    if uniform and result.shape == shape:
                        node.fits = None
                    else:
                        node.fits = fits(arrays, edges)
                    node.saved = kept(plan_for(edges), args, out)
                    return out
        for arg in args:
            if type(arg) is not ndarray:
                return general(primitive, args, {})
        return forward(*args)

    return call


def predicate(
    primitive: Primitive, otherwise: Call = general, numbers: bool = True
) -> Call:
    """Return the function of an elementwise primitive without derivative of two inputs.

    Its result has bools, or the dtype of the inputs.

    Args:
        primitive: the primitive.
        otherwise: what is called in place of `general`.
        numbers: whether the second input may be a number here.
    """
    forward = primitive.forward
    refused = primitive.refused_kinds

    def call(input: Any, other: Any) -> Any:
        kind = type(input)
        if (kind is Tensor or kind is Parameter) and (
            input._special is None or is_settled_view(input)
        ):
            data = input._data
            kind = type(other)
            if kind is Tensor or kind is Parameter:
                array = other._data
                quick = data.dtype is array.dtype and (
                    other._special is None or is_settled_view(other)
                )
            else:
                # NumPy compares any integers by value, PyTorch wraps the number round.
                quick = numbers and (kind is float or kind is int)
                quick = quick and data.dtype.kind == "f"
                array = other
                if quick:
                    array = constants.get((data.dtype.num, other or ZERO))
                    if array is None:
                        array = make_constant(other or ZERO, data.dtype)
            if quick and not (refused and data.dtype.kind in refused):
                try:
                    result = forward(data, array)
                except REFUSED:
                    return otherwise(primitive, (input, other), {})
                if type(result) is not ndarray:
                    result = asarray(result)
                if result.dtype is BOOL or result.dtype is data.dtype:
                    out = new(Tensor)
                    out._data = result
                    out._counter = None
                    out._special = None
                    out._node = None
                    return out
        elif kind is ndarray and type(other) in RAW:
            return forward(input, other)
        return otherwise(primitive, (input, other), {})

    return call


def writing(primitive: Primitive, otherwise: Call) -> Call:
    """Return the in-place function of a primitive of two inputs that is a ufunc.

    Where nothing is recorded it writes into the memory of a plain tensor directly:
    large arrays take half the time of computing first and copying then.

    Args:
        primitive: the primitive.
        otherwise: the in-place function for all other cases.
    """
    forward = primitive.forward

    def call(input: Any, other: Any) -> Any:
        kind = type(input)
        if (kind is Tensor or kind is Parameter) and input._special is None:
            data = input._data
            recorded = input._node is not None
            kind = type(other)
            if kind is Tensor or kind is Parameter:
                array = other._data
                quick = data.dtype is array.dtype and (
                    other._special is None or is_settled_view(other)
                )
                recorded = recorded or other._node is not None
            else:
                quick = kind is float or kind is int
                array = other
                if quick and other:
                    array = constants.get((data.dtype.num, other))
                    if array is None:
                        array = make_constant(other, data.dtype)
            if quick and (not recorded if not modes.special else only_grad_is_off()):
                try:
                    forward(data, array, data)
                except REFUSED:
                    return otherwise(input, other)
                counter(input)[0] += 1
                return input
        return otherwise(input, other)

    return call


def only_grad_is_off() -> bool:
    """Whether the only mode that is on is that this thread records nothing."""
    return modes.special == 1 and not modes.local.grad
