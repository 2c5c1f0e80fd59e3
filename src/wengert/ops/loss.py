"""Losses of numbers and of two classes: functions of `torch.nn.functional`.

Those of several classes are in `class_loss`, those with a margin in `margin_loss`.
"""

from __future__ import annotations

import math
from typing import Any

from .. import errors
from ..primitives import loss as L
from ..tensor import Tensor
from .arguments import holds_anywhere
from .public import namespace

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
    primitive: Any,
    reduction: str,
    input: Tensor,
    target: Tensor,
    *rest: Any,
    **params: Any,
) -> Tensor:
    """Compute elementwise losses and reduce them."""
    check_reduction(reduction)
    for each in (input, target):
        if each.dtype.is_complex:
            raise not_for(primitive, each)
    if not (input.dtype.is_floating_point or target.dtype.is_floating_point):
        raise not_for(primitive, input)
    if reduction != "none" and not rest and input.shape == target.shape:
        return L.REDUCED[primitive](input, target, reduction=reduction, **params)
    return reduced(primitive(input, target, *rest, **params), reduction)


def not_for(primitive: Any, tensor: Tensor) -> NotImplementedError:
    """Return the error about a tensor whose dtype a loss is not for."""
    return errors.not_for_dtype(primitive.primitive.name, tensor.dtype.scalar_type)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Return the sizes of the differences: their mean, sum, or each.

    Args:
        input, target: of one shape.
        reduction: "mean", "sum" or "none".
        weight: of each element; a mean is divided by their sum.

    >>> import wengert as torch
    >>> torch.nn.functional.l1_loss(torch.zeros(2), torch.tensor([1.0, -2.0]))
    tensor(1.5000)
    """
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
    """Return losses that are square below `beta` and linear above.

    d²/2β where the difference d is smaller than β, else |d| - β/2.

    >>> import wengert as torch
    >>> torch.nn.functional.smooth_l1_loss(torch.zeros(1), torch.tensor([0.5]))
    tensor(0.1250)
    """
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
    """Return losses that are square up to `delta` and linear above.

    d²/2 where the difference d is at most δ, else δ (|d| - δ/2).

    >>> import wengert as torch
    >>> torch.nn.functional.huber_loss(torch.zeros(1), torch.tensor([2.0]))
    tensor(1.5000)
    """
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

    -(t log p + (1 - t) log(1 - p)), each logarithm being at least -100.

    Args:
        input: p, probabilities of the first class.
        target: t, numbers between 0 and 1, of the same shape and dtype.
        weight: of each element.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: the shapes differ.
        RuntimeError: an input or target is not between 0 and 1, or the dtypes differ.

    >>> import wengert as torch
    >>> p, t = torch.tensor([0.5, 0.9]), torch.tensor([1.0, 1.0])
    >>> torch.nn.functional.binary_cross_entropy(p, t)
    tensor(0.3993)
    """
    if input.shape != target.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}) is deprecated. Please ensure they have the same size."
        )
    if target.dtype is not input.dtype:
        raise RuntimeError(
            f"Found dtype {target.dtype.scalar_type} but expected "
            f"{input.dtype.scalar_type}"
        )
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
    """Return the cross-entropy of two classes by logits: stable for large ones too.

    Args:
        input: logits of the first class.
        target: numbers between 0 and 1, of the same shape.
        weight: of each element.
        pos_weight: of the first class, broadcast to the input.
        reduction: "mean", "sum" or "none".

    >>> import wengert as torch
    >>> x, t = torch.tensor([0.0, 1000.0]), torch.tensor([1.0, 1.0])
    >>> torch.nn.functional.binary_cross_entropy_with_logits(x, t)
    tensor(0.3466)
    """
    if input.shape != target.shape:
        raise ValueError(
            f"Target size ({target.shape}) must be the same as input size "
            f"({input.shape})"
        )
    if not target.dtype.is_floating_point:
        raise RuntimeError(
            f"result type {input.dtype.scalar_type} can't be cast to the desired "
            f"output type {target.dtype.scalar_type}"
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


# --- distributions --------------------------------------------------------------------


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Return the terms of the Kullback–Leibler divergence of target from exp(input).

    Args:
        input: logarithms of probabilities.
        target: probabilities, or their logarithms if `log_target`.
        reduction: "batchmean" (the divergence: divided by the size of the batch),
            "mean" (by the number of elements), "sum" or "none".

    >>> import wengert as torch
    >>> p = torch.tensor([[0.5, 0.5]])
    >>> torch.nn.functional.kl_div(p.log(), p, reduction="batchmean")
    tensor(0.)
    """
    for each in (input, target):
        if not each.dtype.is_floating_point:
            kind = "Complex" if each.dtype.is_complex else "Integral"
            raise RuntimeError(f"kl_div: {kind} inputs not supported.")
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
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    if holds_anywhere(var < 0):
        raise ValueError("var has negative entry/entries")
    with_floor = var.clone()
    with_floor = with_floor + (with_floor.detach().clamp_min(eps) - with_floor.detach())
    losses = 0.5 * (with_floor.log() + (input - target) ** 2 / with_floor)
    if full:
        losses = losses + 0.5 * math.log(2 * math.pi)
    return reduced(losses, reduction)
