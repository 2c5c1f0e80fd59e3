"""The cross-entropy of logits that a linear layer makes of features."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from ..tensor import Tensor
from .class_loss import cross_entropy
from .matmul import linear


@dataclass(frozen=True)
class LinearCrossEntropyOptions:
    """How PyTorch divides the work of `linear_cross_entropy`: the result is the same.

    Here it is not divided; the options are checked, and that is all.
    """

    allow_retain_graph: bool = False
    batch_chunk_size: Any = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: Any = None

    def __post_init__(self) -> None:
        if self.acc_policy not in ("auto", "accurate", "balanced", "compact"):
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        method = self.chunking_method
        if method not in (None, "auto"):
            name, _, factor = str(method).partition(":")
            count = factor or "1"
            if name != "aspect_ratio" or not count.isdigit() or int(count) < 1:
                raise ValueError(f"invalid chunking_method: {method!r}")
        size = self.batch_chunk_size
        if size is not None and not (isinstance(size, int) and size > 0):
            raise ValueError(
                f"batch_chunk_size must be positive int or None, got {size!r}"
            )


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: LinearCrossEntropyOptions | None = None,
) -> Tensor:
    """Return ``cross_entropy(linear(input, linear_weight, linear_bias), target)``.

    Args:
        input: features, (N, F) or (F).
        linear_weight: (C, F), or (C, ..., F) for targets of more dimensions.
        target: classes, or probabilities of the logits' shape.
        linear_bias: of the linear layer.
        weight: a weight for each class.
        ignore_index: the class that counts for nothing.
        options: how PyTorch divides the work; it makes no difference here.

    >>> import wengert as torch
    >>> x, weight, target = torch.zeros(2, 3), torch.ones(4, 3), torch.tensor([0, 3])
    >>> torch.nn.functional.linear_cross_entropy(x, weight, target)
    tensor(1.3863)
    """
    shape = logits_shape(input, linear_weight, linear_bias)
    if tuple(target.shape) == shape and ignore_index is not None:
        raise RuntimeError(
            "ignore_index cannot be specified when target contains probabilities"
        )
    if linear_weight.ndim > 2:
        rows = prod(linear_weight.shape[:-1])
        linear_weight = linear_weight.reshape((rows, linear_weight.shape[-1]))
        linear_bias = None if linear_bias is None else linear_bias.reshape((rows,))
    return cross_entropy(
        linear(input, linear_weight, linear_bias).reshape(shape),
        target,
        weight=weight,
        reduction=reduction,
        ignore_index=-100 if ignore_index is None else ignore_index,
        label_smoothing=label_smoothing,
    )


def logits_shape(
    input: Tensor, linear_weight: Tensor, linear_bias: Tensor | None
) -> tuple[int, ...]:
    """Return the shape of the logits, and refuse what does not fit together."""
    if input.ndim not in (1, 2):
        raise RuntimeError(
            f"expected input with dimensionality 1 or 2, got {input.ndim}"
        )
    if linear_weight.ndim < 2:
        raise RuntimeError(
            "expected linear_weight with dimensionality at least 2, got "
            f"{linear_weight.ndim}"
        )
    features = input.shape[-1]
    if features != linear_weight.shape[-1]:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{features} and {linear_weight.shape[-1]}, respectively"
        )
    outer = tuple(linear_weight.shape[:-1])
    if linear_bias is not None and tuple(linear_bias.shape) != outer:
        raise RuntimeError(
            f"expected linear_bias shape {outer}, got {tuple(linear_bias.shape)}"
        )
    if len(outer) > 1 and input.ndim == 1:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape "
            f"{tuple(linear_weight.shape)} requires batched input, (N, {features}), "
            f"got unbatched input with shape {tuple(input.shape)}"
        )
    return (*input.shape[:-1], *outer)
