"""The vector product and the trace."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .dims import ACCUMULATORS
from .op import bilinear, linear

Shape = tuple[int, ...]


def _cross(self: ndarray, other: ndarray, *, dim: int) -> ndarray:
    a, b = np.moveaxis(self, dim, 0), np.moveaxis(other, dim, 0)
    result = np.empty(self.shape, self.dtype)
    out = np.moveaxis(result, dim, 0)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        np.multiply(a[j], b[k], out=out[i, ...])
        out[i, ...] -= a[k] * b[j]
    return result


cross = bilinear(
    "cross",
    _cross,
    vjp_self=lambda grad, other, dim: cross(other.conjugate(), grad, dim=dim),
    vjp_other=lambda grad, self, dim: cross(grad, self.conjugate(), dim=dim),
    grad_fn="LinalgCrossBackward0",
)


def _trace(self: ndarray) -> Any:
    return self.trace(dtype=ACCUMULATORS.get(self.dtype.char)).astype(
        np.int64 if self.dtype.kind in "iub" else self.dtype
    )


def _on_diagonal(grad: Any, *, shape: Shape) -> ndarray:
    result = np.zeros(shape, grad.dtype)
    np.einsum("ii->i", result[: min(shape), : min(shape)])[...] = grad
    return result


trace = linear(
    "trace", _trace, lambda grad, self_shape: on_diagonal(grad, shape=self_shape)
)
on_diagonal = linear(
    "on_diagonal",
    _on_diagonal,
    lambda grad: trace(grad),
    grad_fn="TraceBackwardBackward0",
)
"""The matrix with one number on its diagonal, and zeros elsewhere."""
