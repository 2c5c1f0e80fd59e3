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

from . import dtypes, errors, modes
from .primitive import Primitive
from .recording import numpy_dtype as numpy_dtype, record as record
from .tensor import LAYERS, Layer, Parameter, Tensor
from .views import View

# --- the general call -----------------------------------------------------------------

tracing: Callable[[Sequence[Any]], None] | None = None
"""What a running trace does with tensors that an op is about to see, see `compiler`."""


def general(primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
    """Call a primitive on arrays, tensors, Python numbers, in any mixture."""
    if tracing is not None:
        tracing(args)
    level = -1
    owner: type[Layer] | None = None  # of arguments of the highest level
    below: Any = None  # what tensors of that level have for arrays
    tracked = False  # whether such tensors may have nodes
    arrays: list[Any] = []
    for arg in args:
        kind = type(arg)
        if kind is ndarray or kind is int or kind is float:
            arrays.append(arg)
        elif kind is Tensor or kind is Parameter or isinstance(arg, Tensor):
            if kind is not Tensor and kind is not Parameter and modes.local.overriding:
                from .subclassing import overrides

                if overrides(kind):
                    return handed_over(primitive, args, params)
            special = arg._special
            found = special.level if special is not None else 0
            if found > level or (found == level and owner is not None):
                arrays = list(args[: len(arrays)])
                level, owner, below, tracked = found, None, None, False
            if found == level:
                if arg._node is not None or type(special) is View:
                    tracked = True
                arg = arg._data
                if type(arg) is Tensor:
                    below = below or Tensor
                elif isinstance(arg, Layer) and arg.level == level:
                    below = type(arg)
            arrays.append(arg)
        else:
            if isinstance(arg, Layer) and arg.level > level:
                level, owner = arg.level, kind
            arrays.append(arg)
    if owner is not None:
        return owner.process(primitive, level, args, params)
    if level < 0:
        return primitive.forward(*args, **params)
    hidden: Sequence[Any] = ()
    try:
        # tensors of a lower level are promoted there
        promotes = primitive.promote is not None and below is not Tensor
        if promotes and not agree(arrays, primitive):
            arrays = promoted(arrays, primitive)
        instead = modes.local.compute if modes.special else None
        if instead is not None:
            results, hidden = instead(primitive, arrays, params)
        elif primitive.hidden:
            if any([isinstance(array, LAYERS) for array in arrays]):
                return primitive.decomposition(*args, **params)  # type: ignore[misc]
            results, hidden = computed(primitive, arrays, params)
        elif below is Tensor:
            results = primitive.call(*arrays, **params)
        elif below is not None:
            results = below.process(primitive, level, arrays, params)
        else:
            results = compute(primitive, arrays, params)
    except (TypeError, ValueError) as error:
        raise explained(primitive, arrays, error) from error
    made = record(primitive, args, arrays, params, results, level, hidden, tracked)
    if instead is not None and modes.local.made is not None:
        modes.local.made(primitive, made)
    return made


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
    found = primitive.forward_with_hidden(*arrays, **params)
    count = len(primitive.outputs)
    return found[0] if count == 1 else found[:count], found[count:]


def compute(primitive: Primitive, arrays: Sequence[Any], params: dict[str, Any]) -> Any:
    """Call a primitive on arrays of any layer."""
    for array in arrays:
        kind = type(array)
        if kind is ndarray or kind is int or kind is float:
            continue
        if kind is Tensor:
            return primitive.call(*arrays, **params)
        if isinstance(array, LAYERS):
            return general(primitive, arrays, params)
    return primitive.forward(*arrays, **params)


def agree(arrays: Sequence[Any], primitive: Primitive) -> bool:
    """Whether all arrays are of one floating dtype, and numbers have no say.

    Then there is nothing to promote: so it is nearly always.
    """
    common = None
    for array in arrays:
        kind = type(array)
        if kind is float or kind is int:
            continue
        if kind is ndarray:
            dtype = array.dtype
        elif isinstance(array, LAYERS):
            dtype = numpy_dtype(array)
        else:
            return False
        if common is None:
            common = dtype
        elif dtype is not common:
            return False
    return common is not None and common.kind == "f" and "f" not in primitive.refuses


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
