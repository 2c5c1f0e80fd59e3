"""Activations."""

from __future__ import annotations

from typing import Any

from ..ops.creation import empty
from ..tensor import Tensor
from . import functional as F, init
from .module import Module
from .of_function import OfFunction
from .parameter import Parameter


class ReLU(OfFunction):
    """max(0, x).

    Args:
        inplace: write the result into the input.
    """

    function = F.relu
    inplace: bool = False


class ReLU6(OfFunction):
    """min(max(0, x), 6)."""

    function = F.relu6
    inplace: bool = False


class LeakyReLU(OfFunction):
    """x where it is positive, else x times `negative_slope`."""

    function = F.leaky_relu
    negative_slope: float = 1e-2
    inplace: bool = False


class RReLU(OfFunction):
    """x where it is positive, else x times a slope drawn between `lower` and `upper`.

    In evaluation the slope is their mean.
    """

    function = F.rrelu
    passed = ("lower", "upper", "training", "inplace")
    lower: float = 1.0 / 8
    upper: float = 1.0 / 3
    inplace: bool = False


class PReLU(Module):
    """x where it is positive, else x times a slope that is learnt.

    Args:
        num_parameters: one slope, or one for each channel.
        init: the slopes at first.
    """

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the slopes to their first value."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class Threshold(OfFunction):
    """x where it is above `threshold`, else `value`."""

    function = F.threshold
    threshold: float
    value: float
    inplace: bool = False


class Hardtanh(OfFunction):
    """x limited to the range from `min_val` to `max_val`."""

    function = F.hardtanh
    passed = ("min_val", "max_val", "inplace")
    shown = ("min_val", "max_val", "inplace")
    min_val: float = -1.0
    max_val: float = 1.0
    inplace: bool = False
    min_value: float | None = None
    max_value: float | None = None

    def settle(self) -> None:
        if self.min_value is not None:
            self.min_val = self.min_value
        if self.max_value is not None:
            self.max_val = self.max_value
        if not self.max_val > self.min_val:
            raise AssertionError(
                f"max_val ({self.max_val}) must be greater than min_val "
                f"({self.min_val})"
            )


class Hardsigmoid(OfFunction):
    """min(max(0, x + 3), 6) / 6."""

    function = F.hardsigmoid
    shown = ()
    inplace: bool = False


class Hardswish(OfFunction):
    """x hardsigmoid(x)."""

    function = F.hardswish
    shown = ()
    inplace: bool = False


class Sigmoid(OfFunction):
    """1 / (1 + exp(−x))."""

    function = F.sigmoid


class Tanh(OfFunction):
    """(exp(x) − exp(−x)) / (exp(x) + exp(−x))."""

    function = F.tanh


class LogSigmoid(OfFunction):
    """log(1 / (1 + exp(−x)))."""

    function = F.logsigmoid


class Softsign(OfFunction):
    """x / (1 + |x|)."""

    function = F.softsign


class Tanhshrink(OfFunction):
    """x − tanh(x)."""

    function = F.tanhshrink


class SiLU(OfFunction):
    """x sigmoid(x), also called swish."""

    function = F.silu
    inplace: bool = False


class Mish(OfFunction):
    """x tanh(softplus(x))."""

    function = F.mish
    inplace: bool = False


class ELU(OfFunction):
    """x where it is positive, else α (exp(x) − 1)."""

    function = F.elu
    alpha: float = 1.0
    inplace: bool = False


class CELU(OfFunction):
    """max(0, x) + min(0, α (exp(x / α) − 1))."""

    function = F.celu
    alpha: float = 1.0
    inplace: bool = False


class SELU(OfFunction):
    """The self-normalising ELU of Klambauer and others (2017)."""

    function = F.selu
    inplace: bool = False


class GELU(OfFunction):
    """x Φ(x), where Φ is the normal distribution function.

    Args:
        approximate: "none", or "tanh" for an approximation.
    """

    function = F.gelu
    approximate: str = "none"


class Softplus(OfFunction):
    """log(1 + exp(βx)) / β, which is x where βx is above the threshold."""

    function = F.softplus
    beta: float = 1.0
    threshold: float = 20.0


class Hardshrink(OfFunction):
    """x, or zero where its size is at most `lambd`."""

    function = F.hardshrink
    lambd: float = 0.5

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Softshrink(OfFunction):
    """x moved towards zero by `lambd`."""

    function = F.softshrink
    lambd: float = 0.5

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class GLU(OfFunction):
    """a sigmoid(b), where a and b are the halves of the input along a dimension."""

    function = F.glu
    dim: int = -1


class Softmax(OfFunction):
    """exp(x) along a dimension, divided by its sum."""

    function = F.softmax
    dim: int | None = None


class Softmin(OfFunction):
    """The softmax of −x."""

    function = F.softmin
    dim: int | None = None


class LogSoftmax(OfFunction):
    """The logarithm of the softmax along a dimension."""

    function = F.log_softmax
    dim: int | None = None


class Softmax2d(Module):
    """The softmax over the channels of images (N, C, H, W) or (C, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply the softmax."""
        if input.ndim not in (3, 4):
            raise ValueError(
                f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D instead"
            )
        return F.softmax(input, -3)
