"""Convolutions of any number of spatial dimensions, and their derivatives.

A convolution is linear in its input and in its weight. With the two transposed maps,
each of which has a primitive, differentiation closes: the derivatives of all three are
among the three. A transposed convolution is the second of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy import ndarray

from ..kernels import convolution as kernel
from .op import bilinear, fused, tied
from .reduction import sum_dim

Sizes = tuple[int, ...]


def _convolution(
    input: ndarray, weight: ndarray, bias: ndarray | None, **params: Any
) -> ndarray:
    return kernel.forward(input, weight, bias, **params)


def vjp_input(
    grad: Any,
    weight: Any,
    input_shape: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    return convolution_input(
        grad,
        weight,
        shape=tuple(input_shape),
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )


def vjp_weight(
    grad: Any,
    input: Any,
    weight_shape: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    return convolution_weight(
        grad,
        input,
        shape=tuple(weight_shape),
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )


def vjp_bias(grad: Any) -> Any:
    dims = (0, *range(2, len(grad.shape)))
    return sum_dim(grad, dim=dims, keepdim=False)


def jvp(
    input: Any,
    weight: Any,
    input_t: Any,
    weight_t: Any,
    bias_t: Any,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    params = {
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
    }
    by_input = convolution(input_t, weight, bias_t, **params)
    return by_input + convolution(input, weight_t, None, **params)


# --- over a batch of convolutions (vmap) ----------------------------------------------
#
# A hidden dimension of the images alone is a larger batch of images. Where the weights
# have it too, each of its elements is a group of channels.


def merged(value: Any) -> Any:
    """Make one batch of images of two: (B, N, ...) to (B N, ...)."""
    shape = tuple(value.shape)
    return value.reshape((shape[0] * shape[1], *shape[2:]))


def split_batch(value: Any, size: int) -> Any:
    """Take two batches of images apart: (B N, ...) to (B, N, ...)."""
    shape = tuple(value.shape)
    return value.reshape((size, shape[0] // size, *shape[1:]))


def as_groups(value: Any, batched: bool, size: int) -> Any:
    """Make channels of the hidden dimension: (B, N, C, ...) to (N, B C, ...)."""
    if not batched:
        value = value.unsqueeze(0).expand((size, *value.shape))
    shape = tuple(value.shape)
    return value.movedim(0, 1).reshape((shape[1], size * shape[2], *shape[3:]))


def from_groups(value: Any, size: int) -> Any:
    """Make a hidden dimension of channels: (N, B C, ...) to (B, N, C, ...)."""
    shape = tuple(value.shape)
    return value.reshape((shape[0], size, shape[1] // size, *shape[2:])).movedim(1, 0)


def weights_as_groups(value: Any, batched: bool, size: int) -> Any:
    """Make filters of the hidden dimension: (B, O, ...) to (B O, ...)."""
    if not batched:
        value = value.unsqueeze(0).expand((size, *value.shape))
    return merged(value)


def batch_convolution(
    size: int,
    batched: Sequence[bool],
    input: Any,
    weight: Any,
    bias: Any,
    *,
    groups: int,
    **params: Any,
) -> Any:
    if not any(batched[1:]):
        return split_batch(
            convolution(merged(input), weight, bias, groups=groups, **params), size
        )
    result = convolution(
        as_groups(input, batched[0], size),
        weights_as_groups(weight, batched[1], size),
        None if bias is None else weights_as_groups(bias, batched[2], size),
        groups=groups * size,
        **params,
    )
    return from_groups(result, size)


def batch_input(
    size: int,
    batched: Sequence[bool],
    grad_output: Any,
    weight: Any,
    *,
    shape: Sizes,
    groups: int,
    **params: Any,
) -> Any:
    if not batched[1]:
        shape = (size * shape[0], *shape[1:])
        result = convolution_input(
            merged(grad_output), weight, shape=shape, groups=groups, **params
        )
        return split_batch(result, size)
    result = convolution_input(
        as_groups(grad_output, batched[0], size),
        weights_as_groups(weight, batched[1], size),
        shape=(shape[0], size * shape[1], *shape[2:]),
        groups=groups * size,
        **params,
    )
    return from_groups(result, size)


def batch_weight(
    size: int,
    batched: Sequence[bool],
    grad_output: Any,
    input: Any,
    *,
    shape: Sizes,
    groups: int,
    **params: Any,
) -> Any:
    result = convolution_weight(
        as_groups(grad_output, batched[0], size),
        as_groups(input, batched[1], size),
        shape=(size * shape[0], *shape[1:]),
        groups=groups * size,
        **params,
    )
    return split_batch(result, size)


# --- the three maps -------------------------------------------------------------------

convolution = fused(
    "convolution",
    _convolution,
    inputs=("input", "weight", "bias"),
    vjp_input=vjp_input,
    vjp_weight=vjp_weight,
    vjp_bias=vjp_bias,
    jvp=jvp,
    batch=batch_convolution,
)
tied(convolution, "input", "weight")


def _convolution_input(
    grad_output: ndarray, weight: ndarray, *, shape: Sizes, **params: Any
) -> ndarray:
    return kernel.input_vjp(grad_output, weight, shape, **params)


def _convolution_weight(
    grad_output: ndarray, input: ndarray, *, shape: Sizes, **params: Any
) -> ndarray:
    return kernel.weight_vjp(grad_output, input, shape, **params)


def kept(found: Any, shape: Sizes) -> Any:
    """Leave out where a dilated weight fits in once more than in the transpose."""
    sizes = tuple(shape[2:])
    if tuple(found.shape[2:]) == sizes:
        return found
    return found[(..., *[slice(size) for size in sizes])]


def _output_of_input_vjp(
    grad: Any,
    weight: Any,
    grad_output_shape: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    found = convolution(
        grad,
        weight,
        None,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )
    return kept(found, grad_output_shape)


def _weight_of_input_vjp(
    grad: Any,
    grad_output: Any,
    weight_shape: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    return vjp_weight(
        grad_output, grad, weight_shape, stride, padding, dilation, groups
    )


def _output_of_weight_vjp(
    grad: Any,
    input: Any,
    grad_output_shape: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    return _output_of_input_vjp(
        input, grad, grad_output_shape, stride, padding, dilation, groups
    )


def _input_of_weight_vjp(
    grad: Any,
    grad_output: Any,
    input_shape: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    return vjp_input(grad_output, grad, input_shape, stride, padding, dilation, groups)


convolution_input = bilinear(
    "convolution_input",
    _convolution_input,
    inputs=("grad_output", "weight"),
    grad_fn="ConvolutionBackward0",
    batch=batch_input,
    vjp_grad_output=_output_of_input_vjp,
    vjp_weight=_weight_of_input_vjp,
)
"""What the input's cotangent is for that of a convolution's output."""
tied(convolution_input, "grad_output", "weight")

convolution_weight = bilinear(
    "convolution_weight",
    _convolution_weight,
    inputs=("grad_output", "input"),
    grad_fn="ConvolutionBackwardBackward0",
    batch=batch_weight,
    vjp_grad_output=_output_of_weight_vjp,
    vjp_input=_input_of_weight_vjp,
)
"""What the weight's cotangent is for that of a convolution's output."""
