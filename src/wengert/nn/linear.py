"""Layers that are linear maps: Linear, Bilinear, Identity."""

from __future__ import annotations

import math
from typing import Any

from ..ops.creation import empty
from ..tensor import Tensor
from . import functional as F, init
from .module import Module
from .parameter import Parameter


class Identity(Module):
    """Returns its input as it is, whatever arguments it was made with."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """Return the input."""
        return input


class Linear(Module):
    """The map y = x Wᵀ + b, from (..., in_features) to (..., out_features).

    Args:
        in_features: the size of the last dimension of x.
        out_features: that of y.
        bias: whether there is b.
        device, dtype: of the parameters; x must have their dtype.

    Attributes:
        weight: W, of shape (out_features, in_features), uniform in ±1/√in_features.
        bias: b, of shape (out_features,), uniform in the same range, or None.

    >>> import wengert as torch
    >>> torch.nn.Linear(2, 3)(torch.ones(4, 2)).shape
    torch.Size([4, 3])
    """

    in_features: int
    out_features: int
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        where = {"device": device, "dtype": dtype}
        self.weight = Parameter(empty(out_features, in_features, **where))
        self.register_parameter(
            "bias", Parameter(empty(out_features, **where)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Fill the parameters with their first values."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """Return input @ weight.T + bias."""
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Bilinear(Module):
    """The map y = x₁ᵀ A x₂ + b, with one matrix A for each element of y.

    Args:
        in1_features, in2_features: the sizes of the last dimensions of x₁ and x₂.
        out_features: that of y.
        bias: whether there is b.
        device, dtype: of the parameters.
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got {in1_features}")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        where = {"device": device, "dtype": dtype}
        shape = (out_features, in1_features, in2_features)
        self.weight = Parameter(empty(shape, **where))
        self.register_parameter(
            "bias", Parameter(empty(out_features, **where)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Fill the parameters with their first values."""
        bound = 1 / math.sqrt(self.weight.shape[1])
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        """Return the bilinear map of both inputs."""
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
