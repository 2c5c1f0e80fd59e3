"""Convolutions of any number of spatial dimensions, and their derivatives.

A convolution is linear in its input and in its weight. With the two transposed maps,
each of which has a primitive, differentiation closes: the derivatives of all three are
among the three. A transposed convolution is the second of them.
"""

from __future__ import annotations

from typing import Any

from numpy import ndarray

from ..kernels import convolution as kernel
from .op import bilinear, fused
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


convolution = fused(
    "convolution",
    _convolution,
    inputs=("input", "weight", "bias"),
    vjp_input=vjp_input,
    vjp_weight=vjp_weight,
    vjp_bias=vjp_bias,
    jvp=jvp,
)


def _convolution_input(
    grad_output: ndarray, weight: ndarray, *, shape: Sizes, **params: Any
) -> ndarray:
    return kernel.input_vjp(grad_output, weight, shape, **params)


def _convolution_weight(
    grad_output: ndarray, input: ndarray, *, shape: Sizes, **params: Any
) -> ndarray:
    return kernel.weight_vjp(grad_output, input, shape, **params)


convolution_input = bilinear(
    "convolution_input",
    _convolution_input,
    inputs=("grad_output", "weight"),
    grad_fn="ConvolutionBackward0",
    vjp_grad_output=lambda grad, weight, stride, padding, dilation, groups: convolution(
        grad,
        weight,
        None,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    ),
    vjp_weight=lambda grad, grad_output, weight_shape, stride, padding, dilation, groups: (
        vjp_weight(grad_output, grad, weight_shape, stride, padding, dilation, groups)
    ),
)
"""What the input's cotangent is for that of a convolution's output."""

convolution_weight = bilinear(
    "convolution_weight",
    _convolution_weight,
    inputs=("grad_output", "input"),
    grad_fn="ConvolutionBackwardBackward0",
    vjp_grad_output=lambda grad, input, stride, padding, dilation, groups: convolution(
        input,
        grad,
        None,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    ),
    vjp_input=lambda grad, grad_output, input_shape, stride, padding, dilation, groups: (
        vjp_input(grad_output, grad, input_shape, stride, padding, dilation, groups)
    ),
)
"""What the weight's cotangent is for that of a convolution's output."""
