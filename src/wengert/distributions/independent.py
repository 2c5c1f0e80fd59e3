"""A batch of distributions as one distribution of several events."""

from __future__ import annotations

from typing import Any, ClassVar

from ..tensor import Tensor
from . import constraints
from .distribution import Distribution, Shape
from .utils import summed_right

__all__ = ["Independent"]


class Independent(Distribution):
    """Distributions whose last batch dimensions are taken as dimensions of one event.

    Args:
        base_distribution: the distributions.
        reinterpreted_batch_ndims: how many dimensions.

    >>> import wengert as torch
    >>> base = torch.distributions.Normal(torch.zeros(2, 3), 1.0)
    >>> vectors = torch.distributions.Independent(base, 1)
    >>> vectors.batch_shape, vectors.event_shape
    (torch.Size([2]), torch.Size([3]))
    >>> vectors.log_prob(torch.zeros(3))
    tensor([-2.7568, -2.7568])
    """

    arg_constraints: ClassVar[Any] = {}

    def __init__(
        self,
        base_distribution: Distribution,
        reinterpreted_batch_ndims: int,
        validate_args: bool | None = None,
    ) -> None:
        batch = tuple(base_distribution.batch_shape)
        if reinterpreted_batch_ndims > len(batch):
            raise ValueError(
                "Expected reinterpreted_batch_ndims <= "
                "len(base_distribution.batch_shape), actual "
                f"{reinterpreted_batch_ndims} vs {len(batch)}"
            )
        split = len(batch) - reinterpreted_batch_ndims
        self.base_dist = base_distribution
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        event_shape = (*batch[split:], *base_distribution.event_shape)
        super().__init__(batch[:split], event_shape, validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._to_expand(_instance)
        batch = tuple(batch_shape)
        inner = tuple(self.event_shape)[: self.reinterpreted_batch_ndims]
        base = self.base_dist.expand(batch + inner)
        Independent.__init__(new, base, self.reinterpreted_batch_ndims, False)
        new._validate_args = self._validate_args
        return new

    @property
    def has_rsample(self) -> bool:
        return self.base_dist.has_rsample

    @property
    def has_enumerate_support(self) -> bool:
        if self.reinterpreted_batch_ndims > 0:
            return False
        return self.base_dist.has_enumerate_support

    @constraints.dependent_property
    def support(self) -> Any:
        inner = self.base_dist.support
        count = self.reinterpreted_batch_ndims
        return constraints.independent(inner, count) if count else inner

    @property
    def mean(self) -> Tensor:
        return self.base_dist.mean

    @property
    def mode(self) -> Tensor:
        return self.base_dist.mode

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        return summed_right(
            self.base_dist.log_prob(value), self.reinterpreted_batch_ndims
        )

    def entropy(self) -> Tensor:
        return summed_right(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        if self.reinterpreted_batch_ndims > 0:
            raise NotImplementedError(
                "Enumeration over cartesian product is not implemented"
            )
        return self.base_dist.enumerate_support(expand)

    def __repr__(self) -> str:
        return f"Independent({self.base_dist!r}, {self.reinterpreted_batch_ndims})"
