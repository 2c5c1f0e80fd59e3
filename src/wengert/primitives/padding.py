"""Ops that put a margin around an array.

``before`` and ``after`` are the widths of the margins for each dimension; for constant
margins they may be negative, which crops.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .op import fused, linear

Shape = tuple[int, ...]


def _constant_pad(self: ndarray, *, before: Shape, after: Shape, value: Any) -> ndarray:
    shape = tuple(
        [n + b + a for n, b, a in zip(self.shape, before, after, strict=True)]
    )
    if value == 0:
        result = np.zeros(shape, self.dtype)
    else:
        result = np.full(shape, value, self.dtype)
    inner = tuple([slice(max(b, 0), n - max(a, 0)) for n, b, a in zip(
        shape, before, after, strict=True)])
    kept = tuple([slice(max(-b, 0), n - max(-a, 0)) for n, b, a in zip(
        self.shape, before, after, strict=True)])
    result[inner] = self[kept]
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
#
# Each mode says, for a dimension of size n, which elements are in the two margins, and how
# their gradients are added to those of the elements.


def margins(mode: str, n: int, before: int, after: int) -> tuple[ndarray, ndarray]:
    """Return the positions of the elements that the margins repeat."""
    left, right = np.arange(-before, 0), np.arange(n, n + after)
    if mode == "replicate":
        return np.zeros_like(left), np.full_like(right, n - 1)
    if mode == "reflect":
        return -left, 2 * (n - 1) - right
    return left % n, right % n


def _edge_pad(self: ndarray, *, mode: str, before: Shape, after: Shape) -> ndarray:
    for dim, (b, a) in enumerate(zip(before, after, strict=True)):
        if b or a:
            n = self.shape[dim]
            left, right = margins(mode, n, b, a)
            self = self.take(np.concatenate((left, np.arange(n), right)), dim)
    return self


def _edge_pad_backward(
    self: ndarray, *, mode: str, before: Shape, after: Shape
) -> ndarray:
    for dim, (b, a) in enumerate(zip(before, after, strict=True)):
        if b or a:
            whole = self.swapaxes(0, dim)
            n = whole.shape[0] - b - a
            body = whole[b : b + n].copy()
            for positions, margin in zip(
                margins(mode, n, b, a), (whole[:b], whole[b + n :]), strict=True
            ):
                add_margin(body, positions, margin)
            self = body.swapaxes(0, dim)
    return self


def add_margin(body: ndarray, positions: ndarray, margin: ndarray) -> None:
    """Add the gradient of a margin to the elements that it repeats."""
    if len(set(positions.tolist())) == len(positions):
        body[positions] += margin
    else:
        np.add.at(body, positions, margin)


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
    return forward


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
