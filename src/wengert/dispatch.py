"""THE call: compute, record, or hand an op to the layer on top.

A primitive called on arrays computes. Called on tensors, it computes on their arrays
and, if one of them requires grad, records a node. `general` does this for every
primitive and says what the right result is; the functions of `quick` do the same for
the commonest cases in a fraction of the time, and turn to `general` for all others.

Arrays may be NumPy's or belong to a `Layer` (a tangent beside a primal, a batch, a
trace): then `general` hands the primitive to the layer of the highest level, to which
everything of a lower level is a constant. A tensor belongs to the level of its array.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from . import dtypes, errors, modes, views
from .engine import Edges, Node, clock, outputs_of
from .primitive import Primitive
from .saved import check_savable
from .tensor import (
    INFERENCE,
    Layer,
    Parameter,
    Tensor,
    counter,
    history,
    is_differentiable,
    level_of,
    new,
    wrap_at,
)

# --- the general call -----------------------------------------------------------------

tracing: Callable[[Sequence[Any]], None] | None = None
"""What a running trace does with tensors that an op is about to see, see `compiler`."""


def general(primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
    """Call a primitive on arrays, tensors, Python numbers, in any mixture."""
    if tracing is not None:
        tracing(args)
    level = -1
    owner: type[Layer] | None = None
    for arg in args:
        if isinstance(arg, Tensor):
            kind = type(arg)
            if kind is not Tensor and kind is not Parameter and modes.local.overriding:
                from .subclassing import overrides

                if overrides(kind):
                    return handed_over(primitive, args, params)
            special = arg._special
            found = special.level if special is not None else 0
            if found >= level:
                level, owner = found, None
        elif isinstance(arg, Layer) and arg.level > level:
            level, owner = arg.level, type(arg)
    if owner is not None:
        return owner.process(primitive, level, args, params)
    if level < 0:
        return primitive.forward(*args, **params)
    arrays = [
        arg._data
        if isinstance(arg, Tensor)
        and (arg._special.level if arg._special is not None else 0) == level
        else arg
        for arg in args
    ]
    try:
        if primitive.promote is not None:
            arrays = promoted(arrays, primitive)
        if primitive.hidden and any([isinstance(a, Layer | Tensor) for a in arrays]):
            return primitive.decomposition(*args, **params)  # type: ignore[misc]
        if modes.special and modes.local.compute is not None:
            results, hidden = modes.local.compute(primitive, arrays, params)
        else:
            results, hidden = computed(primitive, arrays, params)
    except (TypeError, ValueError) as error:
        raise explained(primitive, arrays, error) from error
    return record(primitive, args, arrays, params, results, level, hidden)


def handed_over(primitive: Primitive, args: Sequence[Any], params: Any) -> Any:
    """Let the class of an argument handle a primitive."""
    from .subclassing import candidates, handle_torch_function

    relevant = candidates(args)
    return handle_torch_function(primitive.call, relevant, *args, **params)


def computed(
    primitive: Primitive, arrays: Sequence[Any], params: dict[str, Any]
) -> tuple[Any, Sequence[Any]]:
    """Return a primitive's results, and what its rules need of the forward besides."""
    if not primitive.hidden:
        return compute(primitive, arrays, params), ()
    results, *hidden = primitive.forward_with_hidden(*arrays, **params)
    return results, hidden


def compute(primitive: Primitive, arrays: Sequence[Any], params: dict[str, Any]) -> Any:
    """Call a primitive on arrays of any layer."""
    for array in arrays:
        if type(array) is not ndarray and isinstance(array, Layer | Tensor):
            return general(primitive, arrays, params)
    return primitive.forward(*arrays, **params)


def promoted(arrays: list[Any], primitive: Primitive) -> list[Any]:
    """Bring arrays to their common dtype; Python numbers adapt by themselves.

    An input that was not given is None and stays so.
    """
    arrays = [a.item() if isinstance(a, np.generic) else a for a in arrays]
    common = dtypes.result_dtype(*[a for a in arrays if a is not None])
    if primitive.refuses:
        refuse(primitive, arrays, common)
    if primitive.promote == "float" and common.kind not in "fc":
        common = dtypes.get_default_dtype().numpy
    return [
        array
        if array is None or isinstance(array, float | complex)
        else fitting_int(array, common)
        if isinstance(array, int)
        else array
        if numpy_dtype(array) == common
        else cast(array, common)
        for array in arrays
    ]


