"""Recording: the tensors of an op's results, and the node that knows how they came.

What a node keeps is worked out once for each primitive and for which of its inputs have
nodes (`Plan`); to record is then to follow the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy import ndarray

from . import modes, views
from .engine import Edges, Node, clock, outputs_of
from .primitive import Primitive
from .saved import check_savable
from .tensor import (
    INFERENCE,
    Layer,
    Special,
    Tensor,
    counter,
    history,
    is_differentiable,
    is_inference,
    new,
    wrap_at,
)


def lowest(array: Any) -> Any:
    """Return the array of a layer, or NumPy's, that is below any tensors."""
    while isinstance(array, Tensor):
        array = array._data
    return array


def numpy_dtype(array: Any) -> np.dtype[Any]:
    """Return the NumPy dtype of an array of any layer, or of a tensor."""
    array = lowest(array)
    found: np.dtype[Any]
    found = array.numpy_dtype if isinstance(array, Layer) else array.dtype
    return found


def record(
    primitive: Primitive,
    args: Sequence[Any],
    arrays: Sequence[Any],
    params: dict[str, Any],
    results: Any,
    level: int,
    hidden: Sequence[Any] = (),
    tracked: bool = True,
) -> Any:
    """Make tensors of results, with a node if any of the inputs requires grad.

    Args:
        tracked: whether any of the inputs may require grad.
    """
    kind = type(results)
    several = kind is tuple or kind is list or len(primitive.outputs) > 1
    outputs = (
        [wrap_at(level, item) for item in results]
        if several
        else (wrap_at(level, results),)
    )
    if primitive.kind == "view":
        attach_views(primitive, args, params, outputs)
    if modes.special and modes.local.inference and not level:
        for out in outputs:
            out._special = out._special or INFERENCE
    if tracked and primitive.differentiable and modes.is_grad_enabled_at(level):
        edges, cut_off = edges_of(args, level)
        if any(edges):
            add_node(primitive, args, arrays, params, outputs, edges, hidden)
        elif cut_off:
            for out in outputs:
                if is_differentiable(out._data.dtype):
                    out._node = views.Severed(primitive.node_class.__name__)
    return tuple(outputs) if several else outputs[0]


def edges_of(args: Sequence[Any], level: int) -> tuple[Edges, bool]:
    """Return for each argument that is a tensor of this level its node, else None.

    The second result is whether any of them requires grad without having a node. Such
    is a view that was made while recording was off: its gradient goes nowhere.
    """
    edges: list[Node | None] = []
    cut_off = inference = False
    for arg in args:
        edge = None
        if isinstance(arg, Tensor):
            special = arg._special
            if special is None:
                edge = None if level else arg._node
            elif special.level == level:
                if type(special) is Special:
                    edge = arg._node
                    inference = inference or special is INFERENCE
                else:
                    edge = history(arg)
                    cut_off = cut_off or (edge is None and special.requires_grad(arg))
        edges.append(edge)
    if inference and only_inference(args):
        return (None,) * len(edges), False
    return tuple(edges), cut_off


def only_inference(args: Sequence[Any]) -> bool:
    """Whether an op is of tensors alone that were made in inference mode.

    Such is not recorded, even if they require grad. A number counts as a tensor from
    outside.
    """
    kinds = (Tensor, int, float, complex)
    given = [arg for arg in args if isinstance(arg, kinds)]
    return all([isinstance(arg, Tensor) and is_inference(arg) for arg in given])


# --- nodes ----------------------------------------------------------------------------

NOTHING, INPUT, REST, OUTPUT, HIDDEN = range(5)


class Plan:
    """What the node of a primitive keeps if some of its inputs have nodes.

    `saves` says for each name in `primitive.saves` what it is and its position;
    `attributes` are the shapes and dtypes that rules ask for: under which name, of
    which input, which of the two.
    """

    __slots__ = ("attributes", "saves")

    def __init__(self, primitive: Primitive, edges: Edges) -> None:
        needed = primitive.needed(edges)
        self.saves = [place_of(primitive, name, needed) for name in primitive.saves]
        self.attributes: list[tuple[str, str, str]] = []
        for name in primitive.statics:
            what, _, attribute = name.rpartition("_")
            is_needed = name in needed and attribute in ("shape", "dtype")
            self.attributes.append((name, what if is_needed else "", attribute))


def place_of(
    primitive: Primitive, name: str, needed: frozenset[str]
) -> tuple[int, int]:
    """Return what a name in `primitive.saves` stands for, and its position."""
    if name not in needed:
        return NOTHING, 0
    if name in primitive.hidden:
        return HIDDEN, primitive.hidden.index(name)
    if name in primitive.outputs:
        return OUTPUT, primitive.outputs.index(name)
    if primitive.variadic and name == primitive.inputs[-1][1:]:
        return REST, len(primitive.inputs) - 1
    return INPUT, primitive.inputs.index(name)


plans: dict[tuple[Primitive, tuple[bool, ...]], Plan] = {}


def plan_of(primitive: Primitive, edges: Edges) -> Plan:
    """Return the plan for a primitive if the inputs with these edges have nodes."""
    key = (primitive, tuple([edge is not None for edge in edges]))
    found = plans.get(key)
    if found is None:
        found = plans[key] = Plan(primitive, edges)
    return found


