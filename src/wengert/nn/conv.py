"""Convolutions, and their transposes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from ..ops.creation import empty
from ..tensor import Tensor
from . import functional as F, init
from .module import Module
from .parameter import Parameter
from .sizes import ntuple, reversed_twice

PADDING_STRINGS = {"same", "valid"}
PADDING_MODES = {"zeros", "reflect", "replicate", "circular"}


class ConvNd(Module):
    """What all convolutions share.

    Attributes:
        weight: (out_channels, in_channels / groups, *kernel_size), uniform in
            ±1/√(in_channels / groups · size of the kernel). For transposed convolutions
            (in_channels, out_channels / groups, *kernel_size).
        bias: (out_channels,), or None.
    """

    dims: ClassVar[int]
    function: ClassVar[Callable[..., Tensor]]
    transposed = False

    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: str | tuple[int, ...]
    dilation: tuple[int, ...]
    output_padding: tuple[int, ...]
    groups: int
    padding_mode: str
    weight: Parameter
    bias: Parameter | None

    def _set_up(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        output_padding: Any,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        check_channels(in_channels, out_channels, groups)
        each = ntuple(self.dims)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = each(kernel_size)
        self.stride = each(stride)
        self.padding = padding if isinstance(padding, str) else each(padding)
        self.dilation = each(dilation)
        self.output_padding = each(output_padding)
        self.groups = groups
        self.padding_mode = padding_mode
        self._check_padding()
        first, second = out_channels, in_channels // groups
        if self.transposed:
            first, second = in_channels, out_channels // groups
        where = {"device": device, "dtype": dtype}
        self.weight = Parameter(empty((first, second, *self.kernel_size), **where))
        self.register_parameter(
            "bias", Parameter(empty(out_channels, **where)) if bias else None
        )
        self.reset_parameters()

    def _check_padding(self) -> None:
        if isinstance(self.padding, str):
            if self.padding not in PADDING_STRINGS:
                raise ValueError(
                    f"Invalid padding string {self.padding!r}, should be one of "
                    f"{PADDING_STRINGS}"
                )
            if self.padding == "same" and any(step != 1 for step in self.stride):
                raise ValueError(
                    "padding='same' is not supported for strided convolutions"
                )
        if self.padding_mode not in PADDING_MODES:
            raise ValueError(
                f"padding_mode must be one of {PADDING_MODES}, but got "
                f"padding_mode='{self.padding_mode}'"
            )

    @property
    def _reversed_padding_repeated_twice(self) -> list[int]:
        """How much is added before and behind each dimension, the last one first."""
        if self.padding == "valid":
            return [0] * (2 * self.dims)
        if isinstance(self.padding, tuple):
            return reversed_twice(self.padding)
        amounts = []
        for step, size in zip(
            reversed(self.dilation), reversed(self.kernel_size), strict=True
        ):
            total = step * (size - 1)
            amounts += [total // 2, total - total // 2]
        return amounts

    def reset_parameters(self) -> None:
        """Fill the parameters with their first values."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init.fans(self.weight)
            if fan_in:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        zero, one = (0,) * self.dims, (1,) * self.dims
        if self.padding != zero:
            text += f", padding={self.padding}"
        if self.dilation != one:
            text += f", dilation={self.dilation}"
        if self.output_padding != zero:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


_ConvNd = ConvNd


def check_channels(in_channels: int, out_channels: int, groups: int) -> None:
    """Refuse numbers of channels that cannot be divided into groups."""
    if groups <= 0:
        raise ValueError("groups must be a positive integer")
    if in_channels % groups:
        raise ValueError("in_channels must be divisible by groups")
    if out_channels % groups:
        raise ValueError("out_channels must be divisible by groups")


