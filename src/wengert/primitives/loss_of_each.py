"""The loss by class for each element of a batch: what vmap makes of `loss.nll_loss`.

The arrays have one dimension before the others, over which there is no mean and no sum.
The gradient has that dimension alone, or is the same for all and has none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .loss import chosen_weights, places
from .op import fused


def one_batch(array: ndarray) -> ndarray:
    """Make one of the first two dimensions."""
    return array.reshape(-1, *array.shape[2:])


def summed(values: ndarray, size: int) -> ndarray:
    """Return the sum of what belongs to each element of the batch."""
    if values.size == size:
        return values.reshape(size)
    return np.add.reduce(values.reshape(size, -1), 1)


def total_weights(target: ndarray, weights: ndarray | None, size: int) -> Any:
    """Return the sum of the weights of each element's targets."""
    return target.size // size if weights is None else summed(weights, size)


def _nll_each(
    self: ndarray,
    target: ndarray,
    weight: ndarray | None,
    *,
    reduction: str,
    ignore_index: int,
) -> ndarray:
    size = len(target)
    if target.ndim == 1:
        self, target = self[:, None], target[:, None]
    flat, classes = one_batch(self), self.shape[2]
    safe, weights = chosen_weights(
        one_batch(target), weight, ignore_index, classes, self.dtype
    )
    losses = flat.reshape(-1).take(places(safe, classes))
    if weights is not None:
        losses = np.where(weights == 0, 0, losses * weights)
    total = -summed(losses, size)
    if reduction == "mean":
        total /= total_weights(safe, weights, size)
    return total


def _nll_each_backward(
    self: ndarray,
    target: ndarray,
    weight: ndarray | None,
    *,
    shape: tuple[int, ...],
    reduction: str,
    ignore_index: int,
) -> ndarray:
    size, classes = len(target), shape[min(2, target.ndim)]
    flat = target if target.ndim == 1 else one_batch(target)
    safe, weights = chosen_weights(flat, weight, ignore_index, classes, self.dtype)
    share = -self
    if reduction == "mean":
        share = share / total_weights(safe, weights, size)
    if share.ndim:
        share = share.repeat(safe.size // size).reshape(safe.shape)
    if weights is not None:
        # where nothing counts, the share is infinite
        share = np.where(weights == 0, 0, share * weights)
    result = np.zeros(shape, self.dtype)
    result.reshape(-1)[places(safe, classes)] = share
    return result


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
