"""The Laplace distribution."""

from __future__ import annotations

import math

from ..limits import finfo
from ..tensor import Tensor
from .distribution import Shape
from .location_scale import LocationScale

__all__ = ["Laplace"]


class Laplace(LocationScale):
    """Laplace's distribution: exponential to both sides.

    Args:
        loc: the mean.
        scale: the mean distance from it.

    >>> import wengert as torch
    >>> laplace = torch.distributions.Laplace(0.0, 1.0)
    >>> laplace.log_prob(torch.tensor([0.0, 1.0, -1.0]))
    tensor([-0.6931, -1.6931, -1.6931])
    """

    @property
    def variance(self) -> Tensor:
        return 2 * self.scale.pow(2)

    @property
    def stddev(self) -> Tensor:
        return math.sqrt(2) * self.scale

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        eps = finfo(self.loc.dtype).eps
        place = self.loc.new_empty(self._extended_shape(sample_shape))
        place.uniform_(eps - 1, 1)
        return self.loc - self.scale * place.sign() * (-place.abs()).log1p()

    def log_prob(self, value: Tensor) -> Tensor:
        return -self._standardized(value).abs() - (2 * self.scale).log()

    def cdf(self, value: Tensor) -> Tensor:
        distance = self._standardized(value)
        return 0.5 - 0.5 * distance.sign() * (-distance.abs()).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        place = value - 0.5
        return self.loc - self.scale * place.sign() * (-2 * place.abs()).log1p()

    def entropy(self) -> Tensor:
        return 1 + (2 * self.scale).log()
