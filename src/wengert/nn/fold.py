"""Unfold and Fold: the windows of images as columns, and back."""

from __future__ import annotations

from typing import Any

from . import functional as F
from .of_function import OfFunction


class Unfold(OfFunction):
    """Makes a column of each window: (N, C, *) to (N, C · size of the kernel, windows).

    Args:
        kernel_size, dilation, padding, stride: of the windows, as for a convolution.
    """

    function = F.unfold
    kernel_size: Any
    dilation: Any = 1
    padding: Any = 0
    stride: Any = 1


class Fold(OfFunction):
    """Adds columns up to images whose windows they are: the transpose of `Unfold`.

    Args:
        output_size: of the images.
        kernel_size, dilation, padding, stride: of the windows, as for a convolution.
    """

    function = F.fold
    output_size: Any
    kernel_size: Any
    dilation: Any = 1
    padding: Any = 0
    stride: Any = 1
