"""Ops that put a margin around an array.

``before`` and ``after`` are the widths of the margins for each dimension; for constant
margins they may be negative, which crops.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .op import flat, fused, linear

Shape = tuple[int, ...]


def _constant_pad(self: ndarray, *, before: Shape, after: Shape, value: Any) -> ndarray:
    shape, inner, kept = [], [], []
    for n, b, a in zip(self.shape, before, after, strict=True):
        size = n + b + a
        shape.append(size)
        if b >= 0 and a >= 0:
            inner.append(slice(b, b + n))
            kept.append(slice(None))
        else:
            inner.append(slice(max(b, 0), size - max(a, 0)))
            kept.append(slice(max(-b, 0), n - max(-a, 0)))
    result = np.zeros(shape, self.dtype)
    if value != 0:
        result.fill(value)
    result[tuple(inner)] = self[tuple(kept)]
    return result


def unpad(grad: Any, before: Shape, after: Shape) -> Any:
    """Crop where there was a margin, and the other way round."""
    return constant_pad(
        grad,
        before=tuple([-width for width in before]),
        after=tuple([-width for width in after]),
        value=0,
    )


constant_pad = fused(
    "constant_pad_nd",
    _constant_pad,
    inputs=("self",),
    vjp_self=unpad,
    jvp=lambda self_t, before, after: constant_pad(
        self_t, before=before, after=after, value=0
    ),
)

# --- margins made of the elements -----------------------------------------------------


def positions(mode: str, n: int, before: int, after: int) -> ndarray:
    """Return which element of a dimension of size n each one of the result is."""
    index = np.arange(-before, n + after)
    if mode == "replicate":
        return index.clip(0, n - 1)
    if mode == "reflect":
        return (n - 1) - abs((n - 1) - abs(index))
    return index % n


def _edge_pad(self: ndarray, *, mode: str, before: Shape, after: Shape) -> ndarray:
    for dim, (b, a) in enumerate(zip(before, after, strict=True)):
        if b or a:
            self = self.take(positions(mode, self.shape[dim], b, a), dim)
    return self


def _edge_pad_backward(
    self: ndarray, *, mode: str, before: Shape, after: Shape
) -> ndarray:
    for dim, (b, a) in enumerate(zip(before, after, strict=True)):
        if b or a:
            grad = self.swapaxes(0, dim)
            n = grad.shape[0] - b - a
            index = positions(mode, n, b, a)
            body = np.zeros((n, *grad.shape[1:]), self.dtype)
            if min(b, a) >= 0:
                body[...] = grad[b : b + n]
                sides = [slice(b), slice(b + n, None)]
            else:
                sides = [slice(None)]
            for side in sides:
                np.add.at(body, index[side], grad[side])
            self = body.swapaxes(0, dim)
    return self


def edge_pad(name: str, mode: str, grad_fn: str) -> Any:
    """Declare a padding whose margins repeat elements."""
    backward = linear(
        f"{name}_backward",
        lambda self, *, before, after: _edge_pad_backward(
            self, mode=mode, before=before, after=after
        ),
        lambda grad, before, after: forward(grad, before=before, after=after),
        grad_fn=grad_fn.replace("Backward0", "BackwardBackward0"),
    )
    forward = linear(
        name,
        lambda self, *, before, after: _edge_pad(
            self, mode=mode, before=before, after=after
        ),
        lambda grad, before, after: backward(grad, before=before, after=after),
        grad_fn=grad_fn,
    )
    return forward if mode == "circular" else flat(forward)


edge_pads = {
    (mode, count): edge_pad(
        f"{name}_pad{count}d", mode, f"{name.title()}Pad{count}DBackward0"
    )
    for mode, name in (
        ("reflect", "reflection"),
        ("replicate", "replication"),
        ("circular", "circular"),
    )
    for count in (1, 2, 3)
}
"""The paddings by mode and number of padded dimensions, as PyTorch names them."""
