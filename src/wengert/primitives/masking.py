"""Ops with masks: filling, picking and writing the elements where a mask is true."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .fitting import sum_to
from .op import fused, linear
from .selection import chosen, masked

Shape = tuple[int, ...]

# --- filling --------------------------------------------------------------------------


def _masked_fill(self: ndarray, mask: ndarray, value: Any) -> ndarray:
    filler = np.asarray(value, self.dtype)
    filled: ndarray = chosen(mask, filler, self)
    return filled


def cleared(grad: Any, mask: Any, self_shape: Shape) -> Any:
    """The gradient with zeros where the mask is true."""
    return sum_to(masked_fill_number(grad, mask, value=0), self_shape)


masked_fill = fused(
    "masked_fill",
    _masked_fill,
    inputs=("self", "mask", "value"),
    grad_fn="MaskedFillBackward1",
    vjp_self=cleared,
    vjp_value=lambda grad, mask: sum_to(masked(grad, mask), ()),
    jvp=lambda self_t, mask, value_t: masked_fill(self_t, mask, value_t),
)
masked_fill_number = fused(
    "masked_fill_number",
    lambda self, mask, *, value: _masked_fill(self, mask, value),
    inputs=("self", "mask"),
    grad_fn="MaskedFillBackward0",
    vjp_self=cleared,
    jvp=lambda self_t, mask: masked_fill_number(self_t, mask, value=0),
)

# --- picking and writing --------------------------------------------------------------


def _masked_select(self: ndarray, mask: ndarray, *, shape: Shape) -> ndarray:
    if self.shape != shape:
        self = np.broadcast_to(self, shape)
    if mask.shape != shape:
        mask = np.broadcast_to(mask, shape)
    picked: ndarray = self[mask]
    return picked


masked_select = linear(
    "masked_select",
    _masked_select,
    lambda grad, mask, self_shape, shape: sum_to(
        masked_unselect(grad, mask, shape=shape), self_shape
    ),
    inputs=("self", "mask"),
)
"""The elements where the mask is true; ``shape`` is that of both broadcast."""


def _masked_unselect(self: ndarray, mask: ndarray, *, shape: Shape) -> ndarray:
    """Put elements of a vector where the mask is true; what is too much is left out."""
    result = np.zeros(shape, self.dtype)
    if mask.shape != shape:
        mask = np.broadcast_to(mask, shape)
    result[mask] = self.reshape(-1)[: np.count_nonzero(mask)]
    return result


masked_unselect = linear(
    "masked_unselect",
    _masked_unselect,
    lambda grad, mask, self_shape, shape: padded(
        masked_select(grad, mask, shape=shape), shape=self_shape
    ),
    inputs=("self", "mask"),
    grad_fn="MaskedScatterBackward0",
)


def _padded(self: ndarray, *, shape: Shape) -> ndarray:
    result = np.zeros(shape, self.dtype)
    result.reshape(-1)[: self.size] = self
    return result


padded = linear(
    "zero_padded_to",
    _padded,
    lambda grad, self_shape: grad.reshape((-1,))[: self_shape[0]],
)
"""A vector, followed by zeros, as an array of a shape."""


def _masked_scatter(
    self: ndarray, mask: ndarray, source: ndarray, *, shape: Shape
) -> ndarray:
    result = np.empty(shape, self.dtype)
    result[...] = self
    if mask.shape != shape:
        mask = np.broadcast_to(mask, shape)
    count = np.count_nonzero(mask)
    if source.size < count:
        raise RuntimeError("Number of elements of source < number of ones in mask")
    result[mask] = source.reshape(-1)[:count]
    return result


masked_scatter = fused(
    "masked_scatter",
    _masked_scatter,
    inputs=("self", "mask", "source"),
    vjp_self=cleared,
    vjp_source=lambda grad, mask, source_shape, shape: padded(
        masked_select(grad, mask, shape=shape), shape=source_shape
    ),
    jvp=lambda self_t, mask, source_t, shape: masked_scatter(
        self_t, mask, source_t, shape=shape
    ),
)
