"""Ops that put elements in order, and those that select one by its place in the order.

NaN is larger than every number, as in PyTorch. Which of equal elements an unstable op
names is up to the library; here the order of short arrays is always stable.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .along import put_along, selection, taken_along
from .dims import Shape
from .op import fused
from .reduction import shared_by_all

SHORT = 16
"""Up to this many elements, stable sorting costs nothing."""


def order(self: ndarray, dim: int, *, descending: bool, stable: bool) -> ndarray:
    """Return the indices that sort an array along a dimension."""
    kind: Any = "stable" if stable or self.shape[dim] <= SHORT else None
    if not descending:
        return self.argsort(dim, kind)
    # Reversed before and after: so equal elements stay in their order.
    reversed_order = np.flip(self, dim).argsort(dim, kind)
    return self.shape[dim] - 1 - np.flip(reversed_order, dim)


def top(self: ndarray, dim: int, k: int) -> ndarray:
    """Return the indices of the k largest elements, the largest first."""
    n = self.shape[dim]
    if 4 * k > n or n <= 64:
        return first(order(self, dim, descending=True, stable=False), dim, k)
    found = np.argpartition(self, n - k, dim)
    found = np.flip(found, dim)[(slice(None),) * dim + (slice(k),)]
    ranks = order(taken_along(self, found, dim), dim, descending=True, stable=False)
    return taken_along(found, ranks, dim)


def bottom(self: ndarray, dim: int, k: int) -> ndarray:
    """Return the indices of the k smallest elements, the smallest first."""
    n = self.shape[dim]
    if 4 * k > n or n <= 64:
        return first(order(self, dim, descending=False, stable=False), dim, k)
    found = first(np.argpartition(self, k - 1, dim), dim, k)
    ranks = order(taken_along(self, found, dim), dim, descending=False, stable=False)
    return taken_along(found, ranks, dim)


def first(indices: ndarray, dim: int, k: int) -> ndarray:
    """Return the first k along a dimension."""
    return indices[(slice(None),) * dim + (slice(k),)]


# --- sort and topk --------------------------------------------------------------------


def _sort(
    self: ndarray, *, dim: int, descending: bool, stable: bool
) -> tuple[ndarray, ndarray]:
    if not self.shape:
        return self.copy(), np.zeros((), np.int64)
    indices = order(self, dim, descending=descending, stable=stable)
    return taken_along(self, indices, dim), indices


def _topk(self: ndarray, *, k: int, dim: int, largest: bool) -> tuple[ndarray, ndarray]:
    if not self.shape:
        return self.copy(), np.zeros((), np.int64)
    indices = (top if largest else bottom)(self, dim, k)
    return taken_along(self, indices, dim), indices


def by_indices(grad: Any, indices: Any, self_shape: Shape, dim: int) -> Any:
    if not self_shape:
        return grad
    return put_along(grad, indices, dim=dim, size=self_shape[dim], repeated=False)


sort = fused(
    "sort", _sort, inputs=("self",), outputs=("values", "indices"), vjp_self=by_indices
)
topk = fused(
    "topk", _topk, inputs=("self",), outputs=("values", "indices"), vjp_self=by_indices
)

# --- one element ----------------------------------------------------------------------


def kth(self: ndarray, dim: int, k: int) -> ndarray:
    """Return the index of the k-th smallest element, counted from one, kept."""
    if self.shape[dim] <= 64:
        indices = order(self, dim, descending=False, stable=True)
    else:
        indices = np.argpartition(self, k - 1, dim)
    return indices[(slice(None),) * dim + (slice(k - 1, k),)]


def middle(self: ndarray, dim: int) -> ndarray:
    """Return the index of the lower median, or of the first NaN."""
    found = kth(self, dim, (self.shape[dim] + 1) // 2)
    if self.dtype.kind != "f":
        return found
    nan = np.isnan(self)
    if not nan.any():
        return found
    return np.where(nan.any(dim, keepdims=True), nan.argmax(dim, keepdims=True), found)


def middle_of_numbers(self: ndarray, dim: int) -> ndarray:
    """Return the index of the lower median of what is not NaN, if anything."""
    if self.dtype.kind != "f":
        return middle(self, dim)
    numbers = np.add.reduce(~np.isnan(self), dim, keepdims=True)
    place = (np.where(numbers, numbers, self.shape[dim]) - 1) // 2
    return taken_along(order(self, dim, descending=False, stable=True), place, dim)


def most_frequent(self: ndarray, dim: int) -> ndarray:
    """Return the last index of the most frequent element, the smallest of several."""
    indices = order(self, dim, descending=False, stable=True)
    ordered = np.moveaxis(taken_along(self, indices, dim), dim, -1)
    steps = np.arange(ordered.shape[-1])
    new = np.ones(ordered.shape, bool)
    new[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    begins = np.maximum.accumulate(np.where(new, steps, 0), -1)
    place = (steps - begins).argmax(-1, keepdims=True)
    return taken_along(indices, np.moveaxis(place, -1, dim), dim)


kthvalue = selection("kthvalue", kth, "KthvalueBackward0")
median_dim = selection("median_dim", middle, "MedianBackward1")
nanmedian_dim = selection("nanmedian_dim", middle_of_numbers, "NanmedianBackward1")
mode = selection("mode", most_frequent, "ModeBackward0")


def median_of_all(name: str, find: Any) -> Any:
    """Declare the median of a whole array; elements equal to it share its gradient."""

    def forward(self: ndarray) -> Any:
        flat = self.reshape(-1)
        if not flat.size:
            return np.asarray(np.nan).astype(flat.dtype)
        return flat[find(flat, 0)].reshape(())

    return fused(name, forward, inputs=("self",), vjp_self=shared_by_all)


median = median_of_all("median", middle)
nanmedian = median_of_all("nanmedian", middle_of_numbers)
