"""Distances, and losses with a margin: functions of `torch.nn.functional`."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .loss import check_reduction, legacy, reduced
from .public import namespace, op

# --- of classes -----------------------------------------------------------------------


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Return Σ max(0, margin - x[target] + x[i])^p / C over the other classes i."""
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    reduction = legacy(size_average, reduce, reduction)
    check_reduction(reduction)
    if weight is not None and weight.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    check_rows(input)
    rows = input.reshape((-1, input.shape[-1] if input.ndim else 1))
    count, width = rows.shape
    if target.ndim > 1 or target.numel() != count:
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the "
            "number of input samples (batch size). Expected target size "
            f"[{count}], but got {list(target.shape)}. Input has shape "
            f"{list(input.shape)}."
        )
    if weight is not None and weight.numel() != width:
        raise RuntimeError(
            f"inconsistent weight size, expected {width} but got {list(weight.shape)}"
        )
    check_classes(target)
    classes = target.reshape((-1,))
    at_target = rows.gather(1, classes.unsqueeze(1))
    losses = (margin - at_target + rows).clamp_min(0)
    if p == 2:
        losses = losses * losses
    if weight is not None:
        losses = losses * weight[classes].unsqueeze(1)
    losses = losses.scatter(1, classes.unsqueeze(1), 0.0).sum(1) / rows.shape[1]
    if reduction == "none":
        return losses if input.ndim > 1 else losses.reshape(())
    return reduced(losses, reduction)


def check_rows(input: Tensor) -> None:
    """Refuse what is no row of scores, or several."""
    if input.ndim > 2 or 0 in input.shape[-1:]:
        raise RuntimeError(
            "Expected non-empty vector or matrix with optional 0-dim batch size, but "
            f"got: {list(input.shape)}"
        )


def check_classes(target: Tensor) -> None:
    """Refuse classes that are no integers."""
    if target.is_floating_point():
        raise RuntimeError(
            f"expected scalar type Long but found {target.dtype.scalar_type}"
        )


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Return Σ max(0, 1 - x[j] + x[i]) / C over targets j (up to a -1) and others i."""
    check_rows(input)
    if tuple(target.shape) != tuple(input.shape):
        raise RuntimeError(
            f"inconsistent target size: {list(target.shape)} for input of size: "
            f"{list(input.shape)}"
        )
    check_classes(target)
    rows = input.reshape((-1, input.shape[-1] if input.ndim else 1))
    labels = target.reshape(tuple(rows.shape))
    valid = (labels < 0).cumsum(1) == 0
    safe = labels.masked_fill(~valid, 0)
    is_target = (
        (valid.unsqueeze(2)) & (safe.unsqueeze(2) == namespace["arange"](rows.shape[1]))
    ).any(1)
    margins = (1 - rows.gather(1, safe).unsqueeze(2) + rows.unsqueeze(1)).clamp_min(0)
    counted = valid.unsqueeze(2) & ~is_target.unsqueeze(1)
    losses = (margins * counted).sum((1, 2)) / rows.shape[1]
    reduction = legacy(size_average, reduce, reduction)
    if reduction == "none":
        return losses if input.ndim > 1 else losses.reshape(())
    return reduced(losses, reduction)


# --- of distances ---------------------------------------------------------------------


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Return x where the target is 1, and max(0, margin - x) where it is -1."""
    far = (margin - input).clamp_min(0).masked_fill(target == 1, 0.0)
    near = input.masked_fill(target == -1, 0.0)
    return reduced(far + near, legacy(size_average, reduce, reduction))


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Return max(0, -target (x1 - x2) + margin)."""
    if not (input1.ndim == input2.ndim == target.ndim):
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but "
            f"got sizes: input1: {input1.shape}, input2: {input2.shape}, "
            f"target: {target.shape}"
        )
    losses = (-target * (input1 - input2) + margin).clamp_min(0)
    return reduced(losses, legacy(size_average, reduce, reduction))


def check_triplet(anchor: Tensor, positive: Tensor, negative: Tensor) -> None:
    """Refuse tensors of different ranks."""
    ranks = [len(x.shape) for x in (anchor, positive, negative)]
    if len(set(ranks)) > 1:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same "
            f"number of dimensions, but got: anchor {ranks[0]}D, positive {ranks[1]}D, "
            f"and negative {ranks[2]}D inputs"
        )


@op(method=False, out=False)
def cosine_similarity(
    x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8
) -> Tensor:
    """Return the cosine of the angle between vectors along a dimension."""
    x1, x2 = namespace["broadcast_tensors"](x1, x2)
    first, second = [limited(x.norm(2, dim, keepdim=True), eps) for x in (x1, x2)]
    return (x1 / first * (x2 / second)).sum(dim)


def limited(norm: Tensor, least: float) -> Tensor:
    """Return a norm that is at least so much, with the derivatives of the norm."""
    value = norm.detach()
    result: Tensor = norm + (value.clamp_min(least) - value)
    return result


@op(method=False, out=False)
def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """Return the p-norm of x1 - x2 + eps along the last dimension."""
    return (x1 - x2 + eps).norm(p, -1, keepdim=keepdim)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Return 1 - cos where the target is 1, and max(0, cos - margin) where it is -1."""
    if target.ndim not in (0, 1):
        raise RuntimeError(
            "0D or 1D target tensor expected, multi-target not supported"
        )
    epsilon = 1e-12
    product = (input1 * input2).sum(-1)
    sizes = ((input1 * input1).sum(-1) + epsilon) * (
        (input2 * input2).sum(-1) + epsilon
    )
    cosine = product / sizes.sqrt()
    near = (1 - cosine).masked_fill(target != 1, 0.0)
    far = (cosine - margin).clamp_min(0).masked_fill(target != -1, 0.0)
    return reduced(near + far, legacy(size_average, reduce, reduction))


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Return max(0, d(anchor, positive) - d(anchor, negative) + margin)."""
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    check_triplet(anchor, positive, negative)
    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = namespace["minimum"](far, pairwise_distance(positive, negative, p, eps))
    losses = (near - far + margin).clamp_min(0)
    return reduced(losses, legacy(size_average, reduce, reduction))


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Any = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """Return the triplet loss with a distance of the caller's."""
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    check_triplet(anchor, positive, negative)
    distance = distance_function or pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = namespace["minimum"](far, distance(positive, negative))
    return reduced((near - far + margin).clamp_min(0), reduction)
