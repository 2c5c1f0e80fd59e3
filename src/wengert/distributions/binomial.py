"""The binomial distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from ..autograd import no_grad
from ..ops.activation import softplus
from ..ops.creation import arange
from ..ops.random import binomial
from ..tensor import Tensor
from . import constraints
from .distribution import Shape
from .probabilities import OfProbabilities

__all__ = ["Binomial"]


class Binomial(OfProbabilities):
    """How many of so many trials succeed.

    Args:
        total_count: the number of trials.
        probs: the probability of success.
        logits: its log odds, in place of it.

    >>> import wengert as torch
    >>> successes = torch.distributions.Binomial(2, torch.tensor(0.5))
    >>> successes.log_prob(successes.enumerate_support()).exp()
    tensor([0.2500, 0.5000, 0.2500])
    """

    arg_constraints: ClassVar[Any] = {
        "total_count": constraints.nonnegative_integer,
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    has_enumerate_support = True
    _parameters = ("total_count", "probs", "logits")

    def __init__(
        self,
        total_count: Any = 1,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        self._take_with_count(total_count, probs, logits)
        super().__init__(self._param.size(), validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        likely = ((self.total_count + 1) * self.probs).floor()
        return likely.clamp(max=self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with no_grad():
            return binomial(
                self._expanded(self.total_count, sample_shape),
                self._expanded(self.probs, sample_shape),
            )

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        count = self.total_count
        rest = (value + 1).lgamma() + (count - value + 1).lgamma()
        ways = (count + 1).lgamma() - rest
        return ways + value * self.logits - count * softplus(self.logits)

    def entropy(self) -> Tensor:
        self._common_count("entropy")
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        count = self._common_count("enumerate_support")
        return self._over_batch(arange(1 + count, dtype=self._param.dtype), expand)

    def _common_count(self, method: str) -> int:
        """Return the number of trials, if it is the same in the whole batch."""
        count = int(self.total_count.max())
        if self.total_count.min() != count:
            raise NotImplementedError(
                f"Inhomogeneous total count not supported by `{method}`."
            )
        return count
