"""Cross-entropy of scores with the indices of the right classes.

With the probabilities p = softmax(x) of C classes, w their weights, t the right one and
s the label smoothing, the loss of one example is

    (1 - s) w_t (-log p_t) + s / C Σ_c w_c (-log p_c)

and 0 where t is the ignored index; "mean" divides the sum by Σ w_t of what counts. Its
gradient is p ((1 - s) w_t + s / C Σ w) - (1 - s) w_t onehot(t) - s / C w.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from .softmax import by_axis, largest_along, sums_along
from .sums import ones
from .windows import blocks


class Examples(NamedTuple):
    """What the loss wants of the examples: arrays (N, inner), or numbers for all.

    Args:
        places: where the right class is in the flat (N, C, inner); of an ignored
            example, where class 0 is.
        share: (1 - s) w_t, the factor of -log p_t; 0 where ignored.
        spread: s / C, the factor of the sum over classes; 0 where ignored.
        total: Σ w_t of what counts.
    """

    places: ndarray
    share: Any
    spread: Any
    total: Any


def _examples(
    target: ndarray,
    scores: ndarray,
    weight: ndarray | None,
    ignore_index: int,
    label_smoothing: float,
) -> Examples:
    (batch, classes, inner), number = scores.shape, scores.dtype.type
    right = target.reshape(batch, inner)
    counts: Any = 1
    if 0 <= ignore_index < classes or _reach_outside(right, classes):
        counts = right != ignore_index
        right = right * counts
        if _reach_outside(right, classes):
            wrong = right[(right < 0) | (right >= classes)][0]
            raise IndexError(f"Target {wrong} is out of bounds.")
    factor = counts if weight is None else weight[right] * counts
    return Examples(
        places=right * inner + _starts(batch, classes, inner),
        share=number(1 - label_smoothing) * factor,
        spread=number(label_smoothing / classes) * counts,
        total=right.size if isinstance(factor, int) else np.add.reduce(factor, None),
    )


def _reach_outside(index: ndarray, count: int) -> bool:
    return bool(index.size) and not (index.min() >= 0 and index.max() < count)


@lru_cache(maxsize=64)
def _starts(batch: int, classes: int, inner: int) -> ndarray:
    """Where the first class of each example is in the flat (N, C, inner)."""
    return np.arange(batch)[:, None] * (classes * inner) + np.arange(inner)


def cross_entropy(
    input: ndarray,
    target: ndarray,
    weight: ndarray | None,
    reduction: str,
    ignore_index: int,
    label_smoothing: float,
) -> tuple[ndarray, ndarray, ndarray]:
    """The loss, and what its gradient is computed from.

    Args:
        input: scores, (N, C, *sizes) or (C,).
        target: the right classes, (N, *sizes) or ().
        weight: (C,), or None for ones.
        reduction: "none", "sum" or "mean".
        ignore_index: a class that does not count.
        label_smoothing: how much of each target is spread over all classes.

    Returns:
        The loss, the exponentials of the scores, (N, C, inner), and their sums over the
        classes, (N, inner), both up to a factor for each example.

    Raises:
        IndexError: there is no such class.
    """
    x = by_axis(input, min(1, input.ndim - 1))
    examples = _examples(target, x, weight, ignore_index, label_smoothing)
    weights = ones(x.shape[1], x.dtype) if weight is None else weight
    exps = np.empty_like(x)
    right, sums, others = np.empty((3, len(x), x.shape[2]), x.dtype)
    for part in blocks(len(x), 4 * x[:1].nbytes):
        block = np.subtract(x[part], largest_along(x[part]), out=exps[part])
        first = part.start * x[0].size
        right[part] = block.reshape(-1).take(examples.places[part] - first)
        if label_smoothing:
            others[part] = weights @ block
        np.exp(block, out=block)
        sums[part] = sums_along(block)[:, 0]
    logs = np.log(sums)
    losses = (logs - right) * examples.share
    if label_smoothing:
        losses += (logs * np.add.reduce(weights) - others) * examples.spread
    return _reduced(losses, target, reduction, examples.total, input), exps, sums


def _reduced(
    losses: ndarray, target: ndarray, reduction: str, total: Any, like: ndarray
) -> ndarray:
    if reduction == "none":
        return losses.reshape(target.shape).astype(like.dtype, copy=False)
    loss = np.add.reduce(losses, axis=None)
    return np.asarray(_averaged(loss, reduction, total), like.dtype)


def _averaged(number: Any, reduction: str, total: Any) -> Any:
    if reduction != "mean":
        return number
    with np.errstate(invalid="ignore", divide="ignore"):  # where nothing counts
        return number / total


def cross_entropy_vjp(
    grad: ndarray,
    exps: ndarray,
    sums: ndarray,
    target: ndarray,
    weight: ndarray | None,
    reduction: str,
    ignore_index: int,
    label_smoothing: float,
) -> ndarray:
    """The gradient of the input of `cross_entropy`, (N, C, inner)."""
    examples = _examples(target, exps, weight, ignore_index, label_smoothing)
    weights = ones(exps.shape[1], exps.dtype) if weight is None else weight
    scale = grad.astype(exps.dtype, copy=False)
    if reduction == "none":
        scale = scale.reshape(sums.shape)
    scale = _averaged(scale, reduction, examples.total).astype(exps.dtype, copy=False)
    share, spread = examples.share * scale, examples.spread * scale
    factor = (share + spread * np.add.reduce(weights)) / sums
    result = exps * factor[:, None]
    if label_smoothing:
        result -= np.broadcast_to(spread, sums.shape)[:, None] * weights[:, None]
    result.reshape(-1)[examples.places] -= share
    return result
