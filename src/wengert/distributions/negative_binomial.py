"""The negative binomial distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from ..autograd import no_grad
from ..ops.activation import softplus
from ..ops.random import poisson
from ..tensor import Tensor
from . import constraints
from .distribution import Shape
from .gamma import Gamma
from .probabilities import OfProbabilities

__all__ = ["NegativeBinomial"]


class NegativeBinomial(OfProbabilities):
    """How often one succeeds before so many failures.

    Args:
        total_count: the number of failures, which need not be whole.
        probs: the probability of success.
        logits: its log odds, in place of it.

    >>> import wengert as torch
    >>> successes = torch.distributions.NegativeBinomial(2, torch.tensor(0.5))
    >>> successes.log_prob(torch.tensor([0.0, 1.0])).exp()
    tensor([0.2500, 0.2500])
    """

    arg_constraints: ClassVar[Any] = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer
    _parameters = ("total_count", "probs", "logits")

    def __init__(
        self,
        total_count: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        self._take_with_count(total_count, probs, logits)
        super().__init__(self._param.size(), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.mean / (-self.logits).sigmoid()

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        odds = self.logits.exp()
        rates = Gamma(self.total_count, 1 / odds, validate_args=False)
        with no_grad():
            return poisson(rates.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        count = self.total_count
        ways = (count + value).lgamma() - (value + 1).lgamma() - count.lgamma()
        ways = ways.masked_fill(count + value == 0, 0)
        return ways - count * softplus(self.logits) - value * softplus(-self.logits)
