"""Normalisation over dimensions of one sample: LayerNorm, RMSNorm, GroupNorm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..ops.creation import empty
from ..tensor import Tensor
from . import functional as F, init
from .module import Module
from .of_function import OfFunction
from .parameter import Parameter


class LayerNorm(Module):
    """Layer normalisation (Ba, Kiros and Hinton 2016) over the last dimensions.

    y = (x − mean) / √(var + eps) · weight + bias.

    Args:
        normalized_shape: the sizes of the dimensions.
        eps: added to the variance.
        elementwise_affine: multiply with a learnt weight and add a learnt bias.
        bias: whether there is a bias, if so.
        device, dtype: of the parameters.

    >>> import wengert as torch
    >>> torch.nn.LayerNorm(2)(torch.tensor([[1.0, 3.0]])).detach()
    tensor([[-1.0000,  1.0000]])
    """

    normalized_shape: tuple[int, ...]
    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = as_shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        where = {"device": device, "dtype": dtype}
        affine = elementwise_affine
        for name, present in (("weight", affine), ("bias", affine and bias)):
            values = empty(self.normalized_shape, **where)
            self.register_parameter(name, Parameter(values) if present else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Fill the parameters with their first values."""
        reset_affine(self)

    def forward(self, input: Tensor) -> Tensor:
        """Normalise the last dimensions."""
        return F.layer_norm(
            input, self.normalized_shape, self.weight, self.bias, self.eps
        )

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """Division by the root mean square over the last dimensions (Zhang, Sennrich 2019).

    y = x / √(mean(x²) + eps) · weight.

    Args:
        normalized_shape: the sizes of the dimensions.
        eps: added to the mean; by default the dtype's resolution.
        elementwise_affine: multiply with a learnt weight.
        device, dtype: of the parameter.
    """

    normalized_shape: tuple[int, ...]
    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = as_shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        values = empty(self.normalized_shape, device=device, dtype=dtype)
        self.register_parameter(
            "weight", Parameter(values) if elementwise_affine else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Fill the weight with ones."""
        reset_affine(self)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last dimensions."""
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(Module):
    """Normalisation over groups of channels of each sample (Wu and He 2018).

    Args:
        num_groups, num_channels: into how many groups how many channels are divided.
        eps: added to the variance.
        affine: multiply with a learnt weight and add a learnt bias for each channel.
        bias: whether there is a bias, if so.
        device, dtype: of the parameters.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(
                f"num_channels ({num_channels}) must be divisible by num_groups "
                f"({num_groups})"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        where = {"device": device, "dtype": dtype}
        for name, present in (("weight", affine), ("bias", affine and bias)):
            values = empty(num_channels, **where)
            self.register_parameter(name, Parameter(values) if present else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Fill the parameters with their first values."""
        reset_affine(self)

    def forward(self, input: Tensor) -> Tensor:
        """Normalise each group: (N, C, *) to (N, C, *)."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, "
            f"affine={self.affine}, bias={self.bias is not None}"
        )


class LocalResponseNorm(OfFunction):
    """Division of each channel by what its neighbours do (Krizhevsky 2012).

    Args:
        size: how many channels count.
        alpha, beta, k: y = x / (k + alpha / size · Σ x²)^beta.
    """

    function = F.local_response_norm
    size: int
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


def as_shape(shape: int | Sequence[int]) -> tuple[int, ...]:
    """Return a shape that may be given as one size."""
    return (shape,) if isinstance(shape, int) else tuple(shape)


def reset_affine(module: Any) -> None:
    """Fill a weight with ones and a bias with zeros, if they are there."""
    if module.weight is not None:
        init.ones_(module.weight)
    if getattr(module, "bias", None) is not None:
        init.zeros_(module.bias)
