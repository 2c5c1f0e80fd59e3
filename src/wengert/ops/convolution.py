"""Convolutions: functions of `torch.nn.functional` and of `torch`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..primitives.convolution import convolution, convolution_input
from ..tensor import Tensor
from .arguments import per_dimension
from .public import check_operand, op

Sizes = tuple[int, ...]


def each(value: Any, dims: int, name: str = "kernel_size") -> Sizes:
    """Return a size for each spatial dimension, from one number or a sequence."""
    sizes = per_dimension(value, dims)
    if sizes is None:
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {dims} values "
            f"to match the convolution dimensions, but got {name}={list(value)}"
        )
    return sizes


def check(
    input: Tensor, weight: Tensor, bias: Tensor | None, dims: int, name: str
) -> None:
    """Refuse inputs that a convolution cannot take."""
    check_operand(name, "input", 0, input)
    if input.ndim not in (dims + 1, dims + 2):
        raise RuntimeError(
            f"Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to "
            f"{name}, but got input of size: {list(input.shape)}"
        )
    if weight.ndim < 3:
        raise RuntimeError("weight should have at least three dimensions")
    if bias is not None and bias.dtype is not input.dtype:
        raise RuntimeError(
            f"Input type ({input.dtype.c_name}) and bias type ({bias.dtype.c_name}) "
            "should be the same"
        )
    if weight.dtype is not input.dtype:
        raise RuntimeError(
            f"expected scalar type {input.dtype.scalar_type} but found "
            f"{weight.dtype.scalar_type}"
        )


def check_steps(
    weight: Tensor, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> None:
    """Refuse steps, padding and groups that no convolution has."""
    dims = len(stride)
    if dims > 1:
        each(stride, weight.ndim - 2, "stride")
    if min(padding) < 0:
        raise RuntimeError("negative padding is not supported")
    if min(stride) <= 0:
        raise RuntimeError("non-positive stride is not supported")
    if min(dilation) <= 0:
        shown = [1, *dilation] if dims == 1 else list(dilation)
        raise RuntimeError(f"dilation should be greater than zero, but got {shown}")
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")


def check_weight(input: Tensor, weight: Tensor, groups: int) -> None:
    """Refuse a weight that does not fit the input, or cannot be divided in groups."""
    if weight.ndim != input.ndim:
        raise RuntimeError(
            f"Expected {weight.ndim}-dimensional input for {weight.ndim}-dimensional "
            f"weight {list(weight.shape)}, but got {input.ndim}-dimensional input of "
            f"size {list(input.shape)} instead"
        )
    if weight.shape[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at "
            f"dimension 0, but got weight of size {list(weight.shape)} instead"
        )
    if weight.shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at "
            f"dimension 0, but got weight of size [{list(weight.shape)}] instead"
        )


def check_channels(
    input: Tensor, weight: Tensor, bias: Tensor | None, groups: int
) -> None:
    """Refuse channels that do not fit the weight."""
    channels = input.shape[1]
    if channels != weight.shape[1] * groups:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {list(weight.shape)}, expected "
            f"input{list(input.shape)} to have {weight.shape[1] * groups} channels, "
            f"but got {channels} channels instead"
        )
    if bias is not None and (bias.ndim != 1 or bias.shape[0] != weight.shape[0]):
        raise RuntimeError(
            f"Given weight of size {list(weight.shape)}, expected bias to be "
            f"1-dimensional with {weight.shape[0]} elements, but got bias of size "
            f"{list(bias.shape)} "
            "instead"
        )


def check_reach(input: Tensor, weight: Tensor, padding: Sizes, dilation: Sizes) -> None:
    """Refuse a kernel that does not fit into the padded input."""
    sizes = [n + 2 * p for n, p in zip(input.shape[2:], padding, strict=True)]
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, weight.shape[2:], strict=True)]
    if any(n < r for n, r in zip(sizes, reach, strict=True)):
        shown = [" x ".join(map(str, item)) for item in (sizes, reach)]
        raise RuntimeError(
            f"Calculated padded input size per channel: ({shown[0]}). Kernel size: "
            f"({shown[1]}). Kernel size can't be greater than actual input size"
        )


def same_padding(
    input: Tensor, weight: Tensor, stride: Sizes, dilation: Sizes
) -> tuple[Tensor, Sizes]:
    """Return the input and padding for which the output has the input's size."""
    if weight.ndim != input.ndim:
        raise RuntimeError(
            f"Expected {weight.ndim}-dimensional input for {weight.ndim}-dimensional "
            f"weight{list(weight.shape)}, but got {input.ndim}-dimensional input of "
            f"size {list(input.shape)} instead"
        )
    if any(step != 1 for step in stride):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    total = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
    if any(t % 2 for t in total):
        from .padding import pad

        extra = [side for t in reversed(total) for side in (0, t % 2)]
        input = pad(input, extra)
    return input, tuple([t // 2 for t in total])


def convolve(
    dims: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Tensor:
    """Convolve over `dims` spatial dimensions."""
    check(input, weight, bias, dims, f"conv{dims}d")
    single = input.ndim == dims + 1
    batch = input.unsqueeze(0) if single else input
    stride, dilation = each(stride, dims, "stride"), each(dilation, dims, "dilation")
    if isinstance(padding, str) and min(dilation) <= 0:
        raise RuntimeError("dilation should be greater than zero")
    if padding == "valid":
        padding = 0
    if padding == "same":
        batch, padding = same_padding(batch, weight, stride, dilation)
    elif isinstance(padding, str):
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    padding = each(padding, dims, "padding")
    check_steps(weight, stride, padding, dilation, groups)
    check_weight(batch, weight, groups)
    check_channels(batch, weight, bias, groups)
    check_reach(batch, weight, padding, dilation)
    result = convolution(
        batch,
        weight,
        bias,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )
    return result.squeeze(0) if single else result


def convolve_transposed(
    dims: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Tensor:
    """Apply the transpose of a convolution over `dims` spatial dimensions."""
    check(input, weight, bias, dims, f"conv_transpose{dims}d")
    single = input.ndim == dims + 1
    batch = input.unsqueeze(0) if single else input
    stride, padding = each(stride, dims, "stride"), each(padding, dims, "padding")
    dilation = each(dilation, dims, "dilation")
    extra = each(output_padding, dims, "output_padding")
    check_steps(weight, stride, padding, dilation, groups)
    if min(extra) < 0:
        raise RuntimeError("negative output_padding is not supported")
    check_weight(batch, weight, groups)
    if batch.shape[1] != weight.shape[0]:
        raise RuntimeError(
            f"Given transposed=1, weight of size {list(weight.shape)}, expected input"
            f"{list(batch.shape)} to have {weight.shape[0]} channels, but got "
            f"{batch.shape[1]} channels instead"
        )
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise RuntimeError(
            "output padding must be smaller than either stride or dilation"
        )
    sizes = [
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, s, p, d, k, e in zip(
            batch.shape[2:],
            stride,
            padding,
            dilation,
            weight.shape[2:],
            extra,
            strict=True,
        )
    ]
    result = convolution_input(
        batch,
        weight.conj() if weight.is_complex() else weight,
        shape=(batch.shape[0], weight.shape[1] * groups, *sizes),
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )
    if bias is not None:
        result = result + bias.reshape((1, -1) + (1,) * dims)
    return result.squeeze(0) if single else result


def published(dims: int) -> tuple[Callable[..., Tensor], Callable[..., Tensor]]:
    """Make ``conv<dims>d`` and ``conv_transpose<dims>d``."""

    def conv(
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Tensor:
        return convolve(dims, input, weight, bias, stride, padding, dilation, groups)

    def transposed(
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        dilation: Any = 1,
    ) -> Tensor:
        return convolve_transposed(
            dims,
            input,
            weight,
            bias,
            stride,
            padding,
            output_padding,
            groups,
            dilation,
        )

    conv.__name__ = conv.__qualname__ = f"conv{dims}d"
    conv.__doc__ = (
        f"Convolve the input (N, C, {dims} spatial sizes) with a weight.\n\n"
        "    Args:\n"
        "        weight: (filters, C / groups, the kernel's sizes).\n"
        "        bias: one number for each filter.\n"
        "        stride, padding, dilation: one number, or one for each dimension;\n"
        '            padding may be "valid" or "same".\n'
        "        groups: into how many the channels are divided.\n    "
    )
    name = f"conv_transpose{dims}d"
    transposed.__name__ = transposed.__qualname__ = name
    transposed.__doc__ = (
        "Apply the transpose of a convolution: it spreads where that gathers."
    )
    op(method=False, out=False)(conv)
    op(method=False, out=False)(transposed)
    return conv, transposed


conv1d, conv_transpose1d = published(1)
conv2d, conv_transpose2d = published(2)
conv3d, conv_transpose3d = published(3)
