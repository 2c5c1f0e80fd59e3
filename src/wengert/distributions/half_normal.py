"""The half-normal distribution."""

from __future__ import annotations

import math

from ..tensor import Tensor
from .half import Half
from .normal import Normal

__all__ = ["HalfNormal"]


class HalfNormal(Half):
    """The distance from zero of normal numbers.

    Args:
        scale: the standard deviation of these.

    >>> import wengert as torch
    >>> torch.distributions.HalfNormal(torch.tensor(1.0)).mean
    tensor(0.7979)
    """

    _whole = Normal

    @property
    def mean(self) -> Tensor:
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self) -> Tensor:
        return self.scale.pow(2) * (1 - 2 / math.pi)
