"""The multinomial distribution."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from . import constraints
from .binomial import Binomial
from .distribution import Shape
from .one_hot_categorical import OverCategorical

__all__ = ["Multinomial"]


class Multinomial(OverCategorical):
    """How often each of several events occurs in so many trials.

    Args:
        total_count: the number of trials.
        probs: the probabilities of the events, up to a factor.
        logits: their logarithms up to a constant, in place of them.

    >>> import wengert as torch
    >>> counts = torch.distributions.Multinomial(4, torch.tensor([1.0, 3.0]))
    >>> counts.mean
    tensor([1., 3.])
    """

    def __init__(
        self,
        total_count: int = 1,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        super().__init__(probs, logits, validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Any:
        return constraints.multinomial(self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        trials = self._categorical.sample((self.total_count, *sample_shape))
        return self._one_hot(trials).sum(0)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        ways = (value.sum(-1) + 1).lgamma() - (value + 1).lgamma().sum(-1)
        impossible = self.logits.isneginf() & (value == 0)
        logits = self.logits.masked_fill(impossible, 0)  # 0 log 0 = 0
        return ways + (logits * value).sum(-1)

    def entropy(self) -> Tensor:
        """Return the entropy: that of the trials in order, less that of the order."""
        each = Binomial(self.total_count, self.probs)
        counts = each.enumerate_support(expand=False)
        log_orders = each.log_prob(counts).exp() * (counts + 1).lgamma()
        trials = self.total_count * self._categorical.entropy()
        all_orders = self.probs.new_tensor(self.total_count + 1.0).lgamma()
        return trials - all_orders + log_orders.sum((0, -1))