def add_node(
    primitive: Primitive,
    args: Sequence[Any],
    arrays: Sequence[Any],
    params: dict[str, Any],
    outputs: Sequence[Tensor],
    edges: Edges,
    hidden: Sequence[Any] = (),
) -> None:
    """Record an op: a node with what its rules need, to which the outputs point."""
    for out in outputs:
        data = lowest(out)
        dtype = data.dtype if type(data) is ndarray else data.numpy_dtype
        if dtype.kind in "fc":
            break
    else:
        return
    node = new(primitive.node_class)
    node.number = next(clock)
    node.edges = edges
    node.fits = fits(args, edges, data.shape, dtype)
    plan = plan_of(primitive, edges)
    if primitive.statics:
        node.params = statics(primitive, args, params, plan)
    if primitive.several or primitive.hidden:
        node.params = {**params, **getattr(node, "params", {}), "count": len(outputs)}
    if primitive.several:
        for each, collector in zip(
            outputs, outputs_of(node, len(outputs)), strict=True
        ):
            if is_differentiable(numpy_dtype(each)):
                each._node = collector
    else:
        out._node = node
    if primitive.saves:
        node.saved = saved(plan, args, arrays, outputs, hidden)
    if modes.special:
        recorded_specially(node)


def fits(
    args: Sequence[Any], edges: Edges, shape: Any, dtype: np.dtype[Any]
) -> tuple[Any, ...] | None:
    """Return the shapes and dtypes that cotangents must have, if they may differ.

    Args:
        shape, dtype: those of the result.
    """
    targets: list[Any] = []
    differ = False
    for arg, edge in zip(args, edges):  # noqa: B905 (quicker)
        target = None
        if isinstance(arg, Tensor):
            data = lowest(arg)
            found = data.dtype if type(data) is ndarray else data.numpy_dtype
            # A rule computes with inputs as they came: integers would make float64 of
            # float32.
            if found is not dtype:
                differ = True
            if edge is not None:
                target = (data.shape, found)
                if target[0] != shape:
                    differ = True
        targets.append(target)
    # what a hook gives back may have any shape and dtype
    if differ or (modes.special and modes.local.saved_hooks):
        return tuple(targets)
    return None


def statics(
    primitive: Primitive, args: Sequence[Any], params: dict[str, Any], plan: Plan
) -> dict[str, Any]:
    """Return what rules ask for that is not an array: parameters, shapes, dtypes."""
    found: dict[str, Any] = {}
    for name, what, attribute in plan.attributes:
        if name in params:
            found[name] = params[name]
        elif what:
            found[name] = attribute_of(primitive, args, what, attribute)
    return found


def attribute_of(
    primitive: Primitive, args: Sequence[Any], what: str, attribute: str
) -> Any:
    """Return the shape or dtype of an input: of each if there is any number of them."""
    if primitive.variadic and what == primitive.inputs[-1][1:]:
        rest = args[len(primitive.inputs) - 1 :]
        return tuple([array_attribute(arg, attribute) for arg in rest])
    return array_attribute(args[primitive.inputs.index(what)], attribute)


def array_attribute(value: Any, attribute: str) -> Any:
    """Return the shape or NumPy dtype of the array of a tensor, or of an array."""
    value = lowest(value)
    if attribute == "shape":
        return getattr(value, "shape", ())
    return numpy_dtype(value) if hasattr(value, "dtype") else None


def saved(
    plan: Plan,
    args: Sequence[Any],
    arrays: Sequence[Any],
    outputs: Sequence[Tensor],
    hidden: Sequence[Any] = (),
) -> tuple[Any, ...]:
    """Return what a node keeps of its inputs and outputs, see `wengert.saved`."""
    entries: list[Any] = []
    for kind, position in plan.saves:
        if kind == INPUT:
            arg = args[position]
            if not isinstance(arg, Tensor) or arrays[position] is arg:
                entries += (arg, None)
                continue
            special = arg._special
            if special is not None and not special.level:
                check_savable(arg)
            versions = arg._counter
            entries += (arg, 0 if versions is None else versions[0])
        elif kind == OUTPUT:
            out = outputs[position]
            versions = counter(out)
            special = out._special
            if special is not None and special.level:
                entries += (out._data, (versions, versions[0], special.level))
            else:
                entries += (out._data, (versions, versions[0]))
        elif kind == REST:
            entries += (tuple(arrays[position:]), None)
        else:
            entries += (hidden[position] if kind == HIDDEN else None, None)
    return tuple(entries)


recording_hooks: list[Callable[[Any], None]] = []
"""What modes do with a node that was recorded while one of them was on."""


def recorded_specially(node: Node) -> None:
    for hook in recording_hooks:
        hook(node)


# --- views ----------------------------------------------------------------------------


def attach_views(
    primitive: Primitive,
    args: Sequence[Any],
    params: dict[str, Any],
    outputs: Sequence[Tensor],
) -> None:
    """Let results that share memory with their first argument be views of it."""
    source, rest = args[0], args[1:]
    origin = modes.circumstance()
    if origin == "recorded" and primitive.several:
        origin = "several"
    step = primitive.call
    if rest:

        def step(base: Tensor, **params: Any) -> Any:
            return primitive.call(base, *rest, **params)

    for position, out in enumerate(outputs):
        if shares_memory(out._data, source):
            made = partial(views.one_of, step, position) if len(outputs) > 1 else step
            views.attach(out, source, made, origin, params)


def shares_memory(result: Any, source: Any) -> bool:
    """Whether the result of a view op is one, or had to be copied."""
    data = source._data
    if type(result) is not ndarray or type(data) is not ndarray:
        return True
    memory = result.base
    return memory is not None and (memory is data or memory is data.base)
