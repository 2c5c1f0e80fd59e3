"""The quick call of any op, and what those of special kinds share.

See Note [What a quick call looks at].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import asarray, ndarray

from .. import modes
from ..dispatch import general, record
from ..engine import clock
from ..forms import form_of
from ..primitive import Primitive
from ..tensor import Parameter, Tensor, counter, new
from ..views import View

Call = Callable[..., Any]


def anything(primitive: Primitive) -> Call:
    """Return the function of a primitive of any inputs and parameters."""
    forward = primitive.forward
    single = len(primitive.outputs) == 1 and not primitive.several
    if single and not primitive.variadic and primitive.kind != "view":
        return ordinary(primitive)

    if (
        single
        and primitive.variadic
        and primitive.promote is None
        and not primitive.hidden
        and not set(primitive.saves) - {rest_of(primitive)}
    ):
        return listed(primitive)

    def call(*args: Any, **params: Any) -> Any:
        for arg in args:
            if type(arg) is not ndarray:
                return general(primitive, args, params)
        return forward(*args, **params)

    return call


def rest_of(primitive: Primitive) -> str:
    """Return the name of the inputs of which there may be any number."""
    return primitive.inputs[-1].lstrip("*")


def listed(primitive: Primitive) -> Call:
    """Return the function of a primitive of any number of inputs with one result.

    It saves none of them, or those of which there may be any number, for what they are:
    indices.
    """
    forward = primitive.forward
    first = len(primitive.inputs) - 1
    saves = bool(primitive.saves)
    shapes = f"{rest_of(primitive)}_shape"
    wants_shapes = shapes in primitive.statics
    attributes = attributes_of(primitive)
    node_class: Any = None

    def call(*args: Any, **params: Any) -> Any:
        nonlocal node_class
        arrays: list[Any] = []
        edges: Any = []
        recorded = False
        for arg in args:
            kind = type(arg)
            if kind is not Tensor and kind is not Parameter:
                return otherwise(*args, **params)
            if arg._special is not None and not is_settled_view(arg):
                return general(primitive, args, params)
            arrays.append(arg._data)
            edges.append(arg._node)
            if arg._node is not None:
                recorded = True
        if recorded and modes.special:
            if not only_grad_is_off():
                return general(primitive, args, params)
            recorded = False
        result = forward(*arrays, **params)
        if type(result) is not ndarray:
            result = asarray(result)
        if recorded and casts(arrays, edges, result.dtype):
            return record(primitive, args, arrays, params, result, 0)
        out = new(Tensor)
        out._data = result
        out._form = None
        out._counter = None
        out._special = None
        out._node = None
        if recorded:
            if node_class is None:
                node_class = primitive.node_class
            out._node = node = node_class()
            node.number = next(clock)
            node.edges = tuple(edges)
            node.fits = None
            if wants_shapes:
                params[shapes] = tuple([array.shape for array in arrays[first:]])
            for name, position, attribute in attributes:
                if name not in params:
                    params[name] = getattr(arrays[position], attribute)
            node.params = params
            if saves:
                node.saved = (tuple(arrays[first:]), None)
        return out

    def otherwise(*args: Any, **params: Any) -> Any:
        if all([type(arg) is ndarray for arg in args]):
            return forward(*args, **params)
        return general(primitive, args, params)

    return call


def casts(arrays: list[Any], edges: list[Any], dtype: np.dtype[Any]) -> bool:
    """Whether the cotangent of an input has another dtype than that of the result."""
    for array, edge in zip(arrays, edges, strict=True):
        if edge is not None and array.dtype is not dtype:
            return True
    return False


def attributes_of(primitive: Primitive) -> list[tuple[str, int, str]]:
    """Return the shapes and dtypes of inputs that rules name: name, position, which."""
    found = []
    for name in primitive.statics:
        what, _, attribute = name.rpartition("_")
        if attribute in ("shape", "dtype") and what in primitive.inputs:
            found.append((name, primitive.inputs.index(what), attribute))
    return found


def ordinary(primitive: Primitive) -> Call:
    """Return the function of a primitive with one result.

    If it promotes its inputs, they must be floats of one dtype here. What its rules ask
    for that is no array is in the parameters, or one look away.
    """
    forward = primitive.forward_with_hidden
    has_hidden = bool(primitive.hidden)
    differentiable = primitive.differentiable
    saves = bool(primitive.saves)
    wants_params = bool(primitive.statics) or has_hidden
    attributes = attributes_of(primitive)
    promotes = primitive.promote is not None
    broadcasts = primitive.kind in ("elementwise", "bilinear")
    plan_for = planner(primitive)
    node_class: Any = None

    def call(*args: Any, **params: Any) -> Any:
        nonlocal node_class
        arrays: list[Any] = []
        edges: Any = []
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
        recorded = differentiable and any(edges)
        if recorded and modes.special:
            if not only_grad_is_off():
                return general(primitive, args, params)
            recorded = False
        result = forward(*arrays, **params)
        hidden = ()
        if has_hidden:
            result, *hidden = result
        if raw:
            return result
        if type(result) is not ndarray:
            result = asarray(result)
        out = new(Tensor)
        out._data = result
        out._form = None
        out._counter = None
        out._special = None
        out._node = None
        dtype = result.dtype
        if recorded and dtype.kind in "fc":
            if node_class is None:
                node_class = primitive.node_class
            node = node_class()
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
                node.saved = kept(plan_for(edges), args, out, hidden)
            out._node = node
        return out

    return call


def is_settled_view(tensor: Tensor) -> bool:
    """Whether a tensor is a view, of a plain base, whose node is up to date.

    Where nothing is recorded, nodes do not matter.
    """
    special = tensor._special
    if type(special) is not View:
        return False
    base = special.base
    if special.level or base._special is not None:
        return False
    if tensor._node is None:
        current = base._node is None
    else:
        current = special.version == base._counter[0]  # type: ignore[index]
    return current or (modes.special == 1 and not modes.local.grad)


def is_settled(tensor: Tensor) -> bool:
    """Whether a tensor is plain, which gives it its form, or a settled view."""
    if tensor._special is None:
        tensor._form = form_of(tensor._data)
        return True
    return is_settled_view(tensor)


def alike(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors without a common form are settled and have one dtype."""
    return (
        (one._form is not None or is_settled(one))
        and (other._form is not None or is_settled(other))
        and one._data.dtype is other._data.dtype
    )


