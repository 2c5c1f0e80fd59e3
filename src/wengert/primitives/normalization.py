"""Normalisation: over the batch, over features, over groups of channels.

The forwards keep the normalised values and the reciprocal deviations for their rules
(Note [Hidden results]), which therefore compute on NumPy arrays only.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import ndarray

from .op import fused

Running = tuple[ndarray, ndarray, float] | None


def computed(array: ndarray) -> ndarray:
    """Half precision is computed with in single precision."""
    return array.astype(np.float32) if array.dtype == np.float16 else array


# --- over rows: layer norm, group norm ------------------------------------------------


def rows_normalized(rows: ndarray, eps: float) -> tuple[ndarray, ndarray]:
    """Return rows with mean 0 and variance 1, and the reciprocal deviations (n, 1)."""
    width = rows.shape[1]
    normal = rows - np.add.reduce(rows, 1, keepdims=True) / rows.dtype.type(max(1, width))
    variance = np.einsum("ij,ij->i", normal, normal)[:, None] / max(1, width)
    deviation = 1 / np.sqrt(variance + rows.dtype.type(eps))
    normal *= deviation
    return normal, deviation


def rows_vjp(grad: ndarray, normal: ndarray, deviation: ndarray) -> ndarray:
    """Return the cotangent of rows for that of the normalised rows."""
    width = max(1, normal.shape[1])
    along = np.einsum("ij,ij->i", grad, normal)[:, None] / width
    result = grad - np.add.reduce(grad, 1, keepdims=True) / width
    result -= normal * along
    result *= deviation
    return result


def _layer_norm(
    input: ndarray,
    weight: ndarray | None,
    bias: ndarray | None,
    *,
    width: int,
    eps: float,
) -> tuple[ndarray, ndarray, ndarray]:
    normal, deviation = rows_normalized(computed(input).reshape(-1, width), eps)
    result = normal.copy() if weight is None else normal * weight.reshape(-1)
    if bias is not None:
        result += bias.reshape(-1)
    return np.asarray(result.reshape(input.shape), input.dtype), normal, deviation


def _layer_norm_vjp(
    grad: ndarray,
    weight: ndarray | None,
    normal: ndarray,
    deviation: ndarray,
    bias: ndarray | None,
    needs: list[bool],
) -> list[ndarray | None]:
    grads = computed(grad).reshape(normal.shape)
    found: list[ndarray | None] = [None, None, None]
    if needs[0]:
        scaled = grads if weight is None else grads * weight.reshape(-1)
        found[0] = rows_vjp(scaled, normal, deviation).reshape(grad.shape)
    if needs[1] and weight is not None:
        found[1] = np.einsum("ij,ij->j", grads, normal).reshape(weight.shape)
    if needs[2] and bias is not None:
        found[2] = np.add.reduce(grads, 0).reshape(bias.shape)
    return found


def _layer_norm_composed(
    input: Any, weight: Any, bias: Any, *, width: int, eps: float
) -> Any:
    dims, size = [], 1
    for dim in reversed(range(len(input.shape))):
        if size == width and dims:
            break
        dims.append(dim)
        size *= input.shape[dim]
    centred = input - input.mean(dims, keepdim=True)
    variance = (centred * centred).mean(dims, keepdim=True)
    result = centred * (variance + eps).rsqrt()
    if weight is not None:
        result = result * weight
    return result if bias is None else result + bias


layer_norm = fused(
    "layer_norm",
    _layer_norm,
    inputs=("input", "weight", "bias"),
    hidden=("normal", "deviation"),
    grad_fn="NativeLayerNormBackward0",
    vjp=_layer_norm_vjp,
    decomposition=_layer_norm_composed,
)


def by_channel(vector: ndarray, ndim: int) -> ndarray:
    """Show a vector with one number for each channel along dimension 1."""
    return vector.reshape((1, -1) + (1,) * (ndim - 2))


def _group_norm(
    input: ndarray,
    weight: ndarray | None,
    bias: ndarray | None,
    *,
    groups: int,
    eps: float,
) -> tuple[ndarray, ndarray, ndarray]:
    shape = input.shape
    width = math.prod(shape[1:]) // groups
    normal, deviation = rows_normalized(
        computed(input).reshape(shape[0] * groups, width), eps
    )
    result = normal.reshape(shape)
    result = result.copy() if weight is None else result * by_channel(weight, len(shape))
    if bias is not None:
        result += by_channel(bias, len(shape))
    return np.asarray(result, input.dtype), normal, deviation


def channel_sums(array: ndarray, other: ndarray | None = None) -> ndarray:
    """Return the sums over all dimensions but the channels', of a product if asked."""
    flat = array.reshape(*array.shape[:2], -1)
    if other is None:
        return np.add.reduce(np.add.reduce(flat, 2), 0)
    return np.einsum("ncs,ncs->c", flat, other.reshape(flat.shape))


