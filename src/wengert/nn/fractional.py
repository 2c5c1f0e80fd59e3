"""Pooling over windows at random places."""

from __future__ import annotations

from typing import Any, ClassVar

from ..ops.fractional import fractional_max_pool2d, fractional_max_pool3d
from ..tensor import Tensor
from .module import Module


class FractionalMaxPool(Module):
    """What pooling of two and three dimensions shares."""

    dims: ClassVar[int]
    function: ClassVar[Any]

    def __init__(
        self,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        name = f"FractionalMaxPool{self.dims}d"
        if output_size is None and output_ratio is None:
            raise ValueError(
                f"{name} requires specifying either an output size, or a pooling ratio"
            )
        if output_size is not None and output_ratio is not None:
            raise ValueError(
                "only one of output_size and output_ratio may be specified"
            )
        if output_ratio is not None:
            given = output_ratio
            if isinstance(given, int | float):
                output_ratio = (given,) * self.dims
            if not all(0 < ratio < 1 for ratio in output_ratio):
                raise ValueError(f"output_ratio must be between 0 and 1 (got {given})")
        self.kernel_size = kernel_size
        self.output_size = output_size
        self.output_ratio = output_ratio
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)

    def forward(self, input: Tensor) -> Any:
        return type(self).function(
            input,
            self.kernel_size,
            self.output_size,
            self.output_ratio,
            self.return_indices,
            _random_samples=self._random_samples,
        )


class FractionalMaxPool2d(FractionalMaxPool):
    """The largest element of windows of images at random places.

    Args:
        kernel_size: the size of a window.
        output_size: how many windows along each dimension.
        output_ratio: or which part of the input's size that is.
        return_indices: return where the maxima are as well.

    >>> import wengert as torch
    >>> torch.nn.FractionalMaxPool2d(2, output_size=3)(torch.ones(1, 8, 8)).shape
    torch.Size([1, 3, 3])
    """

    dims = 2
    function = staticmethod(fractional_max_pool2d)


class FractionalMaxPool3d(FractionalMaxPool):
    """The largest element of windows of volumes; see `FractionalMaxPool2d`."""

    dims = 3
    function = staticmethod(fractional_max_pool3d)