def only_grad_is_off() -> bool:
    """Whether the only mode that is on is that this thread records nothing."""
    return modes.special == 1 and not modes.local.grad


def version_of(tensor: Tensor) -> int:
    counter = tensor._counter
    return 0 if counter is None else counter[0]


def fits(arrays: Sequence[Any], edges: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the shape and dtype that the cotangent of each input must have."""
    return tuple(
        [
            None if edge is None else (array.shape, array.dtype)
            for array, edge in zip(arrays, edges, strict=True)
        ]
    )


Plan = tuple[int | None, ...]


def planner(primitive: Primitive) -> Callable[[tuple[Any, ...]], Plan]:
    """Return the function that says for given edges what a node saves.

    It is worked out once for each combination of edges: for each name in
    `primitive.saves` the position of an input, -1 for the result, a lower number for a
    hidden output, None for what is not needed.
    """
    last = -1 - len(primitive.hidden)
    places = {name: last + i for i, name in enumerate(primitive.hidden)}
    places |= {name: position for position, name in enumerate(primitive.inputs)}
    plans: dict[tuple[bool, ...], Plan] = {}

    def plan_for(edges: tuple[Any, ...]) -> Plan:
        mask = tuple([edge is not None for edge in edges])
        plan = plans.get(mask)
        if plan is None:
            needed = primitive.needed(edges)
            plan = plans[mask] = tuple(
                [
                    places.get(name, -1) if name in needed else None
                    for name in primitive.saves
                ]
            )
        return plan

    return plan_for


def kept(
    plan: Plan, args: Sequence[Any], out: Tensor, hidden: Sequence[Any] = ()
) -> tuple[Any, ...]:
    """Return what a node saves, see `saved`."""
    entries: list[Any] = []
    for position in plan:
        if position is None:
            entries += (None, None)
        elif position >= 0:
            arg = args[position]
            kind = type(arg)
            if kind is Tensor or kind is Parameter:
                version = arg._counter
                entries += (arg, 0 if version is None else version[0])
            else:
                entries += (arg, None)
        elif position == -1:
            entries += (out._data, (counter(out), 0))
        else:
            entries += (hidden[position + 1], None)
    return tuple(entries)
