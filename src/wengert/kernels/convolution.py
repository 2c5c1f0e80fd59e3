"""Convolution and transposed convolution, forward and backward.

`stride`, `padding`, `dilation` and `output_padding` have one entry for each spatial
axis, of which there may be any number. With `G` groups, a convolution takes an input
(N, C, *spatial) and a weight (O, C / G, *kernel) to (N, O, *out); a transposed
convolution takes (N, C, *spatial) and (C, O / G, *kernel) to (N, O, *out).

The arithmetic is that of `correlation`: a convolution is its `correlate` and has the
other two maps for gradients; a transposed convolution is its `adjoint`. float16 is
computed in float32, and gradients of complex numbers take the conjugate of the factors.
"""

from __future__ import annotations

from math import prod

import numpy as np
from numpy import ndarray

from .correlation import adjoint, correlate, correlate_weight
from .precision import widened
from .windows import Sizes, Windows, output_size


def _windows(
    sizes: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Windows:
    out = tuple(map(output_size, sizes, kernel, stride, padding, dilation))
    return Windows(kernel, stride, dilation, padding, out)


def _computed(array: ndarray) -> ndarray:
    """The array in a dtype and a layout that BLAS computes well with."""
    return np.ascontiguousarray(widened(array))


def _as(array: ndarray, like: ndarray) -> ndarray:
    return array.astype(like.dtype, copy=False)


def forward(
    input: ndarray,
    weight: ndarray,
    bias: ndarray | None,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> ndarray:
    """Convolution, with zeros for the padding.

        out[n, o, y] = bias[o] + Σ_ci weight[o, c, i] input[n, c, y s + i d - p]

    for stride s, dilation d and padding p.

    Args:
        input: (N, C, *spatial)
        weight: (O, C / groups, *kernel)
        bias: (O,), or None.
        stride: the distance of neighbouring windows.
        padding: the zeros assumed before and after the input.
        dilation: the distance of neighbouring taps.
        groups: into how many independent parts the channels are divided.

    Returns:
        (N, O, *out), contiguous
    """
    windows = _windows(input.shape[2:], weight.shape[2:], stride, padding, dilation)
    out = correlate(_computed(input), _computed(weight), windows, groups, bias)
    return _as(out, input)


def input_vjp(
    grad: ndarray,
    weight: ndarray,
    input_shape: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> ndarray:
    """The gradient of a convolution's input, of shape `input_shape`."""
    sizes = input_shape[2:]
    windows = Windows(weight.shape[2:], stride, dilation, padding, grad.shape[2:])
    factor = _computed(weight).conj()
    return _as(adjoint(_computed(grad), factor, windows, sizes, groups), grad)


def weight_vjp(
    grad: ndarray,
    input: ndarray,
    weight_shape: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> ndarray:
    """The gradient of a convolution's weight, of shape `weight_shape`."""
    windows = Windows(weight_shape[2:], stride, dilation, padding, grad.shape[2:])
    factor = _computed(input).conj()
    return _as(correlate_weight(factor, _computed(grad), windows, groups), grad)


def bias_vjp(grad: ndarray) -> ndarray:
    """The gradient of the bias of either convolution: the sum of each channel."""
    rows = grad.reshape(*grad.shape[:2], prod(grad.shape[2:]))
    dtype = np.float32 if grad.dtype == np.float16 else grad.dtype
    return _as(np.add.reduce(np.add.reduce(rows, 2, dtype), 0), grad)


def transposed_forward(
    input: ndarray,
    weight: ndarray,
    bias: ndarray | None,
    stride: Sizes,
    padding: Sizes,
    output_padding: Sizes,
    groups: int,
    dilation: Sizes,
) -> ndarray:
    """Transposed convolution: the input gradient of a convolution, as a forward.

    Args:
        input: (N, C, *spatial)
        weight: (C, O / groups, *kernel)
        bias: (O,), or None.
        stride: that of the convolution that this is the transpose of, as are
        padding: the zeros assumed around that convolution's input,
        output_padding: what its stride left over of that input, and
        groups: into how many independent parts the channels are divided.
        dilation: the distance of neighbouring taps.

    Returns:
        (N, O, *out), with `out = (size - 1) * stride - 2 * padding
        + dilation * (kernel - 1) + 1 + output_padding`, contiguous
    """
    kernel = weight.shape[2:]
    windows = Windows(kernel, stride, dilation, padding, input.shape[2:])
    sizes = tuple(
        span - 2 * pad + extra
        for span, pad, extra in zip(windows.span, padding, output_padding, strict=True)
    )
    out = adjoint(_computed(input), _computed(weight), windows, sizes, groups)
    if bias is not None:
        out += bias.reshape(-1, *(1,) * len(sizes))
    return _as(out, input)


def transposed_input_vjp(
    grad: ndarray,
    weight: ndarray,
    input_shape: Sizes,
    stride: Sizes,
    padding: Sizes,
    groups: int,
    dilation: Sizes,
) -> ndarray:
    """The gradient of a transposed convolution's input, of shape `input_shape`."""
    windows = Windows(weight.shape[2:], stride, dilation, padding, input_shape[2:])
    factor = _computed(weight).conj()
    return _as(correlate(_computed(grad), factor, windows, groups), grad)


def transposed_weight_vjp(
    grad: ndarray,
    input: ndarray,
    weight_shape: Sizes,
    stride: Sizes,
    padding: Sizes,
    groups: int,
    dilation: Sizes,
) -> ndarray:
    """The gradient of a transposed convolution's weight, of shape `weight_shape`."""
    windows = Windows(weight_shape[2:], stride, dilation, padding, input.shape[2:])
    factor = _computed(input).conj()
    return _as(correlate_weight(_computed(grad), factor, windows, groups), grad)
