"""Losses that PyTorch has as one op each, with their derivatives."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy import ndarray

from .elementwise import log, sigmoid, sign
from .op import elementwise, flat, fused, with_names
from .reduction import expand_to
from .selection import where

# --- element by element ---------------------------------------------------------------


def _mse(self: ndarray, target: ndarray) -> ndarray:
    difference = self - target
    return difference * difference


mse = elementwise(
    "mse",
    _mse,
    inputs=("self", "target"),
    grad_fn="MseLossBackward0",
    vjp_self=lambda grad, self, target: grad * (self - target) * 2,
    vjp_target=lambda grad, self, target: grad * (target - self) * 2,
)


def _smooth_l1(self: ndarray, target: ndarray, *, beta: float) -> ndarray:
    size = np.abs(self - target)
    if beta == 0:
        return size
    return np.where(size < beta, size * size * (0.5 / beta), size - 0.5 * beta)


def _smooth_l1_slope(self: Any, target: Any, beta: float) -> Any:
    difference = self - target
    if beta == 0:
        return sign(difference)
    inside = (difference < beta) & (difference > -beta)
    return where(inside, difference * (1 / beta), sign(difference))


smooth_l1 = elementwise(
    "smooth_l1",
    _smooth_l1,
    inputs=("self", "target"),
    grad_fn="SmoothL1LossBackward0",
    promote="float",
    vjp_self=lambda grad, self, target, beta: (
        grad * _smooth_l1_slope(self, target, beta)
    ),
    vjp_target=lambda grad, self, target, beta: (
        grad * _smooth_l1_slope(target, self, beta)
    ),
)


def _huber(self: ndarray, target: ndarray, *, delta: float) -> ndarray:
    size = np.abs(self - target)
    return np.where(size <= delta, size * size * 0.5, (size - 0.5 * delta) * delta)


def _huber_slope(self: Any, target: Any, delta: float) -> Any:
    difference = self - target
    inside = (difference <= delta) & (difference >= -delta)
    return where(inside, difference, sign(difference) * delta)


huber = elementwise(
    "huber",
    _huber,
    inputs=("self", "target"),
    grad_fn="HuberLossBackward0",
    promote="float",
    vjp_self=lambda grad, self, target, delta: grad * _huber_slope(self, target, delta),
    vjp_target=lambda grad, self, target, delta: (
        grad * _huber_slope(target, self, delta)
    ),
)


def _bce(self: ndarray, target: ndarray) -> ndarray:
    for name, values in (("input", self), ("target", target)):
        if values.size and not (values.min() >= 0 and values.max() <= 1):
            raise RuntimeError(f"all elements of {name} should be between 0 and 1")
    # PyTorch bounds the logarithms from below, so that the loss is finite at 0 and 1.
    yes = np.maximum(np.log(self), -100)
    no = np.maximum(np.log1p(-self), -100)
    return (target - 1) * no - target * yes


EPSILON = 1e-12

binary_cross_entropy = elementwise(
    "binary_cross_entropy",
    _bce,
    inputs=("self", "target"),
    promote="float",
    vjp_self=lambda grad, self, target: (
        grad * ((self - target) / bounded((1 - self) * self))
    ),
    vjp_target=lambda grad, self: grad * (log_bounded(1 - self) - log_bounded(self)),
)


def bounded(value: Any) -> Any:
    """The value, or a small positive number if that is larger."""
    return where(value > EPSILON, value, EPSILON)


def log_bounded(value: Any) -> Any:
    """The logarithm, or -100 if that is larger."""
    result = log(value)
    return where(result > -100, result, -100.0)


def _bce_with_logits(self: ndarray, target: ndarray) -> ndarray:
    # (1 - t) x + log(1 + exp(-x)), with the exponent never above zero
    low = np.minimum(self, 0)
    return (1 - target) * self - low + np.log1p(np.exp(-np.abs(self)))


bce_with_logits = elementwise(
    "bce_with_logits",
    _bce_with_logits,
    inputs=("self", "target"),
    promote="float",
    grad_fn="BinaryCrossEntropyWithLogitsBackward0",
    vjp_self=lambda grad, self, target: grad * (sigmoid(self) - target),
    vjp_target=lambda grad, self: -grad * self,
)


def _bce_with_logits_weighted(
    self: ndarray, target: ndarray, pos_weight: ndarray
) -> ndarray:
    log_weight = (pos_weight - 1) * target + 1
    soft = np.log1p(np.exp(-np.abs(self))) - np.minimum(self, 0)
    return (1 - target) * self + log_weight * soft


bce_with_logits_weighted = elementwise(
    "bce_with_logits_weighted",
    _bce_with_logits_weighted,
    inputs=("self", "target", "pos_weight"),
    promote="float",
    grad_fn="BinaryCrossEntropyWithLogitsBackward0",
    vjp_self=lambda grad, self, target, pos_weight: (
        grad
        * ((pos_weight * target + 1 - target) * sigmoid(self) - pos_weight * target)
    ),
    vjp_target=lambda grad, self, pos_weight: (
        -grad * (self + (pos_weight - 1) * log(sigmoid(self)))
    ),
    vjp_pos_weight=lambda grad, self, target: -grad * target * log(sigmoid(self)),
)


def _soft_margin(self: ndarray, target: ndarray) -> ndarray:
    product = -target * self
    return np.maximum(product, 0) + np.log1p(np.exp(-np.abs(product)))


soft_margin = elementwise(
    "soft_margin",
    _soft_margin,
    inputs=("self", "target"),
    promote="float",
    grad_fn="SoftMarginLossBackward0",
    vjp_self=lambda grad, self, target: grad * -target * sigmoid(-(target * self)),
)

# --- reduced --------------------------------------------------------------------------


def reduced(each: Any) -> Any:
    """Declare the mean or sum of an elementwise loss, of inputs of one shape, as an op.

    Its rules are those of the loss, given each element's share of the gradient.
    """
    source = each.primitive

    def forward(*arrays: ndarray, reduction: str, **params: Any) -> Any:
        losses = source.forward(*arrays, **params)
        total = np.add.reduce(losses, axis=None)
        return total / losses.dtype.type(losses.size) if reduction == "mean" else total

    def decomposition(*inputs: Any, reduction: str, **params: Any) -> Any:
        losses = each(*inputs, **params)
        return losses.mean() if reduction == "mean" else losses.sum()

    def shared(rule: Any) -> Any:
        def vjp(grad: Any, self_shape: Any, reduction: str, *rest: Any) -> Any:
            if reduction == "mean":
                grad = grad * (1 / max(1, math.prod(self_shape)))
            return expand_to(rule.function(grad, *rest), shape=self_shape)

        return with_names(vjp, ("grad", "self_shape", "reduction", *rule.names[1:]))

    return fused(
        f"{source.name}_reduced",
        forward,
        inputs=source.inputs,
        promote=source.promote,
        grad_fn=source.grad_fn,
        decomposition=decomposition,
        **{f"vjp_{name}": shared(rule) for name, rule in source.rules.items()},
    )


REDUCED = {
    each: reduced(each)
    for each in (
        mse,
        smooth_l1,
        huber,
        binary_cross_entropy,
        bce_with_logits,
        soft_margin,
    )
}
"""For each of these losses the same with a parameter ``reduction``: "mean" or "sum"."""

# --- by class -------------------------------------------------------------------------
#
# The classes are dimension 1 of `self` (N, C, ...), as integers in `target` (N, ...);
# or `self` (C) has them alone, and `target` () is one of them.
# `weight` (C) may be None. Targets equal to `ignore_index` count for nothing.


UNSIGNED = {np.dtype(f"i{size}"): np.dtype(f"u{size}") for size in (1, 2, 4, 8)}


def check_targets(target: ndarray, classes: int, ignore_index: int) -> bool:
    """Refuse targets that are no classes; return whether any is to be ignored."""
    if not target.size:
        return False
    if not 0 <= ignore_index < classes:
        # Without a sign, negative numbers are larger than any class.
        largest = target.view(UNSIGNED.get(target.dtype, target.dtype)).max()
        if largest < classes:
            return False
    ignored = target == ignore_index
    wrong = ((target < 0) | (target >= classes)) & ~ignored
    if wrong.any():
        raise IndexError(f"Target {target[wrong][0]} is out of bounds.")
    return bool(ignored.any())


def chosen_weights(
    target: ndarray, weight: ndarray | None, ignore_index: int, classes: int, dtype: Any
) -> tuple[ndarray, ndarray | None]:
    """Return the classes with a valid one where ignored, and the weight of each.

    The weights are None if all are one.
    """
    if not check_targets(target, classes, ignore_index):
        return target, None if weight is None else weight[target]
    kept = target != ignore_index
    safe = np.where(kept, target, 0)
    return safe, kept.astype(dtype) if weight is None else weight[safe] * kept


SMALL = 4096
"""For so many targets, the places of their classes are remembered in part."""


def places(target: ndarray, classes: int) -> ndarray:
    """Return where the class of each target is in the flat (N, C, ...)."""
    inner = math.prod(target.shape[1:])
    if inner != 1:
        target = np.multiply(target, inner, dtype=np.int64)
    made = starts if target.size <= SMALL else starts.__wrapped__
    return target + made(target.shape, classes, inner)


@lru_cache(maxsize=64)
def starts(shape: tuple[int, ...], classes: int, inner: int) -> ndarray:
    """Return where the first class of each target is in the flat (N, C, ...)."""
    grid = np.arange(shape[0])[:, None] * (classes * inner) + np.arange(inner)
    return grid.reshape(shape)


def _nll(
    self: ndarray,
    target: ndarray,
    weight: ndarray | None,
    *,
    reduction: str,
    ignore_index: int,
) -> ndarray:
    if self.ndim == 1:
        options = {"reduction": reduction, "ignore_index": ignore_index}
        return _nll(self[None], target.reshape(1), weight, **options).reshape(())  # type: ignore[arg-type]
    classes = self.shape[1]
    safe, weights = chosen_weights(target, weight, ignore_index, classes, self.dtype)
    losses = self.reshape(-1).take(places(safe, classes))
    if weights is not None:
        losses = np.where(weights == 0, 0, losses * weights)
    if reduction == "none":
        return np.negative(losses)
    total = -np.add.reduce(losses, axis=None)
    return (
        total / total_weight(safe, weights, self.dtype)
        if reduction == "mean"
        else total
    )


def total_weight(target: ndarray, weights: ndarray | None, dtype: Any) -> Any:
    """Return the sum of the weights of all targets."""
    if weights is None:
        return dtype.type(target.size)
    return np.add.reduce(weights, axis=None)


def _nll_backward(
    self: ndarray,
    target: ndarray,
    weight: ndarray | None,
    *,
    shape: tuple[int, ...],
    reduction: str,
    ignore_index: int,
) -> ndarray:
    if len(shape) == 1:
        return _nll_backward(
            self.reshape(1) if reduction == "none" else self,
            target.reshape(1),
            weight,
            shape=(1, *shape),
            reduction=reduction,
            ignore_index=ignore_index,
        ).reshape(shape)
    safe, weights = chosen_weights(target, weight, ignore_index, shape[1], self.dtype)
    share = -self if self.ndim else -self[()]
    if reduction == "mean":
        share = share / total_weight(safe, weights, self.dtype)
    if weights is not None:
        # where nothing counts, the share is infinite
        share = np.where(weights == 0, 0, share * weights)
    result = np.zeros(shape, self.dtype)
    result.reshape(-1)[places(safe, shape[1])] = share
    return result


nll_backward = fused(
    "nll_backward",
    _nll_backward,
    inputs=("self", "target", "weight"),
    grad_fn="NllLossBackwardBackward0",
    vjp_self=lambda grad, target, weight, reduction, ignore_index: nll_loss(
        grad, target, weight, reduction=reduction, ignore_index=ignore_index
    ),
    jvp=lambda self_t, target, weight, shape, reduction, ignore_index: nll_backward(
        self_t,
        target,
        weight,
        shape=shape,
        reduction=reduction,
        ignore_index=ignore_index,
    ),
)


def nll_vjp(
    grad: Any,
    target: Any,
    weight: Any,
    self_shape: Any,
    reduction: str,
    ignore_index: int,
) -> Any:
    return nll_backward(
        grad,
        target,
        weight,
        shape=self_shape,
        reduction=reduction,
        ignore_index=ignore_index,
    )


def nll_jvp(
    self_t: Any, target: Any, weight: Any, reduction: str, ignore_index: int
) -> Any:
    return nll_loss(
        self_t, target, weight, reduction=reduction, ignore_index=ignore_index
    )


nll_loss = fused(
    "nll_loss",
    _nll,
    inputs=("self", "target", "weight"),
    vjp_self=nll_vjp,
    jvp=nll_jvp,
)
nll_loss2d = fused(
    "nll_loss2d",
    _nll,
    inputs=("self", "target", "weight"),
    grad_fn="NllLoss2DBackward0",
    vjp_self=nll_vjp,
    jvp=nll_jvp,
)
flat(nll_loss)
flat(nll_loss2d)
