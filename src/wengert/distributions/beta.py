"""The beta distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from ..ops.joining import stack
from ..tensor import Tensor
from . import constraints
from .dirichlet import Dirichlet
from .distribution import Distribution, Shape
from .utils import broadcast_all

__all__ = ["Beta"]


class Beta(Distribution):
    """A proportion: the first one of two that have a Dirichlet distribution.

    Args:
        concentration1: the concentration of the proportion, α.
        concentration0: that of the rest, β.

    >>> import wengert as torch
    >>> beta = torch.distributions.Beta(torch.tensor(2.0), 3.0)
    >>> beta.mean, beta.mode, beta.variance
    (tensor(0.4000), tensor(0.3333), tensor(0.0400))
    """

    arg_constraints: ClassVar[Any] = {
        "concentration1": constraints.positive,
        "concentration0": constraints.positive,
    }
    support = constraints.unit_interval
    has_rsample = True

    def __init__(
        self,
        concentration1: Any,
        concentration0: Any,
        validate_args: bool | None = None,
    ) -> None:
        both = broadcast_all(concentration1, concentration0)
        self._dirichlet = Dirichlet(stack(both, -1))
        super().__init__(self._dirichlet.batch_shape, validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._to_expand(_instance)
        vars(new).update(vars(self))
        new._dirichlet = self._dirichlet.expand(batch_shape)
        new._batch_shape = new._dirichlet.batch_shape
        return new

    @property
    def concentration1(self) -> Tensor:
        """The concentration of the proportion."""
        return self._dirichlet.concentration[..., 0]

    @property
    def concentration0(self) -> Tensor:
        """The concentration of the rest."""
        return self._dirichlet.concentration[..., 1]

    @property
    def mean(self) -> Tensor:
        return self._dirichlet.mean[..., 0]

    @property
    def mode(self) -> Tensor:
        return self._dirichlet.mode[..., 0]

    @property
    def variance(self) -> Tensor:
        return self._dirichlet.variance[..., 0]

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        return self._dirichlet.rsample(sample_shape)[..., 0]

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return self._dirichlet.log_prob(stack([value, 1 - value], -1))

    def entropy(self) -> Tensor:
        return self._dirichlet.entropy()
