"""The quick calls of elementwise ops, the most frequent ones of all.

See Note [What a quick call looks at].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import asarray, ndarray

from .. import modes
from ..constants import ZERO, make as make_constant, table_of
from ..dispatch import general
from ..engine import clock
from ..primitive import Primitive
from ..tensor import Parameter, Tensor, counter, new
from .calls import (
    Call,
    alike,
    anything,
    fits,
    is_settled,
    is_settled_view,
    kept,
    only_grad_is_off,
    planner,
)

BOOL = np.dtype(bool)
REFUSED = (TypeError, ValueError, OverflowError)
RAW = (ndarray, int, float)
SMALL = 128
"""Integers below this are the same in all dtypes of integers."""
BOTH, FIRST, SECOND = (1, 1), (1, None), (None, 1)
"""Which of two inputs have edges."""


def unary(primitive: Primitive) -> Call:
    """Return the function of an elementwise primitive of one input."""
    forward = primitive.forward
    refused = primitive.refused_kinds
    saves = primitive.saves
    if primitive.statics or len(saves) > 1:
        return anything(primitive)
    records = primitive.differentiable
    keeps_form = records and isinstance(forward, np.ufunc)
    allowed = None if records else BOOL
    saves_self, saves_result = saves == ("self",), saves == ("result",)
    node_class: Any = None

    def call(input: Any) -> Any:
        nonlocal node_class
        kind = type(input)
        if kind is ndarray:
            return forward(input)
        if kind is not Tensor and kind is not Parameter:
            return general(primitive, (input,), {})
        data = input._data
        form = input._form
        if form is None and (
            (input._special is not None and not is_settled_view(input))
            or (refused and data.dtype.kind in refused)
        ):
            return general(primitive, (input,), {})
        edge = input._node
        if edge is not None and (modes.special or not records):
            if records and not only_grad_is_off():
                return general(primitive, (input,), {})
            edge = None
        try:
            result = forward(data)
        except REFUSED:
            return general(primitive, (input,), {})
        if type(result) is not ndarray:
            result = asarray(result)
        if (form is None or not keeps_form) and result.dtype is not data.dtype:
            if result.dtype is not allowed:
                return general(primitive, (input,), {})
            form = None
        out = new(Tensor)
        out._data = result
        out._form = form
        out._counter = None
        out._special = None
        if edge is None:
            out._node = None
            return out
        if node_class is None:
            node_class = primitive.node_class
        out._node = node = node_class()
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
    if not primitive.differentiable or primitive.statics:
        return anything(primitive)
    forward = primitive.forward
    refused = primitive.refused_kinds
    is_ufunc = isinstance(forward, np.ufunc)
    saves = bool(primitive.saves)
    of_both, of_first, of_second = map(planner(primitive), (BOTH, FIRST, SECOND))
    in_order = primitive.saves == primitive.inputs
    saves_both = in_order or primitive.saves == primitive.inputs[::-1]
    if saves_both:
        of_both, of_first, of_second = [
            (0 in plan, 1 in plan) for plan in (of_both, of_first, of_second)
        ]
    node_class: Any = None

    def call(input: Any, other: Any) -> Any:
        nonlocal node_class
        kind = type(input)
        if kind is not Tensor and kind is not Parameter:
            if kind is ndarray and type(other) in RAW:
                return forward(input, other)
            return otherwise(primitive, (input, other), {})
        data = input._data
        form = input._form
        kind = type(other)
        if kind is Tensor or kind is Parameter:
            array = other._data
            other_edge = other._node
            if form is None or form is not other._form:
                if not alike(input, other):
                    return otherwise(primitive, (input, other), {})
                form = input._form if input._form is other._form else None
        elif numbers and (kind is float or kind is int):
            if form is None:
                if not is_settled(input):
                    return otherwise(primitive, (input, other), {})
                form = input._form
            array = other
            other_edge = None
            if is_ufunc and other:
                table = table_of(data.dtype) if form is None else form.numbers
                array = table.get(other)
                if array is None:
                    array = make_constant(other, data.dtype)
        else:
            return otherwise(primitive, (input, other), {})
        if refused and form is None and data.dtype.kind in refused:
            return otherwise(primitive, (input, other), {})
        edge = input._node
        if modes.special and (edge is not None or other_edge is not None):
            if not only_grad_is_off():
                return otherwise(primitive, (input, other), {})
            edge = other_edge = None
        try:
            result = forward(data, array)
        except REFUSED:
            return otherwise(primitive, (input, other), {})
        if type(result) is not ndarray:
            result = asarray(result)
        if (form is None or not is_ufunc) and result.dtype is not data.dtype:
            return otherwise(primitive, (input, other), {})
        out = new(Tensor)
        out._data = result
        out._form = form
        out._counter = None
        out._special = None
        if edge is None and other_edge is None:
            out._node = None
            return out
        if node_class is None:
            node_class = primitive.node_class
        out._node = node = node_class()
        node.number = next(clock)
        node.edges = (edge, other_edge)
        alike_shapes = form is not None or kind is float or kind is int
        if alike_shapes or data.shape == array.shape:
            node.fits = None
        else:
            dtype = data.dtype
            node.fits = ((data.shape, dtype), (array.shape, dtype))
        if not saves:
            return out
        if other_edge is None:
            needed = of_first
        else:
            needed = of_second if edge is None else of_both
        if not saves_both:
            node.saved = kept(needed, (input, other), out)
            return out
        # The same, inlined: a third of the time of a recorded product.
        needs_input, needs_other = needed
        version = other_version = None
        if not needs_input:
            input = None
        else:
            version = input._counter
            version = 0 if version is None else version[0]
        if not needs_other:
            other = None
        elif kind is Tensor or kind is Parameter:
            other_version = other._counter
            other_version = 0 if other_version is None else other_version[0]
        if in_order:
            node.saved = (input, version, other, other_version)
        else:
            node.saved = (other, other_version, input, version)
        return out

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
            if recorded and modes.special:
                if not only_grad_is_off():
                    return general(primitive, args, {})
                recorded = False
            try:
                result = forward(*arrays)
            except REFUSED:
                return general(primitive, args, {})
            if type(result) is not ndarray:
                result = asarray(result)
            if result.dtype is dtype:
                out = new(Tensor)
                out._data = result
                out._form = None
                out._counter = None
                out._special = None
                if not recorded:
                    out._node = None
                    return out
                if node_class is None:
                    node_class = primitive.node_class
                out._node = node = node_class()
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
        if kind is not Tensor and kind is not Parameter:
            if kind is ndarray and type(other) in RAW:
                return forward(input, other)
            return otherwise(primitive, (input, other), {})
        data = input._data
        form = input._form
        kind = type(other)
        if kind is Tensor or kind is Parameter:
            array = other._data
            if form is None or form is not other._form:
                if not alike(input, other):
                    return otherwise(primitive, (input, other), {})
                form = input._form
        elif numbers and (kind is float or kind is int):
            if form is None and not is_settled(input):
                return otherwise(primitive, (input, other), {})
            array = table_of(data.dtype).get(other or ZERO)
            if array is None:
                array = make_constant(other or ZERO, data.dtype)
                # NumPy compares any integers by value, PyTorch wraps the number round.
                if array is other and (
                    kind is float
                    or not 0 <= other < SMALL
                    or data.dtype.kind not in "iub"
                ):
                    return otherwise(primitive, (input, other), {})
        else:
            return otherwise(primitive, (input, other), {})
        if refused and data.dtype.kind in refused:
            return otherwise(primitive, (input, other), {})
        try:
            result = forward(data, array)
        except REFUSED:
            return otherwise(primitive, (input, other), {})
        if type(result) is not ndarray:
            result = asarray(result)
        if result.dtype is not BOOL and result.dtype is not data.dtype:
            return otherwise(primitive, (input, other), {})
        out = new(Tensor)
        out._data = result
        out._form = None
        out._node = None
        out._counter = None
        out._special = None
        return out

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
                form = input._form
                quick = (form is not None and form is other._form) or alike(
                    input, other
                )
                recorded = recorded or other._node is not None
            else:
                quick = kind is float or kind is int
                array = other
                if quick and other:
                    array = table_of(data.dtype).get(other)
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
