"""Normalisation: over the batch, over features, over groups of channels.

The forwards keep the means and the reciprocal deviations for their rules (Note [Hidden
results]), which therefore compute on NumPy arrays only.
"""

from __future__ import annotations

from typing import Any

from numpy import ndarray

from ..kernels import normalization as kernel
from .op import fused, tied

Running = tuple[ndarray, ndarray, float] | None
Gradients = tuple[ndarray | None, ndarray | None, ndarray | None]

# --- over rows: layer norm, group norm ------------------------------------------------


def _layer_norm(
    input: ndarray,
    weight: ndarray | None,
    bias: ndarray | None,
    *,
    dims: int,
    eps: float,
) -> tuple[ndarray, ndarray, ndarray]:
    return kernel.layer_norm(input, dims, weight, bias, eps)


def _layer_norm_vjp(
    grad: ndarray,
    input: ndarray,
    mean: ndarray,
    rstd: ndarray,
    weight: ndarray | None,
    dims: int,
    needs: Any,
) -> Gradients:
    return kernel.layer_norm_vjp(grad, input, mean, rstd, weight, dims, needs)


def _layer_norm_composed(
    input: Any, weight: Any, bias: Any, *, dims: int, eps: float
) -> Any:
    last = tuple(range(-dims, 0))
    centred = input - input.mean(last, keepdim=True)
    variance = (centred * centred).mean(last, keepdim=True)
    result = centred * (variance + eps).rsqrt()
    if weight is not None:
        result = result * weight
    return result if bias is None else result + bias


layer_norm = fused(
    "layer_norm",
    _layer_norm,
    inputs=("input", "weight", "bias"),
    hidden=("mean", "rstd"),
    grad_fn="NativeLayerNormBackward0",
    vjp=_layer_norm_vjp,
    decomposition=_layer_norm_composed,
)
tied(layer_norm, "input", "weight", "bias")


def _rms_norm(
    input: ndarray, weight: ndarray | None, *, dims: int, eps: float
) -> tuple[ndarray, ndarray]:
    return kernel.rms_norm(input, dims, weight, eps)


def _rms_norm_vjp(
    grad: ndarray,
    input: ndarray,
    rstd: ndarray,
    weight: ndarray | None,
    dims: int,
    needs: Any,
) -> tuple[ndarray | None, ndarray | None]:
    return kernel.rms_norm_vjp(grad, input, rstd, weight, dims, needs)


def rms_norm_composed(input: Any, weight: Any, *, dims: int, eps: float) -> Any:
    """The same of any dtypes, by primitives."""
    last = tuple(range(-dims, 0))
    result = input * ((input * input).mean(last, keepdim=True) + eps).rsqrt()
    return result if weight is None else result * weight


rms_norm = fused(
    "rms_norm",
    _rms_norm,
    inputs=("input", "weight"),
    hidden=("rstd",),
    grad_fn="MulBackward0",  # PyTorch has it composed
    vjp=_rms_norm_vjp,
    decomposition=rms_norm_composed,
)


def _group_norm(
    input: ndarray,
    weight: ndarray | None,
    bias: ndarray | None,
    *,
    groups: int,
    eps: float,
) -> tuple[ndarray, ndarray, ndarray]:
    return kernel.group_norm(input, groups, weight, bias, eps)


def _group_norm_vjp(
    grad: ndarray,
    input: ndarray,
    mean: ndarray,
    rstd: ndarray,
    weight: ndarray | None,
    groups: int,
    needs: Any,
) -> Gradients:
    return kernel.group_norm_vjp(grad, input, mean, rstd, weight, groups, needs)


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
    hidden=("mean", "rstd"),
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
    if training:
        result, mean, rstd, unbiased = kernel.batch_norm(input, weight, bias, eps)
        if running is not None:
            update(running, mean, unbiased)
        return result, mean, rstd
    assert running is not None
    mean, variance = running[:2]
    result, rstd = kernel.batch_norm_with(input, mean, variance, weight, bias, eps)
    return result, mean.copy(), rstd  # a later batch may move the running mean


def update(running: Running, mean: ndarray, unbiased: ndarray) -> None:
    """Move the running statistics towards those of a batch, in place."""
    assert running is not None
    running_mean, running_variance, momentum = running
    running_mean *= 1 - momentum
    running_mean += (momentum * mean).astype(running_mean.dtype, copy=False)
    running_variance *= 1 - momentum
    running_variance += (momentum * unbiased).astype(running_variance.dtype, copy=False)


def _batch_norm_vjp(
    grad: ndarray,
    input: ndarray,
    mean: ndarray,
    rstd: ndarray,
    weight: ndarray | None,
    training: bool,
    needs: Any,
) -> Gradients:
    vjp = kernel.batch_norm_vjp if training else kernel.batch_norm_with_vjp
    return vjp(grad, input, mean, rstd, weight, needs)


def as_tensor(array: Any) -> Any:
    """Return a running statistic, an array of any layer, as a tensor of its level."""
    from ..tensor import Tensor, wrap_like

    return array if isinstance(array, Tensor) else wrap_like(array)


def _batch_norm_composed(
    input: Any,
    weight: Any,
    bias: Any,
    *,
    training: bool,
    running: Running,
    eps: float,
) -> Any:
    dims = (0, *range(2, len(input.shape)))
    channels = (1, -1) + (1,) * (len(input.shape) - 2)
    if training:
        centred = input - input.mean(dims, keepdim=True)
        variance = (centred * centred).mean(dims, keepdim=True)
    else:
        assert running is not None
        mean, variance = [as_tensor(array).reshape(channels) for array in running[:2]]
        centred = input - mean
    result = centred * (variance + eps).rsqrt()
    if weight is not None:
        result = result * weight.reshape(channels)
    return result if bias is None else result + bias.reshape(channels)


batch_norm = fused(
    "batch_norm",
    _batch_norm,
    inputs=("input", "weight", "bias"),
    hidden=("mean", "rstd"),
    grad_fn="NativeBatchNormBackward0",
    vjp=_batch_norm_vjp,
    decomposition=_batch_norm_composed,
)
tied(batch_norm, "input", "weight")