def numpy_dtype(array: Any) -> np.dtype[Any]:
    """Return the NumPy dtype of an array of any layer, or of a tensor."""
    found = array.dtype
    return found.numpy if type(found) is dtypes.dtype else found


def fitting_int(number: int, dtype: np.dtype[Any]) -> Any:
    """Return a Python integer as operations in a dtype take it: wrapped round."""
    if dtype.kind not in "iu":
        return number
    info = np.iinfo(dtype)
    if info.min <= number <= info.max:
        return number
    return np.array(number, np.int64).astype(dtype)


def refuse(primitive: Primitive, arrays: list[Any], common: np.dtype[Any]) -> None:
    """Raise the error about a dtype that a primitive is not for, if there is one."""
    found = [common]
    if primitive.refuses_each:
        found += [numpy_dtype(a) for a in arrays if hasattr(a, "dtype")]
    for dtype in found:
        if dtype.kind in primitive.refuses:
            raise refusal(primitive, dtype)


def refusal(primitive: Primitive, dtype: np.dtype[Any]) -> Exception:
    """Return the error about a dtype that a primitive is not for."""
    special = primitive.refuses.get(dtype.kind)
    if special is not None:
        return type(special)(*special.args)
    name = primitive.name.removesuffix("_number")
    return errors.not_for_dtype(name, dtypes.from_numpy(dtype).scalar_type)


def explained(
    primitive: Primitive, arrays: Sequence[Any], error: Exception
) -> Exception:
    """Return what PyTorch says where NumPy has said `error`."""
    message = str(error)
    if message.startswith("operands could not be broadcast"):
        return errors.sizes_do_not_match([getattr(a, "shape", ()) for a in arrays])
    if message.startswith("Integers to negative integer powers"):
        return RuntimeError(message)
    if message.startswith("result_type(): an operand"):
        return errors.not_an_operand(primitive.name, primitive.inputs, arrays)
    if message.startswith(("ufunc '", "numpy boolean")):
        return refusal(primitive, next(a.dtype for a in arrays if hasattr(a, "dtype")))
    return error


def cast(array: Any, dtype: np.dtype[Any]) -> Any:
    """Return an array of any layer with another dtype."""
    if type(array) is ndarray:
        return array.astype(dtype)
    return array.to(dtypes.from_numpy(dtype))


def record(
    primitive: Primitive,
    args: Sequence[Any],
    arrays: Sequence[Any],
    params: dict[str, Any],
    results: Any,
    level: int,
    hidden: Sequence[Any] = (),
) -> Any:
    """Make tensors of results, with a node if any of the inputs requires grad."""
    several = len(primitive.outputs) > 1 or type(results) in (tuple, list)
    outputs = [wrap_at(level, item) for item in (results if several else (results,))]
    if primitive.kind == "view":
        attach_views(primitive, args, params, outputs)
    if modes.special and modes.local.inference and not level:
        for out in outputs:
            out._special = out._special or INFERENCE
    if primitive.differentiable and modes.is_grad_enabled_at(level):
        edges = tuple([edge_of(arg, level) for arg in args])
        if any(edges):
            add_node(primitive, args, arrays, params, outputs, edges, hidden)
        elif any([is_cut_off(arg, level) for arg in args]):
            for out in outputs:
                if is_differentiable(out._data.dtype):
                    out._node = views.Severed()
    if not several:
        return outputs[0]
    return tuple(outputs)


def is_cut_off(arg: Any, level: int) -> bool:
    """Whether an argument requires grad without having a node.

    Such is a view that was made while recording was off: its gradient goes nowhere.
    """
    return (
        isinstance(arg, Tensor)
        and type(arg._special) is views.View
        and arg._special.level == level
        and arg.requires_grad
    )