class Conv(ConvNd):
    """What convolutions share that are not transposed."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self._set_up(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            0,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _conv_forward(
        self, input: Tensor, weight: Tensor, bias: Tensor | None
    ) -> Tensor:
        """Convolve with given parameters."""
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            amounts = self._reversed_padding_repeated_twice
            input = F.pad(input, amounts, mode=self.padding_mode)
            padding = 0
        return type(self).function(
            input, weight, bias, self.stride, padding, self.dilation, self.groups
        )

    def forward(self, input: Tensor) -> Tensor:
        """Convolve: (N, in_channels, *sizes) to (N, out_channels, *sizes)."""
        return self._conv_forward(input, self.weight, self.bias)


class Conv1d(Conv):
    """The convolution of signals (N, C, L) with learnt kernels, plus a bias.

    Args:
        in_channels, out_channels: C of the input and of the output.
        kernel_size: the size of the kernels; it, `stride`, `padding` and `dilation` are
            one number for all dimensions or one for each.
        stride: how far the kernel is moved.
        padding: what is added on each side of the input; or "same", so that the output
            has the input's size, or "valid" for nothing.
        dilation: the distance of the kernel's elements.
        groups: channels are divided into groups that do not see each other.
        bias: whether there is a bias.
        padding_mode: "zeros", "reflect", "replicate" or "circular".

    >>> import wengert as torch
    >>> torch.nn.Conv1d(1, 2, 3)(torch.ones(5, 1, 10)).shape
    torch.Size([5, 2, 8])
    """

    dims = 1
    function = F.conv1d


class Conv2d(Conv):
    """The convolution of images (N, C, H, W) with learnt kernels, plus a bias.

    The arguments are those of `Conv1d`.

    >>> import wengert as torch
    >>> torch.nn.Conv2d(1, 2, (3, 5), padding="same")(torch.ones(1, 1, 8, 9)).shape
    torch.Size([1, 2, 8, 9])
    """

    dims = 2
    function = F.conv2d


class Conv3d(Conv):
    """The convolution of volumes (N, C, D, H, W) with learnt kernels, plus a bias.

    The arguments are those of `Conv1d`.
    """

    dims = 3
    function = F.conv3d


class ConvTranspose(ConvNd):
    """What transposed convolutions share."""

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(
                'Only "zeros" padding mode is supported for ConvTranspose'
                + type(self).__name__.removeprefix("ConvTranspose")
            )
        self._set_up(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            output_padding,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(
        self, input: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        """Apply the transpose of a convolution.

        Args:
            input: (N, in_channels, *sizes).
            output_size: which of the possible sizes the output is to have.
        """
        return type(self).function(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self._output_padding(input, output_size),
            self.groups,
            self.dilation,
        )

    def _output_padding(
        self, input: Tensor, output_size: Sequence[int] | None
    ) -> tuple[int, ...]:
        """Return what is added to the smallest output to get one of a given size."""
        if output_size is None:
            return self.output_padding
        batched = self.dims + 2
        wanted = tuple(output_size)
        if len(wanted) in (batched, input.ndim):
            wanted = wanted[-self.dims :]
        if len(wanted) != self.dims:
            raise ValueError(
                f"ConvTranspose{self.dims}D: for {input.ndim}D input, output_size must "
                f"have {self.dims} or {batched} elements (got {len(wanted)})"
            )
        assert isinstance(self.padding, tuple)
        smallest = [
            (size - 1) * step - 2 * pad + spread * (kernel - 1) + 1
            for size, step, pad, spread, kernel in zip(
                input.shape[-self.dims :],
                self.stride,
                self.padding,
                self.dilation,
                self.kernel_size,
                strict=True,
            )
        ]
        largest = [
            low + step - 1 for low, step in zip(smallest, self.stride, strict=True)
        ]
        if any(
            not low <= size <= high
            for low, size, high in zip(smallest, wanted, largest, strict=True)
        ):
            raise ValueError(
                f"requested an output size of {wanted}, but valid sizes range from "
                f"{smallest} to {largest} (for an input of {input.shape[2:]})"
            )
        return tuple([size - low for size, low in zip(wanted, smallest, strict=True)])


_ConvTransposeNd = ConvTranspose


class ConvTranspose1d(ConvTranspose):
    """The transpose of the convolution of signals: its gradient by the input.

    Args:
        in_channels, out_channels: numbers of channels of the input and of the output.
        kernel_size, stride, padding, dilation, groups, bias: see `Conv1d`.
        output_padding: what is added to the size of the output on one side.

    >>> import wengert as torch
    >>> torch.nn.ConvTranspose1d(1, 2, 3, stride=2)(torch.ones(5, 1, 10)).shape
    torch.Size([5, 2, 21])
    """

    dims = 1
    function = F.conv_transpose1d


class ConvTranspose2d(ConvTranspose):
    """The transpose of the convolution of images; see `ConvTranspose1d`."""

    dims = 2
    function = F.conv_transpose2d


class ConvTranspose3d(ConvTranspose):
    """The transpose of the convolution of volumes; see `ConvTranspose1d`."""

    dims = 3
    function = F.conv_transpose3d
