"""Normalisation: functions of `torch.nn.functional` and of `torch`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..limits import finfo
from ..primitives import normalization as N
from ..tensor import Layer, Tensor, counter
from .arguments import check_floats
from .public import check_operand, namespace, op


@op(method=False, out=False)
def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Tensor:
    """Return the input with mean 0 and variance 1 over its last dimensions.

    Args:
        normalized_shape: the sizes of these dimensions.
        weight, bias: of that shape: the result is multiplied with the first, and the
            second is added.
        eps: added to the variance.
    """
    shape = checked_shape(input, normalized_shape)
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and tuple(value.shape) != shape:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got "
                f"{name} of shape {list(value.shape)} and normalized_shape = "
                f"{list(shape)}"
            )
    check_floats("LayerNormKernelImpl", input)
    return N.layer_norm(input, weight, bias, dims=len(shape), eps=eps)


def checked_shape(input: Tensor, normalized_shape: Sequence[int]) -> tuple[int, ...]:
    """Return the shape to normalise over, or say that the input does not end so."""
    check_operand("layer_norm", "input", 0, input)
    if isinstance(normalized_shape, int):
        raise TypeError(
            "layer_norm(): argument 'normalized_shape' (position 2) must be tuple of "
            "ints, not int"
        )
    shape = tuple(normalized_shape)
    if not shape or tuple(input.shape[input.ndim - len(shape) :]) != shape:
        sizes = "".join([f"{size}, " for size in shape]).rstrip(", ")
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape "
            f"[*, {sizes}], but got input of size{list(input.shape)}"
        )
    return shape


@op(method=False, out=False)
def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """Return the input divided by the root of the mean of its squares."""
    dims = len(checked_shape(input, normalized_shape))
    if eps is None:
        eps = finfo(input.dtype).eps
    one_dtype = weight is None or weight.dtype == input.dtype
    fused = one_dtype and input.is_floating_point()
    norm = N.rms_norm if fused else N.rms_norm_composed
    return norm(input, weight, dims=dims, eps=eps)


@op(method=False, out=False)
def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Tensor:
    """Return the input with mean 0 and variance 1 over groups of channels."""
    if input.ndim < 2:
        raise RuntimeError(
            f"Expected at least 2 dimensions for input tensor but received {input.ndim}"
        )
    if num_groups <= 0 or input.shape[1] % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but "
            f"got input of shape {list(input.shape)} and num_groups={num_groups}"
        )
    check_floats("GroupNormKernelImpl", input)
    return N.group_norm(input, weight, bias, groups=num_groups, eps=eps)


def check_batch(input: Tensor) -> None:
    """Refuse a batch whose variance would be that of single numbers."""
    count = input.shape[0] * math.prod(input.shape[2:])
    if count == 1:
        raise ValueError(
            "Expected more than 1 value per channel when training, got input size "
            f"{input.shape}"
        )


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Return the input with mean 0 and variance 1 for each channel over the batch.

    Args:
        running_mean, running_var: moved towards the batch's statistics in training
            (the variance unbiased), and used in their place otherwise.
        training: whether the batch's statistics are used.
        momentum: how far the running statistics move.
        eps: added to the variance.
    """
    check_operand("batch_norm", "input", 0, input)
    if training:
        check_batch(input)
    elif running_mean is None or running_var is None:
        name = "running_mean" if running_mean is None else "running_var"
        raise RuntimeError(f"{name} must be defined in evaluation mode")
    if input.numel() == 0:
        result = input.clone()
        result = result if weight is None else result * weight[0]
        return result if bias is None else result + bias[0]
    channels = input.shape[1]
    named = {"running_mean": running_mean, "running_var": running_var}
    named |= {"weight": weight, "bias": bias}
    for name, value in named.items():
        if value is not None and value.numel() != channels:
            raise RuntimeError(
                f"{name} should contain {channels} elements not {value.numel()}"
            )
    running = None
    if running_mean is not None and running_var is not None:
        running = (running_mean._data, running_var._data, momentum)
        if training:
            if isinstance(input._data, (Layer, Tensor)):
                # inside a transformation the statistics follow it, as ops of their own
                dims = (0, *range(2, input.ndim))
                mean, variance = input.detach().mean(dims), input.detach().var(dims)
                move(running_mean, mean, momentum)
                move(running_var, variance, momentum)
            counter(running_mean)[0] += 1
            counter(running_var)[0] += 1
    return N.batch_norm(
        input, weight, bias, training=training, running=running, eps=eps
    )


def move(running: Tensor, batch: Tensor, momentum: float) -> None:
    """Move a running statistic towards that of a batch, in place."""
    running.copy_(running * (1 - momentum) + batch * momentum)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Return the input with mean 0 and variance 1 for each channel of each instance."""
    count, channels, *sizes = input.shape
    if use_input_stats and math.prod(sizes) == 1:
        raise ValueError(
            "Expected more than 1 spatial element when training, got input size "
            f"{input.shape}"
        )
    if not use_input_stats:
        return batch_norm(
            input, running_mean, running_var, weight, bias, False, momentum, eps
        )
    if running_mean is not None and running_var is not None:
        means = input.detach().reshape((count, channels, -1))
        move(running_mean, means.mean(2).mean(0), momentum)
        move(running_var, means.var(2).mean(0), momentum)
    rows = input.reshape((1, count * channels, *sizes))
    weights, biases = (
        None if vector is None else vector.repeat(count) for vector in (weight, bias)
    )
    result = batch_norm(rows, None, None, weights, biases, True, momentum, eps)
    return result.reshape(input.shape)


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Return the input by a power of the mean square of neighbouring channels."""
    if input.ndim < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality input (got {input.ndim} dimensions)"
        )
    if input.numel() == 0:
        return input
    from .padding import pad

    squares = (input * input).reshape((input.shape[0], 1, input.shape[1], -1))
    padded = pad(squares, (0, 0, size // 2, (size - 1) // 2))
    pooled = namespace["avg_pool2d"](padded, (size, 1), stride=1)
    return input / (pooled.reshape(input.shape) * alpha + k).pow(beta)
