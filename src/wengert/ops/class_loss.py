"""Losses of several classes: functions of `torch.nn.functional`."""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from ..primitives import loss as L
from ..tensor import Tensor
from .activation import log_softmax, logsigmoid
from .loss import check_reduction, legacy, reduced
from .public import check_operand


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the negative log-likelihood of classes, given the logarithms.

    Args:
        input: logarithms of probabilities, (C), (N, C) or (N, C, ...).
        target: classes, (), (N) or (N, ...).
        weight: a weight for each class, (C).
        ignore_index: the target that counts for nothing.
    """
    reduction = legacy(size_average, reduce, reduction)
    check_reduction(reduction)
    check_operand("nll_loss_nd", "input", 0, input)
    check_operand("nll_loss_nd", "target", 1, target)
    if input.ndim == 0:
        raise RuntimeError("input tensor should be 1D or 2D")
    if input.ndim == 1 and target.ndim:
        target = target.reshape((1,)).reshape(())
    check_classes(input, target, weight)
    call = L.nll_loss if input.ndim <= 2 else L.nll_loss2d
    return call(input, target, weight, reduction=reduction, ignore_index=ignore_index)


CLASSES = (dtypes.int64, dtypes.uint8)
"""The dtypes of targets that are classes."""


def not_classes(target: Tensor) -> RuntimeError:
    return RuntimeError(
        f"expected target dtype to be Long or Byte, but got {target.dtype.scalar_type}"
    )


def check_classes(input: Tensor, target: Tensor, weight: Tensor | None) -> None:
    """Refuse targets whose shape or dtype does not fit the input."""
    shape, found = input._data.shape, target._data.shape
    if len(shape) == 2 and shape[:1] != found[:1]:
        raise ValueError(
            f"Expected input batch_size ({shape[0]}) to match target batch_size "
            f"({found[0] if found else 1})."
        )
    expected = () if len(shape) == 1 else (shape[0], *shape[2:])
    if found != expected:
        if len(shape) == 2:
            raise RuntimeError(
                "0D or 1D target tensor expected, multi-target not supported"
            )
        raise RuntimeError(
            f"Expected target size {list(expected)}, got {list(target.shape)}"
        )
    if target.dtype not in CLASSES:
        raise not_classes(target)
    classes = shape[0] if len(shape) == 1 else shape[1]
    if weight is not None and weight.numel() != classes:
        raise RuntimeError(
            "weight tensor should be defined either for all "
            f"{classes} classes or no classes but got weight tensor of "
            f"shape: {list(weight.shape)}"
        )


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the cross-entropy of logits against classes, or class probabilities.

    Args:
        input: logits, (C), (N, C) or (N, C, ...).
        target: classes, (), (N) or (N, ...), or probabilities of the input's shape.
        weight: a weight for each class, (C).
        ignore_index: the class that counts for nothing.
        label_smoothing: the share of the target that is spread over all classes.

    >>> import wengert as torch
    >>> logits, target = torch.zeros(2, 4), torch.tensor([0, 3])
    >>> torch.nn.functional.cross_entropy(logits, target)
    tensor(1.3863)
    """
    reduction = legacy(size_average, reduce, reduction)
    check_reduction(reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(
            f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}"
        )
    check_operand("cross_entropy_loss", "input", 0, input)
    check_operand("cross_entropy_loss", "target", 1, target)
    dim = 0 if input.ndim == 1 else 1
    logs = log_softmax(input, dim)
    if target.dtype.is_floating_point:
        return cross_entropy_of_probabilities(
            logs, target, weight, reduction, label_smoothing, dim
        )
    hard = nll_loss(
        logs, target, weight, ignore_index=ignore_index, reduction=reduction
    )
    if label_smoothing == 0.0:
        return hard
    smooth = smooth_part(logs, target, weight, ignore_index, reduction, dim)
    count = input.shape[dim]
    return hard * (1 - label_smoothing) + smooth * (label_smoothing / count)


def smooth_part(
    logs: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    dim: int,
) -> Tensor:
    """Return the loss against all classes alike, for label smoothing."""
    weighted = logs if weight is None else logs * along_dim(weight, logs.ndim, dim)
    losses = -weighted.sum(dim)
    kept = target != ignore_index
    losses = losses.masked_fill(~kept, 0.0)
    if reduction != "mean":
        return reduced(losses, reduction)
    if weight is None:
        return losses.sum() / kept.sum()
    return (
        losses.sum() / weight[target.masked_fill(~kept, 0)].masked_fill(~kept, 0).sum()
    )


def along_dim(weight: Tensor, ndim: int, dim: int) -> Tensor:
    """Return class weights with the classes at a dimension."""
    return weight.reshape([-1 if i == dim else 1 for i in range(ndim)])


def cross_entropy_of_probabilities(
    logs: Tensor,
    target: Tensor,
    weight: Tensor | None,
    reduction: str,
    label_smoothing: float,
    dim: int,
) -> Tensor:
    """Return the cross-entropy against class probabilities."""
    if logs.shape != target.shape:
        raise not_classes(target)
    count = logs.shape[dim]
    if label_smoothing > 0:
        target = target * (1 - label_smoothing) + label_smoothing / count
    product = logs * target
    if weight is not None:
        product = product * along_dim(weight, logs.ndim, dim)
    if reduction == "mean":
        return -(product.sum() / max(1, math.prod(logs.shape) // count))
    return -product.sum() if reduction == "sum" else -product.sum(dim)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean over classes of the two-class cross-entropies by logits."""
    losses = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        losses = losses * weight
    losses = losses.sum(-1) / input.shape[-1]
    return reduced(losses, legacy(size_average, reduce, reduction))
