"""Pooling: the largest, or the mean, of each window.

Sizes are one number for all dimensions, or one for each.
"""

from __future__ import annotations

from typing import Any, ClassVar

from . import functional as F
from .of_function import OfFunction
from .sizes import ntuple


class Windowed(OfFunction):
    """What pooling with windows shares: the stride is the window's size by default."""

    kernel_size: Any
    stride: Any

    def settle(self) -> None:
        if self.stride is None:
            self.stride = self.kernel_size


class MaxPool(Windowed):
    """What the maximum poolings share."""

    shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")


class MaxPool1d(MaxPool):
    """The largest element of each window of signals (N, C, L).

    Args:
        kernel_size: the size of the windows.
        stride: how far they are moved, by default their size.
        padding: what is added on each side.
        dilation: the distance of a window's elements.
        return_indices: return where the elements are, too.
        ceil_mode: count a last window that is not full.
    """

    function = F.max_pool1d
    kernel_size: Any
    stride: Any = None
    padding: Any = 0
    dilation: Any = 1
    return_indices: bool = False
    ceil_mode: bool = False


class MaxPool2d(MaxPool):
    """The largest element of each window of images (N, C, H, W); see `MaxPool1d`.

    >>> import wengert as torch
    >>> torch.nn.MaxPool2d(2)(torch.arange(8.0).reshape(1, 2, 4))
    tensor([[[5., 7.]]])
    """

    function = F.max_pool2d
    kernel_size: Any
    stride: Any = None
    padding: Any = 0
    dilation: Any = 1
    return_indices: bool = False
    ceil_mode: bool = False


class MaxPool3d(MaxPool):
    """The largest element of each window of (N, C, D, H, W); see `MaxPool1d`."""

    function = F.max_pool3d
    kernel_size: Any
    stride: Any = None
    padding: Any = 0
    dilation: Any = 1
    return_indices: bool = False
    ceil_mode: bool = False


class AvgPool(Windowed):
    """What the mean poolings share."""

    shown = ("kernel_size", "stride", "padding")


class AvgPool1d(AvgPool):
    """The mean of each window of signals (N, C, L).

    Args:
        kernel_size: the size of the windows.
        stride: how far they are moved, by default their size.
        padding: how many zeros are added on each side.
        ceil_mode: count a last window that is not full.
        count_include_pad: count the added zeros in the mean.
    """

    function = F.avg_pool1d
    kernel_size: Any
    stride: Any = None
    padding: Any = 0
    ceil_mode: bool = False
    count_include_pad: bool = True

    def settle(self) -> None:
        super().settle()
        each = ntuple(1)
        self.kernel_size = each(self.kernel_size)
        self.stride = each(self.stride)
        self.padding = each(self.padding)


class AvgPool2d(AvgPool):
    """The mean of each window of images (N, C, H, W); see `AvgPool1d`.

    Args:
        divisor_override: divide by this instead of the number of elements.
    """

    function = F.avg_pool2d
    kernel_size: Any
    stride: Any = None
    padding: Any = 0
    ceil_mode: bool = False
    count_include_pad: bool = True
    divisor_override: int | None = None


class AvgPool3d(AvgPool):
    """The mean of each window of volumes (N, C, D, H, W); see `AvgPool2d`."""

    function = F.avg_pool3d
    kernel_size: Any
    stride: Any = None
    padding: Any = 0
    ceil_mode: bool = False
    count_include_pad: bool = True
    divisor_override: int | None = None


class LPPool1d(OfFunction):
    """The p-norm of each window of signals (N, C, L).

    Args:
        norm_type: p.
        kernel_size, stride, ceil_mode: see `MaxPool1d`.
    """

    function = F.lp_pool1d
    norm_type: float
    kernel_size: Any
    stride: Any = None
    ceil_mode: bool = False


class LPPool2d(OfFunction):
    """The p-norm of each window of images (N, C, H, W); see `LPPool1d`."""

    function = F.lp_pool2d
    norm_type: float
    kernel_size: Any
    stride: Any = None
    ceil_mode: bool = False


class LPPool3d(OfFunction):
    """The p-norm of each window of volumes (N, C, D, H, W); see `LPPool1d`."""

    function = F.lp_pool3d
    norm_type: float
    kernel_size: Any
    stride: Any = None
    ceil_mode: bool = False


class AdaptiveAvgPool1d(OfFunction):
    """The means of windows of signals (N, C, L), as many as the output is to have.

    Args:
        output_size: how many; None for as many as the input has elements.
    """

    function = F.adaptive_avg_pool1d
    output_size: Any


class AdaptiveAvgPool2d(OfFunction):
    """The means of windows of images (N, C, H, W); see `AdaptiveAvgPool1d`."""

    function = F.adaptive_avg_pool2d
    output_size: Any


class AdaptiveAvgPool3d(OfFunction):
    """The means of windows of volumes (N, C, D, H, W); see `AdaptiveAvgPool1d`."""

    function = F.adaptive_avg_pool3d
    output_size: Any


class AdaptiveMaxPool1d(OfFunction):
    """The maxima of windows of signals (N, C, L), as many as the output is to have.

    Args:
        output_size: how many; None for as many as the input has elements.
        return_indices: return where the elements are, too.
    """

    function = F.adaptive_max_pool1d
    shown = ("output_size",)
    output_size: Any
    return_indices: bool = False


class AdaptiveMaxPool2d(OfFunction):
    """The maxima of windows of images (N, C, H, W); see `AdaptiveMaxPool1d`."""

    function = F.adaptive_max_pool2d
    shown = ("output_size",)
    output_size: Any
    return_indices: bool = False


class AdaptiveMaxPool3d(OfFunction):
    """The maxima of windows of volumes (N, C, D, H, W); see `AdaptiveMaxPool1d`."""

    function = F.adaptive_max_pool3d
    shown = ("output_size",)
    output_size: Any
    return_indices: bool = False


class MaxUnpool(Windowed):
    """What the inverses of maximum pooling share."""

    inputs = ("input", "indices", "output_size=None")
    dims: ClassVar[int]

    def settle(self) -> None:
        super().settle()
        each = ntuple(self.dims)
        self.kernel_size = each(self.kernel_size)
        self.stride = each(self.stride)
        self.padding = each(self.padding)


class MaxUnpool1d(MaxUnpool):
    """Puts what `MaxPool1d` returned back to where it was, zeros elsewhere.

    Args:
        kernel_size, stride, padding: those of the pooling.
    """

    function = F.max_unpool1d
    dims = 1
    kernel_size: Any
    stride: Any = None
    padding: Any = 0


class MaxUnpool2d(MaxUnpool):
    """Puts what `MaxPool2d` returned back to where it was, zeros elsewhere."""

    function = F.max_unpool2d
    dims = 2
    kernel_size: Any
    stride: Any = None
    padding: Any = 0


class MaxUnpool3d(MaxUnpool):
    """Puts what `MaxPool3d` returned back to where it was, zeros elsewhere."""

    function = F.max_unpool3d
    dims = 3
    kernel_size: Any
    stride: Any = None
    padding: Any = 0
