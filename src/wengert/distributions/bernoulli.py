"""One of two events."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ..autograd import no_grad
from ..ops.creation import arange
from ..ops.loss import binary_cross_entropy_with_logits
from ..ops.random import bernoulli
from ..tensor import Tensor
from . import constraints
from .distribution import Shape
from .probabilities import OfProbabilities
from .utils import broadcast_all

__all__ = ["Bernoulli"]


class Bernoulli(OfProbabilities):
    """1 with a probability, else 0.

    Args:
        probs: the probability of 1.
        logits: its log odds, in place of it.

    >>> import wengert as torch
    >>> coin = torch.distributions.Bernoulli(torch.tensor([0.25, 1.0]))
    >>> coin.mean, coin.variance
    (tensor([0.2500, 1.0000]), tensor([0.1875, 0.0000]))
    >>> coin.log_prob(torch.ones(2)).exp()
    tensor([0.2500, 1.0000])
    """

    arg_constraints: ClassVar[Any] = {
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    support = constraints.boolean
    has_enumerate_support = True

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        self._take(probs, logits)
        super().__init__(self._param.size(), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        likely = (self.probs >= 0.5).to(self.probs.dtype)
        return likely.masked_fill(self.probs == 0.5, math.nan)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with no_grad():
            return bernoulli(self._expanded(self.probs, sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self) -> Tensor:
        return binary_cross_entropy_with_logits(
            self.logits, self.probs, reduction="none"
        )

    def enumerate_support(self, expand: bool = True) -> Tensor:
        return self._over_batch(arange(2, dtype=self._param.dtype), expand)
