"""In which order eager mode's arrays would have their dimensions in memory.

A trace knows no memory, but random numbers are given out in its order. What is computed
elementwise of transposed arrays is transposed, too: each primitive says so itself when
it is called with arrays of one or two elements in each dimension.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from ..kernels.memory_order import order_of
from ..layers.traced import IN_ORDER, Traced
from ..primitive import Primitive


def follow_memory(view: Traced, primitive: Primitive, params: Any, index: Any) -> None:
    """Note the order of a view of what is traced."""
    base = view.base
    assert base is not None
    if base.in_memory is None and primitive.name in IN_ORDER:
        return
    found = primitive.forward(like(base, base.shape), **params)
    view.in_memory = order_of(found if index is None else found[index])


def inherit_order(
    results: Sequence[Traced], primitive: Primitive, args: Sequence[Any], params: Any
) -> None:
    """Note the order of what is computed of arguments that have one."""
    if not any([isinstance(a, Traced) and a.in_memory is not None for a in args]):
        return
    small = [smaller(arg) for arg in args]
    try:
        with np.errstate(all="ignore"):
            found = primitive.forward(*small, **params)
    except Exception:  # the parameters are for other sizes: not element by element
        return
    items = found if isinstance(found, tuple | list) else [found]
    for result, item in zip(results, items, strict=False):
        if np.ndim(item) == result.ndim:
            result.in_memory = order_of(item)
            result.contiguous = result.in_memory is None


def smaller(arg: Any) -> Any:
    """Return an argument with up to two elements in each dimension."""
    if isinstance(arg, ndarray):
        return arg[tuple([slice(2)] * arg.ndim)]
    if isinstance(arg, Traced):
        return like(arg, tuple([min(size, 2) for size in arg.shape]))
    return arg


def like(array: Traced, shape: tuple[int, ...]) -> ndarray:
    """Return zeros of a shape in the order of a traced array."""
    order = array.in_memory or range(array.ndim)
    sizes = [shape[dim] for dim in order]
    return np.zeros(sizes, array.numpy_dtype).transpose(np.argsort(order))
