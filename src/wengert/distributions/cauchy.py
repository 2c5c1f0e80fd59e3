"""The Cauchy distribution."""

from __future__ import annotations

import math

from ..ops.creation import full
from ..tensor import Tensor
from .distribution import Shape
from .location_scale import LocationScale

__all__ = ["Cauchy"]


class Cauchy(LocationScale):
    """Cauchy's distribution, whose tails are so heavy that it has no mean.

    Args:
        loc: the median.
        scale: how far from it the density is half as high.

    >>> import wengert as torch
    >>> cauchy = torch.distributions.Cauchy(0.0, 1.0)
    >>> cauchy.mean, cauchy.mode, cauchy.cdf(torch.tensor(1.0))
    (tensor(nan), tensor(0.), tensor(0.7500))
    """

    @property
    def mean(self) -> Tensor:
        return full(self._extended_shape(), math.nan, dtype=self.loc.dtype)

    @property
    def variance(self) -> Tensor:
        return full(self._extended_shape(), math.inf, dtype=self.loc.dtype)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        noise = self.loc.new_empty(self._extended_shape(sample_shape)).cauchy_()
        return self.loc + noise * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        bell = self._standardized(value).square().log1p()
        return -math.log(math.pi) - self.scale.log() - bell

    def cdf(self, value: Tensor) -> Tensor:
        return self._standardized(value).atan() / math.pi + 0.5

    def icdf(self, value: Tensor) -> Tensor:
        return (math.pi * (value - 0.5)).tan() * self.scale + self.loc

    def entropy(self) -> Tensor:
        return math.log(4 * math.pi) + self.scale.log()
