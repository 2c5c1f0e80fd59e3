"""Ops that copy: to memory of their own, to another dtype, over other values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .fitting import sum_to
from .op import fused, linear, nondifferentiable

clone = linear(
    "clone", lambda self: self.copy(), lambda grad: grad, grad_fn="CloneBackward0"
)


def _to_copy(self: ndarray, *, dtype: np.dtype[Any]) -> ndarray:
    if self.dtype.kind == "c" and dtype.kind not in "cb":
        self = self.real
    if self.dtype.kind == "f" and dtype.kind in "iu":
        return truncated(self, dtype)
    return self.astype(dtype)


def truncated(array: ndarray, dtype: np.dtype[Any]) -> ndarray:
    """Cast floats to integers as C does: through int64, so that small ones wrap."""
    if dtype.itemsize < 8 or dtype.kind == "u":
        array = array.astype(np.int64)
    return array.astype(dtype)


to_copy = linear("to_copy", _to_copy, lambda grad: grad, grad_fn="ToCopyBackward0")

zeros_like = nondifferentiable("zeros_like", lambda self: np.zeros_like(self))
ones_like = nondifferentiable("ones_like", lambda self: np.ones_like(self))


def narrowed(grad: Any, shape: tuple[int, ...]) -> Any:
    """Sum a gradient over what was broadcast."""
    return grad if tuple(grad.shape) == shape else sum_to(grad, shape)


def _copy(self: ndarray, src: ndarray) -> ndarray:
    if src.dtype != self.dtype:
        src = _to_copy(src, dtype=self.dtype)
    copied = np.empty(self.shape, self.dtype)
    copied[...] = src
    return copied


copy = fused(
    "copy",
    _copy,
    inputs=("self", "src"),
    grad_fn="CopyBackwards",
    vjp_self=lambda grad: zeros_like(grad),
    vjp_src=lambda grad, src_shape: narrowed(grad, src_shape),
    jvp=lambda src_t, result: copy(zeros_like(result), src_t),
)
copy.primitive.node_class.name = (  # type: ignore[attr-defined]
    lambda node: "torch::autograd::CopyBackwards"
)


constant = fused(
    "constant",
    _copy,
    inputs=("self", "values"),
    vjp_self=lambda grad: zeros_like(grad),
    jvp=lambda result: zeros_like(result),
)
"""Values over others that do not depend on anything."""


def _fill(self: ndarray, value: Any) -> ndarray:
    # a batch of values is wider than what it goes into
    return np.full(np.broadcast(self, value).shape, value, self.dtype)


fill = fused(
    "fill",
    _fill,
    inputs=("self", "value"),
    grad_fn="FillBackward1",
    vjp_self=lambda grad: zeros_like(grad),
    vjp_value=lambda grad, value_shape: narrowed(grad, value_shape),
    jvp=lambda value_t, result: fill(result, value_t),
)
fill_number = fused(
    "fill_number",
    lambda self, *, value: np.full(self.shape, value, self.dtype),
    inputs=("self",),
    grad_fn="FillBackward2",
    vjp_self=lambda grad: zeros_like(grad),
    jvp=lambda result: zeros_like(result),
)
zero = fused(
    "zero",
    lambda self: np.zeros(self.shape, self.dtype),
    inputs=("self",),
    grad_fn="ZeroBackward0",
    vjp_self=lambda grad: zeros_like(grad),
    jvp=lambda result: zeros_like(result),
)
