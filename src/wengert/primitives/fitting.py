"""Fitting cotangents to the inputs they belong to: the one place where that is done."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .. import errors
from ..dispatch import cast
from ..engine import Cotangents, Edges, Node
from ..kernels.folds import summed
from ..recording import lowest, numpy_dtype


def fit(node: Node, cotangents: Cotangents, edges: Edges) -> list[Any]:
    """Sum out what was broadcast and cast what was promoted, for all a node's inputs.

    Rules return cotangents as the op's result has them: of its shape, where an input
    was broadcast to it, and of its dtype. An input of real dtype takes the real part.
    """
    assert node.fits is not None
    return [
        cotangent
        if cotangent is None or edge is None or target is None
        else fit_one(cotangent, *target)
        for cotangent, edge, target in zip(cotangents, edges, node.fits, strict=True)
    ]


def fit_one(cotangent: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Bring one cotangent to a shape and NumPy dtype."""
    if lowest(cotangent).shape != shape:
        cotangent = sum_to(cotangent, shape)
    if type(cotangent) is ndarray:
        if cotangent.dtype == dtype:
            return cotangent
        if cotangent.dtype.kind == "c" and dtype.kind != "c":
            cotangent = cotangent.real
        return cotangent.astype(dtype)
    if isinstance(cotangent, np.generic):
        return fit_one(np.asarray(cotangent), shape, dtype)
    found = numpy_dtype(cotangent)
    if found == dtype:
        return cotangent
    if found.kind == "c" and dtype.kind != "c":
        cotangent = cotangent.real
    return cast(cotangent, dtype)


def fit_returned(name: str, index: int, value: Any, shape: Any, dtype: Any) -> Any:
    """Bring what a custom function has returned to its input's shape and dtype."""
    found, kind = tuple(value.shape), numpy_dtype(value)
    if found == shape and kind == dtype:
        return value
    if kind.kind == "c" and dtype.kind != "c":
        raise RuntimeError(
            f"Function {name} returned a complex gradient at index {index}, but "
            "Expected isFloatingType(grad.scalar_type()) || (input_is_complex == "
            "grad_is_complex) to be true, but got false."
        )
    if found != shape:
        lead = len(found) - len(shape)
        fits = lead >= 0 and all(
            want in (1, have) for want, have in zip(shape, found[lead:], strict=True)
        )
        if not fits:
            raise errors.invalid_gradient(name, index, found, shape)
    return fit_one(value, shape, dtype)


NUMPY: Any = (ndarray, np.generic)


def sum_to(cotangent: Any, shape: tuple[int, ...]) -> Any:
    """Sum over the dimensions along which `shape` was broadcast to the cotangent's."""
    if tuple(cotangent.shape) == tuple(shape):
        return cotangent
    lead = len(cotangent.shape) - len(shape)
    stretched = [
        lead + i
        for i, size in enumerate(shape)
        if size == 1 and cotangent.shape[lead + i] != 1
    ]
    dims = (*range(lead), *stretched)
    if isinstance(cotangent, NUMPY):
        if dims == (cotangent.ndim - 1,) and 0 < cotangent.shape[-1] <= SHORT:
            return short_rows_summed(cotangent).reshape(shape)
        return summed(cotangent, dims, True).reshape(shape)
    total = cotangent.sum(dims, keepdim=bool(stretched))
    return total.reshape(shape) if lead and stretched else total


SHORT = 8
"""Up to this length, NumPy's sum of each row takes longer than adding up columns."""


def short_rows_summed(array: ndarray) -> ndarray:
    """Return the sums over a short last dimension."""
    total: ndarray = array[..., 0].copy()
    for i in range(1, array.shape[-1]):
        total += array[..., i]
    return total
