"""Losses: functions of `torch.nn.functional`."""

from __future__ import annotations

import math
from typing import Any

from ..primitives import loss as L
from ..tensor import Tensor
from .activation import log_softmax, logsigmoid
from .public import namespace, op

REDUCTIONS = ("none", "mean", "sum")


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """Return the losses, their mean, or their sum."""
    check_reduction(reduction)
    if reduction == "mean":
        return losses.mean()
    return losses.sum() if reduction == "sum" else losses


def check_reduction(reduction: str) -> None:
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")


def legacy(size_average: Any, reduce: Any, reduction: str) -> str:
    """Return the reduction that the older arguments ask for."""
    if size_average is None and reduce is None:
        return reduction
    if reduce is False:
        return "none"
    return "sum" if size_average is False else "mean"


def warn_sizes(name: str, input: Tensor, target: Tensor) -> None:
    """Warn where broadcasting is probably not meant."""
    if input.shape == target.shape:
        return
    import warnings

    warnings.warn(
        f"Using a target size ({target.shape}) that is different to the input size "
        f"({input.shape}). This will likely lead to incorrect results due to "
        "broadcasting. Please ensure they have the same size.",
        stacklevel=3,
    )


# --- regression -----------------------------------------------------------------------


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Return the squared differences: their mean, sum, or each.

    >>> import wengert as torch
    >>> torch.nn.functional.mse_loss(torch.zeros(2), torch.tensor([1.0, 2.0]))
    tensor(2.5000)
    """
    reduction = legacy(size_average, reduce, reduction)
    check_reduction(reduction)
    warn_sizes("mse_loss", input, target)
    if weight is not None:
        losses = L.mse(input, target) * weight
        if reduction == "mean":
            return losses.sum() / weight.expand_as(losses).sum()
        return reduced(losses, reduction)
    return by_reduction(L.mse, reduction, input, target)


def by_reduction(
    primitive: Any, reduction: str, input: Tensor, target: Tensor, *rest: Any, **params: Any
) -> Tensor:
    """Compute elementwise losses and reduce them."""
    check_reduction(reduction)
    if reduction != "none" and not rest and input.shape == target.shape:
        return L.REDUCED[primitive](input, target, reduction=reduction, **params)
    return reduced(primitive(input, target, *rest, **params), reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Return the sizes of the differences: their mean, sum, or each."""
    warn_sizes("l1_loss", input, target)
    losses = (input - target).abs()
    reduction = legacy(size_average, reduce, reduction)
    if weight is not None:
        losses = losses * weight
        if reduction == "mean":
            return losses.sum() / weight.expand_as(losses).sum()
    return reduced(losses, reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Return losses that are square below `beta` and linear above."""
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    warn_sizes("smooth_l1_loss", input, target)
    reduction = legacy(size_average, reduce, reduction)
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    return by_reduction(L.smooth_l1, reduction, input, target, beta=beta)


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """Return losses that are square up to `delta` and linear above."""
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    warn_sizes("huber_loss", input, target)
    if weight is not None:
        losses = L.huber(input, target, delta=delta) * weight
        if reduction == "mean":
            return losses.sum() / weight.expand_as(losses).sum()
        return reduced(losses, reduction)
    return by_reduction(L.huber, reduction, input, target, delta=delta)


# --- two classes ----------------------------------------------------------------------


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the cross-entropy of probabilities of two classes.

    Raises:
        RuntimeError: if a probability is not between 0 and 1.
    """
    if input.shape != target.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}) is deprecated. Please ensure they have the same size."
        )
    data = input.detach()
    if bool(((data < 0) | (data > 1)).any()):
        raise RuntimeError("all elements of input should be between 0 and 1")
    reduction = legacy(size_average, reduce, reduction)
    if weight is None:
        return by_reduction(L.binary_cross_entropy, reduction, input, target)
    return reduced(L.binary_cross_entropy(input, target) * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Return the cross-entropy of two classes by logits: stable for large ones too."""
    if input.shape != target.shape:
        raise ValueError(
            f"Target size ({target.shape}) must be the same as input size ({input.shape})"
        )
    reduction = legacy(size_average, reduce, reduction)
    if pos_weight is None and weight is None:
        return by_reduction(L.bce_with_logits, reduction, input, target)
    if pos_weight is None:
        losses = L.bce_with_logits(input, target)
    else:
        losses = L.bce_with_logits_weighted(input, target, pos_weight)
    if weight is not None:
        losses = losses * weight
    return reduced(losses, reduction)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Return log(1 + exp(-target * input))."""
    reduction = legacy(size_average, reduce, reduction)
    return by_reduction(L.soft_margin, reduction, input, target)


# --- several classes ------------------------------------------------------------------


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
    if input.ndim == 0:
        raise RuntimeError("input tensor should be 1D or 2D")
    if input.ndim == 1:
        losses = nll_loss(
            input.unsqueeze(0),
            target.reshape((1,)),
            weight,
            ignore_index=ignore_index,
            reduction=reduction,
        )
        return losses.reshape(()) if reduction == "none" else losses
    check_classes(input, target, weight)
    call = L.nll_loss if input.ndim == 2 else L.nll_loss2d
    return call(input, target, weight, reduction=reduction, ignore_index=ignore_index)


def check_classes(
    input: Tensor, target: Tensor, weight: Tensor | None
) -> None:
    """Refuse targets whose shape or dtype does not fit the input."""
    shape, found = tuple(input.shape), tuple(target.shape)
    if len(shape) == 2 and shape[:1] != found[:1]:
        raise ValueError(
            f"Expected input batch_size ({input.shape[0]}) to match target batch_size "
            f"({target.shape[0] if target.ndim else 1})."
        )
    expected = (shape[0], *shape[2:])
    if found != expected:
        if len(shape) == 2:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        raise RuntimeError(
            f"Expected target size {list(expected)}, got {list(target.shape)}"
        )
    if target.dtype.is_floating_point or target.dtype.is_complex:
        kind = target.dtype.scalar_type
        raise RuntimeError(f"expected scalar type Long but found {kind}")
    if weight is not None and weight.numel() != input.shape[1]:
        raise RuntimeError(
            f"weight tensor should be defined either for all {input.shape[1]} classes or "
            f"no classes but got weight tensor of shape: {list(weight.shape)}"
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
    dim = 0 if input.ndim == 1 else 1
    logs = log_softmax(input, dim)
    if target.dtype.is_floating_point:
        return cross_entropy_of_probabilities(
            logs, target, weight, reduction, label_smoothing, dim
        )
    hard = nll_loss(logs, target, weight, ignore_index=ignore_index, reduction=reduction)
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
    return losses.sum() / weight[target.masked_fill(~kept, 0)].masked_fill(~kept, 0).sum()


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
        raise RuntimeError(
            f"Expected floating point type for target with class probabilities, got "
            f"shapes {list(logs.shape)} and {list(target.shape)}"
        )
    count = logs.shape[dim]
    if label_smoothing > 0:
        target = target * (1 - label_smoothing) + label_smoothing / count
    product = logs * target
    if weight is not None:
        product = product * along_dim(weight, logs.ndim, dim)
    if reduction == "mean":
        return -(product.sum() / max(1, math.prod(logs.shape) // count))
    return -product.sum() if reduction == "sum" else -product.sum(dim)


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
    rows = input.reshape((-1, input.shape[-1]))
    classes = target.reshape((-1,))
    at_target = rows.gather(1, classes.unsqueeze(1))
    losses = (margin - at_target + rows).clamp_min(0)
    if p == 2:
        losses = losses * losses
    if weight is not None:
        losses = losses * weight[classes].unsqueeze(1)
    losses = losses.scatter(1, classes.unsqueeze(1), 0.0).sum(1) / rows.shape[1]
    reduction = legacy(size_average, reduce, reduction)
    if reduction == "none":
        return losses if input.ndim > 1 else losses.reshape(())
    return reduced(losses, reduction)


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Return Σ max(0, 1 - (x[j] - x[i])) / C over targets j (up to a -1) and others i."""
    rows = input.reshape((-1, input.shape[-1]))
    labels = target.reshape((-1, input.shape[-1]))
    valid = (labels < 0).cumsum(1) == 0
    safe = labels.masked_fill(~valid, 0)
    is_target = (
        (valid.unsqueeze(2))
        & (safe.unsqueeze(2) == namespace["arange"](rows.shape[1]))
    ).any(1)
    margins = (1 - rows.gather(1, safe).unsqueeze(2) + rows.unsqueeze(1)).clamp_min(0)
    counted = valid.unsqueeze(2) & ~is_target.unsqueeze(1)
    losses = (margins * counted).sum((1, 2)) / rows.shape[1]
    reduction = legacy(size_average, reduce, reduction)
    if reduction == "none":
        return losses if input.ndim > 1 else losses.reshape(())
    return reduced(losses, reduction)


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


# --- distributions --------------------------------------------------------------------


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Return the Kullback–Leibler divergence of target from exp(input), term by term."""
    if log_target:
        losses = target.exp() * (target - input)
    else:
        losses = namespace["xlogy"](target, target) - target * input
    reduction = legacy(size_average, reduce, reduction)
    if reduction == "batchmean":
        return losses.sum() / input.shape[0] if input.ndim else losses.sum()
    return reduced(losses, reduction)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: Any = None,
    eps: float = 1e-8,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the negative log-likelihood of counts under Poisson rates."""
    if log_input:
        losses = input.exp() - target * input
    else:
        losses = input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        losses = losses + stirling.masked_fill(target <= 1, 0)
    return reduced(losses, legacy(size_average, reduce, reduction))


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Any,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """Return the negative log-likelihood of targets under normal distributions."""
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = namespace["full_like"](input, var)
    elif var.shape != input.shape:
        if input.shape[:-1] == var.shape:
            var = var.unsqueeze(-1)
        elif not (input.shape[:-1] == var.shape[:-1] and var.shape[-1] == 1):
            raise ValueError("var is of incorrect size")
    check_reduction(reduction)
    if bool((var < 0).any()):
        raise ValueError("var has negative entry/entries")
    with_floor = var.clone()
    with_floor = with_floor + (with_floor.detach().clamp_min(eps) - with_floor.detach())
    losses = 0.5 * (with_floor.log() + (input - target) ** 2 / with_floor)
    if full:
        losses = losses + 0.5 * math.log(2 * math.pi)
    return reduced(losses, reduction)


# --- distances ------------------------------------------------------------------------


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
            "margin_ranking_loss : All input tensors should have same dimension but got "
            f"sizes: input1: {input1.shape}, input2: {input2.shape}, target: {target.shape}"
        )
    losses = (-target * (input1 - input2) + margin).clamp_min(0)
    return reduced(losses, legacy(size_average, reduce, reduction))


@op(method=False, out=False)
def cosine_similarity(
    x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8
) -> Tensor:
    """Return the cosine of the angle between vectors along a dimension."""
    first = x1 / x1.norm(2, dim, keepdim=True).clamp_min(eps)
    second = x2 / x2.norm(2, dim, keepdim=True).clamp_min(eps)
    return (first * second).sum(dim)


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
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    epsilon = 1e-12
    product = (input1 * input2).sum(-1)
    sizes = ((input1 * input1).sum(-1) + epsilon) * ((input2 * input2).sum(-1) + epsilon)
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
    distance = distance_function or pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = namespace["minimum"](far, distance(positive, negative))
    return reduced((near - far + margin).clamp_min(0), reduction)
