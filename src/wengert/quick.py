"""The quick calls: the commonest cases of `dispatch.general` in a fraction of its time.

`dispatch.general` says what is right for every primitive and all arguments. Most calls
are of an elementwise op on tensors of the same dtype, or a tensor and a number: each
function here looks whether that is so, does the same with what can be known before the
call worked out beforehand, and turns to `general` for all else.

Note [What a quick call looks at]
    The tensors are plain, or views that are up to date (Note [Plain tensors]); there is
    nothing to promote: the inputs have one dtype, numbers are Python's, and the result
    has that dtype, too, which NumPy and PyTorch do not agree upon otherwise; no mode is
    on that concerns recording. What NumPy refuses, `general` refuses with the right words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import asarray, ndarray

from . import modes
from .dispatch import general, record
from .engine import clock
from .primitive import Primitive
from .tensor import Parameter, Tensor, counter, new
from .views import View

Call = Callable[..., Any]
BOOL = np.dtype(bool)
REFUSED = (TypeError, ValueError, OverflowError)


def anything(primitive: Primitive) -> Call:
    """Return the function of a primitive of any inputs and parameters."""
    forward = primitive.forward
    single = len(primitive.outputs) == 1 and not primitive.several
    if single and not primitive.variadic and primitive.kind != "view":
        return ordinary(primitive)

    def call(*args: Any, **params: Any) -> Any:
        for arg in args:
            if type(arg) is not ndarray:
                return general(primitive, args, params)
        return forward(*args, **params)

    return call


def ordinary(primitive: Primitive) -> Call:
    """Return the function of a primitive with one result.

    If it promotes its inputs, they must be floats of one dtype here. What its rules ask for that is no array is in the parameters, or one look away.
    """
    forward = primitive.forward_with_hidden
    has_hidden = bool(primitive.hidden)
    differentiable = primitive.differentiable
    saves = bool(primitive.saves)
    wants_params = bool(primitive.statics) or has_hidden
    attributes = [
        (name, primitive.inputs.index(what), attribute)
        for name, (what, _, attribute) in (
            (name, name.rpartition("_")) for name in primitive.statics
        )
        if attribute in ("shape", "dtype") and what in primitive.inputs
    ]
    promotes = primitive.promote is not None
    broadcasts = primitive.kind in ("elementwise", "bilinear")
    keep = keeper(primitive)
    node_class: Any = None

    def call(*args: Any, **params: Any) -> Any:
        nonlocal node_class
        arrays = []
        edges = []
        raw = True
        common = None
        for arg in args:
            kind = type(arg)
            if kind is Tensor or kind is Parameter:
                if arg._special is not None and not is_settled_view(arg):
                    return general(primitive, args, params)
                raw = False
                array = arg._data
                if promotes:
                    if common is None:
                        common = array.dtype
                    if array.dtype is not common or common.kind != "f":
                        return general(primitive, args, params)
                arrays.append(array)
                edges.append(arg._node)
            elif kind is ndarray or arg is None or kind is float or kind is int:
                arrays.append(arg)
                edges.append(None)
            else:
                return general(primitive, args, params)
        result = forward(*arrays, **params)
        hidden = ()
        if has_hidden:
            result, *hidden = result
        if raw:
            return result
        if type(result) is not ndarray:
            result = asarray(result)
        recorded = differentiable and any(edges)
        if recorded and modes.special:
            return record(primitive, args, arrays, params, result, 0, hidden)
        out = new(Tensor)
        out._data = result
        out._counter = None
        out._special = None
        out._node = None
        dtype = result.dtype
        if recorded and dtype.kind in "fc":
            if node_class is None:
                node_class = primitive.node_class
            node = new(node_class)
            node.number = next(clock)
            node.edges = edges = tuple(edges)
            node.fits = None
            for array, edge in zip(arrays, edges, strict=True):
                if edge is not None and (
                    array.dtype is not dtype
                    or (broadcasts and array.shape != result.shape)
                ):
                    node.fits = fits(arrays, edges)
                    break
            if wants_params:
                for name, position, attribute in attributes:
                    if name not in params:
                        params[name] = getattr(arrays[position], attribute, None)
                node.params = params
            if saves:
                node.saved = keep(args, edges, out, hidden)
            out._node = node
        return out

    return call


def unary(primitive: Primitive) -> Call:
    """Return the function of an elementwise primitive of one input."""
    forward = primitive.forward
    compute = primitive.checked_forward
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
            try:
                result = compute(data)
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


def binary(primitive: Primitive, otherwise: Call = general) -> Call:
    """Return the function of an elementwise primitive of two inputs.

    Args:
        otherwise: what is called in place of `general`.
    """
    forward = primitive.forward
    compute = primitive.checked_forward
    if not primitive.differentiable or primitive.statics:
        return anything(primitive)
    first, second = primitive.inputs
    saves_none = not primitive.saves
    saves_opposite = [
        primitive.rules[name].names if name in primitive.rules else ()
        for name in primitive.inputs
    ] == [("grad", second), ("grad", first)]
    keep = keeper(primitive)
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
                array = other._data
                quick = data.dtype is array.dtype and (
                    other._special is None or is_settled_view(other)
                )
                other_edge = other._node
            else:
                array = other
                quick = kind is float or kind is int
                other_edge = None
            if quick:
                try:
                    result = compute(data, array)
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
                        if saves_none:
                            kept = None
                        elif saves_opposite:
                            if other_edge is None:
                                if array is other:
                                    kept = (other, None, None, None)
                                else:
                                    version = other._counter
                                    version = 0 if version is None else version[0]
                                    kept = (other, version, None, None)
                            else:
                                version = input._counter
                                version = 0 if version is None else version[0]
                                if edge is None:
                                    kept = (None, None, input, version)
                                else:
                                    kept = (other, other._version, input, version)
                        else:
                            kept = keep((input, other), (edge, other_edge), out)
                        if node_class is None:
                            node_class = primitive.node_class
                        out._node = node = new(node_class)
                        node.number = next(clock)
                        node.edges = (edge, other_edge)
                        if array is other or data.shape == array.shape:
                            node.fits = None
                        else:
                            dtype = data.dtype
                            node.fits = ((data.shape, dtype), (array.shape, dtype))
                        if not saves_none:
                            node.saved = kept
                        return out
        elif kind is ndarray and type(other) is ndarray:
            return forward(input, other)
        return otherwise(primitive, (input, other), {})

    return call


def pointwise(primitive: Primitive) -> Call:
    """Return the function of an elementwise primitive of any number of inputs.

    Its own forward sees to what is not of the common dtype, such as a condition.
    """
    forward = primitive.forward
    compute = primitive.checked_forward
    if primitive.statics or len(primitive.outputs) > 1:
        return anything(primitive)
    differentiable = [name in primitive.rules for name in primitive.inputs]
    keep = keeper(primitive)
    node_class: Any = None

    def call(*args: Any) -> Any:
        nonlocal node_class
        arrays = []
        edges = []
        dtype = None
        for arg, matters in zip(args, differentiable, strict=True):
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
                    elif array.dtype is not dtype:
                        return general(primitive, args, {})
            elif kind is float or kind is int or arg is None:
                arrays.append(arg)
                edges.append(None)
            else:
                break
        else:
            try:
                result = compute(*arrays)
            except REFUSED:
                return general(primitive, args, {})
            if type(result) is not ndarray:
                result = asarray(result)
            if result.dtype is dtype:
                out = new(Tensor)
                out._data = result
                out._counter = None
                out._special = None
                out._node = None
                if not any(edges):
                    return out
                if not modes.special:
                    if node_class is None:
                        node_class = primitive.node_class
                    node = new(node_class)
                    node.number = next(clock)
                    node.edges = edges = tuple(edges)
                    shape = result.shape
                    node.fits = None
                    for array, edge in zip(arrays, edges, strict=True):
                        if edge is not None and array.shape != shape:
                            node.fits = fits(arrays, edges)
                            break
                    node.saved = keep(args, edges, out)
                    out._node = node
                    return out
        for arg in args:
            if type(arg) is not ndarray:
                return general(primitive, args, {})
        return forward(*args)

    return call


def predicate(primitive: Primitive, otherwise: Call = general) -> Call:
    """Return the function of an elementwise primitive without derivative of two inputs.

    Its result has bools, or the dtype of the inputs.
    """
    forward = primitive.forward
    compute = primitive.checked_forward

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
                array = other
                # NumPy compares any integers by value, PyTorch wraps the number round.
                quick = (kind is float or kind is int) and data.dtype.kind == "f"
            if quick:
                try:
                    result = compute(data, array)
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
        elif kind is ndarray and type(other) is ndarray:
            return forward(input, other)
        return otherwise(primitive, (input, other), {})

    return call


def is_settled_view(tensor: Tensor) -> bool:
    """Whether a tensor is a view whose node is up to date, of a NumPy array."""
    special = tensor._special
    return type(special) is View and special.is_current(tensor)


def fits(arrays: list[Any], edges: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the shape and dtype that the cotangent of each input must have."""
    return tuple(
        [
            None if edge is None else (array.shape, array.dtype)
            for array, edge in zip(arrays, edges, strict=True)
        ]
    )


