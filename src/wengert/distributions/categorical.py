"""One of several events, numbered from 0."""

from __future__ import annotations

import math
from typing import Any

from ..autograd import no_grad
from ..dtypes import Size
from ..limits import finfo
from ..ops.broadcasting import broadcast_shapes
from ..ops.creation import arange, full
from ..ops.random import multinomial
from ..tensor import Tensor
from . import constraints
from .distribution import Shape
from .probabilities import OfVectors

__all__ = ["Categorical"]


class Categorical(OfVectors):
    """An integer from 0 to n - 1, each with a probability.

    Args:
        probs: the probabilities along the last dimension, up to a factor.
        logits: their logarithms up to a constant, in place of them.

    >>> import wengert as torch
    >>> policy = torch.distributions.Categorical(torch.tensor([1.0, 3.0]))
    >>> policy.probs, policy.mode
    (tensor([0.2500, 0.7500]), tensor(1))
    >>> policy.log_prob(torch.tensor([0, 1])).exp()
    tensor([0.2500, 0.7500])
    """

    has_enumerate_support = True

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        self._take(probs, logits)
        *batch_shape, self._num_events = self.param_shape
        super().__init__(batch_shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def mean(self) -> Tensor:
        return self._nothing()

    @property
    def mode(self) -> Tensor:
        return self.probs.argmax(-1)

    @property
    def variance(self) -> Tensor:
        return self._nothing()

    def _nothing(self) -> Tensor:
        """NaN for each distribution: the numbers are names."""
        return full(self._extended_shape(), math.nan, dtype=self.probs.dtype)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        sample_shape = Size(sample_shape)
        rows = self.probs.reshape(-1, self._num_events)
        with no_grad():
            drawn = multinomial(rows, sample_shape.numel(), True)
        return drawn.T.reshape(self._extended_shape(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        batch = broadcast_shapes(value.shape, self.batch_shape)
        index = value.long().expand(batch).unsqueeze(-1)
        return self.logits.expand(*batch, -1).gather(-1, index).squeeze(-1)

    def entropy(self) -> Tensor:
        logits = self.logits.clamp(min=finfo(self.logits.dtype).min)
        return -(logits * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        return self._over_batch(arange(self._num_events), expand)
