"""The gamma distribution, and the chi-squared one."""

from __future__ import annotations

from typing import Any, ClassVar

from ..limits import finfo
from ..ops.special import xlogy
from ..tensor import Tensor
from . import constraints
from .distribution import Distribution, Shape
from .sampling import standard_gamma
from .utils import broadcast_all

__all__ = ["Gamma"]


class Gamma(Distribution):
    """The gamma distribution: of the time to the n-th event, for whole n.

    Args:
        concentration: n, its shape.
        rate: how many events there are in a unit of time, on average.

    >>> import wengert as torch
    >>> gamma = torch.distributions.Gamma(torch.tensor(3.0), 2.0)
    >>> gamma.mean, gamma.mode, gamma.variance
    (tensor(1.5000), tensor(1.), tensor(0.7500))
    """

    arg_constraints: ClassVar[Any] = {
        "concentration": constraints.positive,
        "rate": constraints.positive,
    }
    support = constraints.nonnegative
    has_rsample = True
    _parameters = ("concentration", "rate")

    def __init__(
        self, concentration: Any, rate: Any, validate_args: bool | None = None
    ) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.rate.size(), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.concentration / self.rate.pow(2)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        time = standard_gamma(self._expanded(self.concentration, sample_shape))
        value = time / self._expanded(self.rate, sample_shape)
        value.detach().clamp_(min=finfo(value.dtype).tiny)  # 0 would be no event
        return value

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        shape, rate = self.concentration, self.rate
        powers = xlogy(shape, rate) + xlogy(shape - 1, value)
        return powers - rate * value - shape.lgamma()

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return self.concentration.igamma(self.rate * value)

    def entropy(self) -> Tensor:
        shape = self.concentration
        correction = (1 - shape) * shape.digamma()
        return shape - self.rate.log() + shape.lgamma() + correction
