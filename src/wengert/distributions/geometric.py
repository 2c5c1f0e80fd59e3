"""The geometric distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from ..autograd import no_grad
from ..limits import finfo
from ..ops.loss import binary_cross_entropy_with_logits
from ..ops.random import rand
from ..tensor import Tensor
from . import constraints
from .distribution import Shape
from .probabilities import OfProbabilities
from .utils import broadcast_all
from .validation import holds, shown

__all__ = ["Geometric"]


class Geometric(OfProbabilities):
    """How often one fails before the first success.

    Args:
        probs: the probability of success.
        logits: its log odds, in place of it.

    >>> import wengert as torch
    >>> failures = torch.distributions.Geometric(torch.tensor(0.25))
    >>> failures.mean
    tensor(3.)
    """

    arg_constraints: ClassVar[Any] = {
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        self._take(probs, logits)
        super().__init__(self._param.size(), validate_args=validate_args)
        if self._validate_args and probs is not None:
            self._check_positive()

    def _check_positive(self) -> None:
        if not holds(constraints.positive, self.probs):
            raise ValueError(
                f"Expected parameter probs ({shown(self.probs)}) of distribution "
                f"{self!r} to be positive but found invalid values:\n"
                f"{self.probs[self.probs <= 0]}"
            )

    @property
    def mean(self) -> Tensor:
        return 1 / self.probs - 1

    @property
    def mode(self) -> Tensor:
        return self.probs.new_zeros(self.probs.shape)

    @property
    def variance(self) -> Tensor:
        return (1 / self.probs - 1) / self.probs

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        dtype = self.probs.dtype
        shape = self._extended_shape(sample_shape)
        with no_grad():
            share = rand(shape, dtype=dtype).clamp(min=finfo(dtype).tiny)
            return (share.log() / (-self.probs).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        value, probs = broadcast_all(value, self.probs)
        # nothing fails if the probability is 1: 0 log 0 = 0
        failing = probs.masked_fill((probs == 1) & (value == 0), 0)
        return value * (-failing).log1p() + self.probs.log()

    def entropy(self) -> Tensor:
        return (
            binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")
            / self.probs
        )