def keeper(primitive: Primitive) -> Call:
    """Return the function that makes `saved` for a node of a primitive.

    What is needed depends on which edges there are only; it is worked out once for each
    combination.
    """
    inputs = primitive.inputs
    last = -1 - len(primitive.hidden)
    places = {name: last + i for i, name in enumerate(primitive.hidden)}
    places |= {name: position for position, name in enumerate(inputs)}
    positions = [places.get(name, -1) for name in primitive.saves]
    plans: dict[tuple[bool, ...], list[int | None]] = {}

    def plan_for(mask: tuple[bool, ...], edges: tuple[Any, ...]) -> list[int | None]:
        needed = primitive.needed(edges)
        plan = [
            position if name in needed else None
            for name, position in zip(primitive.saves, positions, strict=True)
        ]
        plans[mask] = plan
        return plan

    def keep(
        args: tuple[Any, ...],
        edges: tuple[Any, ...],
        out: Tensor,
        hidden: Sequence[Any] = (),
    ) -> Any:
        mask = tuple([edge is not None for edge in edges])
        saved: list[Any] = []
        for position in plans.get(mask) or plan_for(mask, edges):
            if position is None:
                saved += (None, None)
            elif position == -1:
                saved += (out._data, (counter(out), 0))
            elif position < 0:
                saved += (hidden[position + 1], None)
            else:
                arg = args[position]
                kind = type(arg)
                if kind is Tensor or kind is Parameter:
                    version = arg._counter
                    saved += (arg, 0 if version is None else version[0])
                else:
                    saved += (arg, None)
        return tuple(saved)

    return keep
