"""Padding: adding elements around signals, images and volumes.

The width is one number for all sides, or one for each: of the last dimension before and
behind, of the one before it, and so on. A negative width takes elements away.
"""

from __future__ import annotations

from typing import ClassVar

from ..tensor import Tensor
from . import functional as F
from .module import Module
from .sizes import ntuple


class Pad(Module):
    """What all kinds of padding share."""

    dims: ClassVar[int]
    mode: ClassVar[str]

    padding: tuple[int, ...]

    def __init__(self, padding: int | tuple[int, ...]) -> None:
        super().__init__()
        self.padding = ntuple(2 * self.dims)(padding)

    def forward(self, input: Tensor) -> Tensor:
        """Return the padded input."""
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ConstantPad(Pad):
    """What paddings with one value share."""

    mode = "constant"

    def __init__(self, padding: int | tuple[int, ...], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """Return the padded input."""
        return F.pad(input, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ZeroPad(ConstantPad):
    """What paddings with zeros share."""

    def __init__(self, padding: int | tuple[int, ...]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ConstantPad1d(ConstantPad):
    """Adds a value at both ends of signals."""

    dims = 1


class ConstantPad2d(ConstantPad):
    """Adds a value around images."""

    dims = 2


class ConstantPad3d(ConstantPad):
    """Adds a value around volumes."""

    dims = 3


class ZeroPad1d(ZeroPad, ConstantPad1d):
    """Adds zeros at both ends of signals."""


class ZeroPad2d(ZeroPad, ConstantPad2d):
    """Adds zeros around images.

    >>> import wengert as torch
    >>> torch.nn.ZeroPad2d((1, 0, 0, 1))(torch.ones(1, 2, 2))
    tensor([[[0., 1., 1.],
             [0., 1., 1.],
             [0., 0., 0.]]])
    """


class ZeroPad3d(ZeroPad, ConstantPad3d):
    """Adds zeros around volumes."""


class ReflectionPad1d(Pad):
    """Continues signals by their reflection at the first and last element."""

    dims = 1
    mode = "reflect"


class ReflectionPad2d(Pad):
    """Continues images by their reflection at the borders."""

    dims = 2
    mode = "reflect"


class ReflectionPad3d(Pad):
    """Continues volumes by their reflection at the borders."""

    dims = 3
    mode = "reflect"


class ReplicationPad1d(Pad):
    """Continues signals by their first and last element."""

    dims = 1
    mode = "replicate"


class ReplicationPad2d(Pad):
    """Continues images by the elements at the borders."""

    dims = 2
    mode = "replicate"


class ReplicationPad3d(Pad):
    """Continues volumes by the elements at the borders."""

    dims = 3
    mode = "replicate"


class CircularPad1d(Pad):
    """Continues signals periodically."""

    dims = 1
    mode = "circular"


class CircularPad2d(Pad):
    """Continues images periodically."""

    dims = 2
    mode = "circular"


class CircularPad3d(Pad):
    """Continues volumes periodically."""

    dims = 3
    mode = "circular"
