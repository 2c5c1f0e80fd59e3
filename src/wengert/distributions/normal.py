"""The normal distribution."""

from __future__ import annotations

import math

from ..ops.random import randn
from ..tensor import Tensor
from .distribution import Shape
from .location_scale import LocationScale

__all__ = ["Normal"]

LOG_ROOT_2_PI = math.log(2 * math.pi) / 2
ROOT_2 = math.sqrt(2)


class Normal(LocationScale):
    """The normal distribution, Gauß's.

    Args:
        loc: the mean.
        scale: the standard deviation.

    >>> import wengert as torch
    >>> standard = torch.distributions.Normal(0.0, 1.0)
    >>> standard.log_prob(torch.tensor([0.0, 1.0]))
    tensor([-0.9189, -1.4189])
    >>> standard.cdf(torch.tensor(0.0))
    tensor(0.5000)
    """

    @property
    def variance(self) -> Tensor:
        return self.scale.pow(2)

    @property
    def stddev(self) -> Tensor:
        return self.scale

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        noise = randn(self._extended_shape(sample_shape), dtype=self.loc.dtype)
        return self.loc + noise * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        distance = self._standardized(value)
        return distance.square() * -0.5 - self.scale.log() - LOG_ROOT_2_PI

    def entropy(self) -> Tensor:
        return 0.5 + LOG_ROOT_2_PI + self.scale.log()

    def cdf(self, value: Tensor) -> Tensor:
        return (1 + (self._standardized(value) / ROOT_2).erf()) * 0.5

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc + self.scale * (2 * value - 1).erfinv() * ROOT_2