def edge_of(arg: Any, level: int) -> Node | None:
    """Return the node of an argument that is a tensor of this level."""
    if isinstance(arg, Tensor):
        special = arg._special
        if special is None:
            return arg._node if level == 0 else None
        if special.level == level:
            return history(arg)
    return None


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
    targets = [out for out in outputs if is_differentiable(out._data.dtype)]
    if not targets:
        return
    node = new(primitive.node_class)
    node.number = next(clock)
    node.edges = edges
    node.fits = fits(args, edges, targets[0])
    needed = primitive.needed(edges)
    if primitive.statics:
        node.params = statics(primitive, args, params, needed)
    if primitive.several:
        node.params = {**params, "count": len(outputs)}
        if primitive.statics:
            node.params |= statics(primitive, args, params, needed)
        for out, collector in zip(outputs, outputs_of(node, len(outputs)), strict=True):
            if is_differentiable(out._data.dtype):
                out._node = collector
    else:
        targets[0]._node = node
    if primitive.hidden:
        node.params = {**params, **statics(primitive, args, params, needed)}
    if primitive.saves:
        node.saved = saved(primitive, args, arrays, outputs, needed, hidden)
    if modes.special:
        recorded_specially(node)


def fits(args: Sequence[Any], edges: Edges, result: Tensor) -> tuple[Any, ...] | None:
    """Return the shapes and dtypes that cotangents must have, if they may differ."""
    own = (result._data.shape, numpy_dtype(result._data))
    targets = [
        None if edge is None else (arg._data.shape, numpy_dtype(arg._data))
        for arg, edge in zip(args, edges, strict=True)
    ]
    # A rule computes with inputs as they came: integers would make float64 of float32.
    mixed = any(
        [isinstance(arg, Tensor) and numpy_dtype(arg._data) != own[1] for arg in args]
    )
    if not mixed and all([target is None or target == own for target in targets]):
        return None
    return tuple(targets)


def statics(
    primitive: Primitive,
    args: Sequence[Any],
    params: dict[str, Any],
    needed: frozenset[str],
) -> dict[str, Any]:
    """Return what rules ask for that is not an array: parameters, shapes, dtypes."""
    found: dict[str, Any] = {}
    for name in primitive.statics:
        if name in params:
            found[name] = params[name]
        elif name in needed:
            what, _, attribute = name.rpartition("_")
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
    while isinstance(value, Tensor):
        value = value._data
    if attribute == "shape":
        return getattr(value, "shape", ())
    return numpy_dtype(value) if hasattr(value, "dtype") else None


def saved(
    primitive: Primitive,
    args: Sequence[Any],
    arrays: Sequence[Any],
    outputs: Sequence[Tensor],
    needed: frozenset[str],
    hidden: Sequence[Any] = (),
) -> tuple[Any, ...]:
    """Return what a node keeps of its inputs and outputs, see above."""
    entries: list[Any] = []
    for name in primitive.saves:
        if name not in needed:
            entries += (None, None)
        elif name in primitive.hidden:
            entries += (hidden[primitive.hidden.index(name)], None)
        elif name in primitive.outputs:
            out = outputs[primitive.outputs.index(name)]
            level = level_of(out)
            versions = counter(out)
            check = (versions, versions[0], level) if level else (versions, versions[0])
            entries += (out._data, check)
        elif primitive.variadic and name == primitive.inputs[-1][1:]:
            entries += (tuple(arrays[len(primitive.inputs) - 1 :]), None)
        else:
            position = primitive.inputs.index(name)
            arg = args[position]
            if isinstance(arg, Tensor) and arg._special is not None:
                check_savable(arg)
            if (
                isinstance(arg, Tensor)
                and arg._data is not None
                and (arrays[position] is not arg)
            ):
                entries += (arg, arg._version)
            else:
                entries += (arg, None)
    return tuple(entries)


recording_hooks: list[Callable[[Any], None]] = []
"""What modes do with a node that was recorded while one of them was on."""


def recorded_specially(node: Node) -> None:
    for hook in recording_hooks:
        hook(node)


def attach_views(
    primitive: Primitive,
    args: Sequence[Any],
    params: dict[str, Any],
    outputs: Sequence[Tensor],
) -> None:
    """Let results that share memory with their first argument be views of it."""
    source, rest = args[0], tuple(args[1:])
    origin = modes.circumstance()
    if origin == "recorded" and primitive.several:
        origin = "several"

    def step(base: Tensor, **params: Any) -> Any:
        return general(primitive, (base, *rest), params)

    for out in outputs:
        if shares_memory(out._data, source):
            views.attach(out, source, step, origin, params)


def shares_memory(result: Any, source: Any) -> bool:
    """Whether the result of a view op is one, or had to be copied."""
    data = source._data
    if type(result) is not ndarray or type(data) is not ndarray:
        return True
    memory = result.base
    return memory is not None and (memory is data or memory is data.base)
