"""The loss by class for each element of a batch: what vmap makes of `loss.nll_loss`.

The arrays have one dimension before the others, over which there is no mean and no sum.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import ndarray

from .loss import _nll, _nll_backward, chosen_weights
from .op import fused


def one_batch(array: ndarray) -> ndarray:
    """Make one of the first two dimensions."""
    return array.reshape(-1, *array.shape[2:])


def _nll_each(
    self: ndarray,
    target: ndarray,
    weight: ndarray | None,
    *,
    reduction: str,
    ignore_index: int,
) -> ndarray:
    losses = _nll(
        one_batch(self),
        one_batch(target),
        weight,
        reduction="none",
        ignore_index=ignore_index,
    )
    total = np.add.reduce(losses.reshape(target.shape[0], -1), 1)
    if reduction == "mean":
        total = total / weight_of_each(target, weight, ignore_index, self.shape[2])
    return total.astype(self.dtype, copy=False)


def weight_of_each(
    target: ndarray, weight: ndarray | None, ignore_index: int, classes: int
) -> Any:
    """Return the sums of the weights of each element's targets."""
    dtype = np.float64 if weight is None else weight.dtype
    _, weights = chosen_weights(target, weight, ignore_index, classes, dtype)
    if weights is None:
        return math.prod(target.shape[1:])
    return np.add.reduce(weights.reshape(target.shape[0], -1), 1)


def _nll_each_backward(
    self: ndarray,
    target: ndarray,
    weight: ndarray | None,
    *,
    shape: tuple[int, ...],
    reduction: str,
    ignore_index: int,
) -> ndarray:
    if reduction == "mean":
        total = weight_of_each(target, weight, ignore_index, shape[2])
        self = (self / total).astype(self.dtype, copy=False)
    count = math.prod(target.shape[1:])
    share = np.repeat(self, count).reshape(one_batch(target).shape)
    found = _nll_backward(
        share,
        one_batch(target),
        weight,
        shape=(shape[0] * shape[1], *shape[2:]),
        reduction="none",
        ignore_index=ignore_index,
    )
    return found.reshape(shape)


def nll_each_push(
    self_t: Any, target: Any, weight: Any, reduction: str, ignore_index: int
) -> Any:
    return nll_each(
        self_t, target, weight, reduction=reduction, ignore_index=ignore_index
    )


def nll_each_pull(
    grad: Any,
    target: Any,
    weight: Any,
    self_shape: Any,
    reduction: str,
    ignore_index: int,
) -> Any:
    return nll_each_backward(
        grad,
        target,
        weight,
        shape=self_shape,
        reduction=reduction,
        ignore_index=ignore_index,
    )


nll_each = fused(
    "nll_each",
    _nll_each,
    inputs=("self", "target", "weight"),
    vjp_self=nll_each_pull,
    jvp_self=nll_each_push,
)
nll_each_backward = fused(
    "nll_each_backward",
    _nll_each_backward,
    inputs=("self", "target", "weight"),
    vjp_self=lambda grad, target, weight, reduction, ignore_index: nll_each_push(
        grad, target, weight, reduction, ignore_index
    ),
    jvp_self=lambda self_t, target, weight, shape, reduction, ignore_index: (
        nll_each_pull(self_t, target, weight, shape, reduction, ignore_index)
    ),
)
