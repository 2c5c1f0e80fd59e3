"""Changing shapes: Flatten, Unflatten, and shuffles of channels."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from . import functional as F
from .module import Module
from .of_function import OfFunction


class Flatten(Module):
    """Joins neighbouring dimensions into one.

    Args:
        start_dim, end_dim: the first and the last of them.

    >>> import wengert as torch
    >>> torch.nn.Flatten()(torch.ones(2, 3, 4)).shape
    torch.Size([2, 12])
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with the dimensions joined."""
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Divides a dimension into several.

    Args:
        dim: which.
        unflattened_size: their sizes, one of which may be −1.

    >>> import wengert as torch
    >>> torch.nn.Unflatten(1, (3, -1))(torch.ones(2, 12)).shape
    torch.Size([2, 3, 4])
    """

    def __init__(self, dim: int | str, unflattened_size: Any) -> None:
        super().__init__()
        if not isinstance(dim, int):
            raise TypeError(
                "unflattened_size must be tuple of tuples, but found element of type "
                f"{type(unflattened_size).__name__}: named dimensions are not supported"
            )
        if not isinstance(unflattened_size, tuple | list):
            raise TypeError(
                "unflattened_size must be a tuple of ints, but found type "
                f"{type(unflattened_size).__name__}"
            )
        for i, size in enumerate(unflattened_size):
            if not isinstance(size, int):
                raise TypeError(
                    "unflattened_size must be tuple of ints, but found element of type "
                    f"{type(size).__name__} at pos {i}"
                )
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with the dimension divided."""
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class PixelShuffle(OfFunction):
    """Makes images r times larger: (N, C r², H, W) to (N, C, H r, W r)."""

    function = F.pixel_shuffle
    upscale_factor: int


class PixelUnshuffle(OfFunction):
    """The inverse of `PixelShuffle`: (N, C, H r, W r) to (N, C r², H, W)."""

    function = F.pixel_unshuffle
    downscale_factor: int


class ChannelShuffle(OfFunction):
    """Mixes channels: they go in turn to each of the groups."""

    function = F.channel_shuffle
    groups: int
