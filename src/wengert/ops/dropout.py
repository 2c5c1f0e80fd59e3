"""Dropout: elements, or whole channels, are set to zero at random."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy import ndarray

from ..generator import default_generator
from ..kernels.memory_order import in_order_of_memory
from ..tensor import Tensor
from .drawing import fresh
from .options import numpy_dtype
from .public import check_operand, namespace, op


@op(name="dropout", method=False, inplace=False, out=False)
def dropout(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Return the input with elements set to zero at random, the rest scaled up.

    Args:
        p: the probability of each element to become zero; the others are divided by
            1 - p.
        training: if False, nothing happens.
        inplace: write the result into the input.

    >>> import wengert as torch
    >>> torch.nn.functional.dropout(torch.ones(2), 1.0)
    tensor([0., 0.])
    """
    return dropped(input, p, training, inplace, tuple(input.shape))


def dropped(
    input: Tensor, p: float, training: bool, inplace: bool, shape: tuple[int, ...]
) -> Tensor:
    """Multiply with a mask of this shape, which is broadcast."""
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    check_operand("dropout", "input", 0, input)
    if not training or p == 0:
        return input
    if p == 1:
        return input.mul_(0) if inplace else input * 0
    if not (input.dtype.is_floating_point or input.dtype.is_complex):
        raise RuntimeError(
            "result type Float can't be cast to the desired output type "
            f"{input.dtype.scalar_type}"
        )
    kind = numpy_dtype(input.dtype)

    def draw(shape: tuple[int, ...]) -> ndarray:
        mask = default_generator.dropout_mask(shape, kind, p)
        mask /= 1 - p
        return mask

    mask = fresh(in_order_of(input, shape, draw), shape)
    return input.mul_(mask) if inplace else input * mask


def in_order_of(
    input: Tensor, shape: tuple[int, ...], draw: Callable[..., ndarray]
) -> Callable[..., ndarray]:
    """Return what draws a mask for elements in the order of their memory."""
    whole = shape == tuple(input.shape)
    return in_order_of_memory(draw, input._data) if whole else draw


def feature_dropout(name: str, dims: int) -> Callable[..., Tensor]:
    """Return ``dropout1d`` and its like, which drop whole channels."""

    def drop(
        input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
    ) -> Tensor:
        single = input.ndim == dims + 1
        batch = input.unsqueeze(0) if single else input
        shape = (*batch.shape[:2], *(1,) * (batch.ndim - 2))
        result = dropped(batch, p, training, inplace, shape)
        if inplace:
            return input
        return result.squeeze(0) if single else result

    drop.__name__ = name
    drop.__doc__ = "Return the input with whole channels set to zero at random."
    return drop


dropout1d = feature_dropout("dropout1d", 1)
dropout2d = feature_dropout("dropout2d", 2)
dropout3d = feature_dropout("dropout3d", 3)
namespace["feature_dropout"] = feature_dropout("feature_dropout", -1)

ALPHA = 1.7580993408473766


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Return the input with elements set to SELU's lowest value at random, rescaled."""
    return alpha_dropped(input, p, training, inplace, tuple(input.shape))


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Return the input with whole channels set to SELU's lowest value at random."""
    shape = (*input.shape[:2], *(1,) * (input.ndim - 2))
    return alpha_dropped(input, p, training, inplace, shape)


def alpha_dropped(
    input: Tensor, p: float, training: bool, inplace: bool, shape: tuple[int, ...]
) -> Tensor:
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0:
        return input
    if p == 1:
        return input.mul_(0) if inplace else input * 0
    kind = numpy_dtype(input.dtype)

    def draw(shape: tuple[int, ...]) -> ndarray:
        return default_generator.dropout_mask(shape, kind, p)

    mask = fresh(in_order_of(input, shape, draw), shape)
    a = 1.0 / math.sqrt((ALPHA * ALPHA * p + 1) * (1 - p))
    scale = mask * a
    shift = (mask - 1) * (ALPHA * a) + ALPHA * a * p
    result = input * scale + shift
    return input.copy_(result) if inplace else result


def gumbel_softmax(
    logits: Tensor,
    tau: float = 1,
    hard: bool = False,
    eps: float = 1e-10,
    dim: int = -1,
) -> Tensor:
    """Return a sample of the Gumbel-softmax distribution; with `hard`, one-hot.

    The gradient of the one-hot sample is that of the soft one.
    """
    kind = numpy_dtype(logits.dtype)
    noise = fresh(
        lambda shape: -np.log(default_generator.exponential(shape, kind)),
        tuple(logits.shape),
    )
    soft = ((logits + noise) / tau).softmax(dim)
    if not hard:
        return soft
    index = soft.detach().argmax(dim, keepdim=True)
    one_hot = soft.detach() * 0
    one_hot.scatter_(dim, index, 1.0)
    return one_hot - soft.detach() + soft