def _group_norm_vjp(
    grad: ndarray,
    weight: ndarray | None,
    normal: ndarray,
    deviation: ndarray,
    needs: list[bool],
) -> list[ndarray | None]:
    grads = np.ascontiguousarray(computed(grad))
    found: list[ndarray | None] = [None, None, None]
    if needs[0]:
        scaled = grads if weight is None else grads * by_channel(weight, grads.ndim)
        rows = rows_vjp(scaled.reshape(normal.shape), normal, deviation)
        found[0] = rows.reshape(grad.shape)
    if needs[1]:
        found[1] = channel_sums(grads, normal.reshape(grads.shape))
    if needs[2]:
        found[2] = channel_sums(grads)
    return found


def _group_norm_composed(
    input: Any, weight: Any, bias: Any, *, groups: int, eps: float
) -> Any:
    shape = tuple(input.shape)
    rows = input.reshape((shape[0], groups, -1))
    centred = rows - rows.mean(2, keepdim=True)
    variance = (centred * centred).mean(2, keepdim=True)
    result = (centred * (variance + eps).rsqrt()).reshape(shape)
    channels = (1, -1) + (1,) * (len(shape) - 2)
    if weight is not None:
        result = result * weight.reshape(channels)
    return result if bias is None else result + bias.reshape(channels)


group_norm = fused(
    "group_norm",
    _group_norm,
    inputs=("input", "weight", "bias"),
    hidden=("normal", "deviation"),
    grad_fn="NativeGroupNormBackward0",
    vjp=_group_norm_vjp,
    decomposition=_group_norm_composed,
)

# --- over the batch -------------------------------------------------------------------


def _batch_norm(
    input: ndarray,
    weight: ndarray | None,
    bias: ndarray | None,
    *,
    training: bool,
    running: Running,
    eps: float,
) -> tuple[ndarray, ndarray, ndarray]:
    x, ndim = computed(input), input.ndim
    if training:
        count = max(1, x.size // max(1, x.shape[1]))
        mean = channel_sums(x) / x.dtype.type(count)
        normal = x - by_channel(mean, ndim)
        variance = channel_sums(normal, normal) / x.dtype.type(count)
        if running is not None:
            update(running, mean, variance, count)
    else:
        assert running is not None
        mean, variance = running[0].astype(x.dtype), running[1].astype(x.dtype)
        normal = x - by_channel(mean, ndim)
    deviation = 1 / np.sqrt(variance + x.dtype.type(eps))
    normal *= by_channel(deviation, ndim)
    result = normal.copy() if weight is None else normal * by_channel(weight, ndim)
    if bias is not None:
        result += by_channel(bias, ndim)
    return np.asarray(result, input.dtype), normal, deviation


def update(running: Running, mean: ndarray, variance: ndarray, count: int) -> None:
    """Move the running statistics towards those of a batch, in place."""
    assert running is not None
    running_mean, running_variance, momentum = running
    unbiased = variance * (count / max(1, count - 1))
    running_mean *= 1 - momentum
    running_mean += (momentum * mean).astype(running_mean.dtype, copy=False)
    running_variance *= 1 - momentum
    running_variance += (momentum * unbiased).astype(running_variance.dtype, copy=False)


def _batch_norm_vjp(
    grad: ndarray,
    weight: ndarray | None,
    normal: ndarray,
    deviation: ndarray,
    training: bool,
    needs: list[bool],
) -> list[ndarray | None]:
    grads, ndim = np.ascontiguousarray(computed(grad)), grad.ndim
    found: list[ndarray | None] = [None, None, None]
    total = along = None
    if needs[2] or (training and needs[0]):
        found[2] = total = channel_sums(grads)
    if needs[1] or (training and needs[0]):
        found[1] = along = channel_sums(grads, normal)
    if needs[0]:
        scale = deviation if weight is None else deviation * weight
        if training:
            count = grads.dtype.type(max(1, grads.size // max(1, grads.shape[1])))
            result = normal * by_channel(-along / count, ndim)
            result += grads
            result -= by_channel(total / count, ndim)
            result *= by_channel(scale, ndim)
        else:
            result = grads * by_channel(scale, ndim)
        found[0] = result
    return [g if need else None for g, need in zip(found, needs, strict=True)]


def _batch_norm_composed(
    input: Any,
    weight: Any,
    bias: Any,
    *,
    training: bool,
    running: Running,
    eps: float,
) -> Any:
    from ..tensor import plain

    dims = (0, *range(2, len(input.shape)))
    channels = (1, -1) + (1,) * (len(input.shape) - 2)
    if training:
        centred = input - input.mean(dims, keepdim=True)
        variance = (centred * centred).mean(dims, keepdim=True)
    else:
        assert running is not None
        centred = input - plain(running[0]).reshape(channels)
        variance = plain(running[1]).reshape(channels)
    result = centred * (variance + eps).rsqrt()
    if weight is not None:
        result = result * weight.reshape(channels)
    return result if bias is None else result + bias.reshape(channels)


batch_norm = fused(
    "batch_norm",
    _batch_norm,
    inputs=("input", "weight", "bias"),
    hidden=("normal", "deviation"),
    grad_fn="NativeBatchNormBackward0",
    vjp=_batch_norm_vjp,
    decomposition=_batch_norm_composed,
)
