"""The Dirichlet distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from ..ops.creation import eye
from ..ops.selection import where
from ..ops.special import xlogy
from ..tensor import Tensor
from . import constraints
from .distribution import Distribution, Shape
from .sampling import dirichlet

__all__ = ["Dirichlet"]


class Dirichlet(Distribution):
    """Proportions, whose sum is 1.

    Args:
        concentration: of each proportion, along the last dimension: their means are to
            each other as these, and are the less scattered the larger these are.

    >>> import wengert as torch
    >>> dirichlet = torch.distributions.Dirichlet(torch.tensor([1.0, 3.0]))
    >>> dirichlet.mean
    tensor([0.2500, 0.7500])
    """

    arg_constraints: ClassVar[Any] = {
        "concentration": constraints.independent(constraints.positive, 1)
    }
    support = constraints.simplex
    has_rsample = True
    _parameters = ("concentration",)

    def __init__(
        self, concentration: Tensor, validate_args: bool | None = None
    ) -> None:
        if concentration.dim() < 1:
            raise ValueError(
                "`concentration` parameter must be at least one-dimensional."
            )
        self.concentration = concentration
        shape = concentration.shape
        super().__init__(shape[:-1], shape[-1:], validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.concentration.sum(-1, keepdim=True)

    @property
    def mode(self) -> Tensor:
        above = (self.concentration - 1).clamp(min=0)
        inside = above / above.sum(-1, keepdim=True)
        count = inside.shape[-1]
        corner = eye(count, dtype=inside.dtype)[inside.argmax(-1)]
        in_corner = (self.concentration < 1).all(-1, keepdim=True)
        return where(in_corner, corner, inside)

    @property
    def variance(self) -> Tensor:
        total = self.concentration.sum(-1, keepdim=True)
        others = total - self.concentration
        return self.concentration * others / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        return dirichlet(self._expanded(self.concentration, sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        powers = xlogy(self.concentration - 1, value).sum(-1)
        return powers - self._log_beta()

    def _log_beta(self) -> Tensor:
        """The logarithm of the beta function of the concentrations."""
        total = self.concentration.sum(-1)
        return self.concentration.lgamma().sum(-1) - total.lgamma()

    def entropy(self) -> Tensor:
        concentration = self.concentration
        total = concentration.sum(-1)
        excess = (total - concentration.shape[-1]) * total.digamma()
        each = ((concentration - 1) * concentration.digamma()).sum(-1)
        return self._log_beta() + excess - each
