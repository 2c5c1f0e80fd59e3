"""The distribution of transformed samples."""

from __future__ import annotations

from typing import Any, ClassVar

from ..autograd import no_grad
from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .distribution import Distribution, Shape
from .independent import Independent
from .transforms import ComposeTransform, Transform
from .utils import summed_right

__all__ = ["TransformedDistribution"]


class TransformedDistribution(Distribution):
    """The distribution of f(x), where x has another distribution.

    Its density is that of x, divided by how much f stretches there.

    Args:
        base_distribution: the distribution of x.
        transforms: f, a transform, or several to be done one after the other.

    >>> import wengert as torch
    >>> from wengert.distributions import Normal, TransformedDistribution
    >>> from wengert.distributions.transforms import ExpTransform
    >>> positive = TransformedDistribution(Normal(0.0, 1.0), ExpTransform())
    >>> positive.log_prob(torch.tensor(1.0))
    tensor(-0.9189)
    """

    arg_constraints: ClassVar[Any] = {}

    def __init__(
        self,
        base_distribution: Distribution,
        transforms: Transform | list[Transform],
        validate_args: bool | None = None,
    ) -> None:
        self.transforms = as_list(transforms)
        transform = ComposeTransform(self.transforms)
        self.base_dist = matched(base_distribution, transform)
        own = len(self.base_dist.event_shape)
        domain, codomain = transform.domain.event_dim, transform.codomain.event_dim
        event_dim = codomain + max(own - domain, 0)
        shape = transform.forward_shape(shape_of(self.base_dist))
        split = len(shape) - event_dim
        super().__init__(shape[:split], shape[split:], validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._to_expand(_instance)
        shape = (*batch_shape, *self.event_shape)
        base_shape = ComposeTransform(self.transforms).inverse_shape(shape)
        split = len(base_shape) - len(self.base_dist.event_shape)
        vars(new).update(vars(self))
        base = self.base_dist.expand(base_shape[:split])
        TransformedDistribution.__init__(new, base, self.transforms, False)
        new._validate_args = self._validate_args
        return new

    @constraints.dependent_property
    def support(self) -> Any:
        if not self.transforms:
            return self.base_dist.support
        support = self.transforms[-1].codomain
        missing = len(self.event_shape) - support.event_dim
        return constraints.independent(support, missing) if missing else support

    @property
    def has_rsample(self) -> bool:
        return self.base_dist.has_rsample

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with no_grad():
            return self._transformed(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        return self._transformed(self.base_dist.rsample(sample_shape))

    def _transformed(self, value: Tensor) -> Tensor:
        for transform in self.transforms:
            value = transform(value)
        return value

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        event_dim = len(self.event_shape)
        log_prob: Any = 0
        for transform in reversed(self.transforms):
            before, after = transform.domain.event_dim, transform.codomain.event_dim
            event_dim += before - after
            origin = transform.inv(value)
            stretch = transform.log_abs_det_jacobian(origin, value)
            log_prob = log_prob - summed_right(stretch, event_dim - before)
            value = origin
        rest = event_dim - len(self.base_dist.event_shape)
        return log_prob + summed_right(self.base_dist.log_prob(value), rest)

    def cdf(self, value: Tensor) -> Tensor:
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        if self._validate_args:
            self.base_dist._validate_sample(value)
        return self._turned(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        return self._transformed(self.base_dist.icdf(self._turned(value)))

    def _turned(self, share: Tensor) -> Tensor:
        """Return what share of samples is below, if the transforms change the order."""
        sign = ComposeTransform(self.transforms).sign
        if isinstance(sign, int) and sign == 1:
            return share
        return sign * (share - 0.5) + 0.5


def as_list(transforms: Any) -> list[Transform]:
    if isinstance(transforms, Transform):
        return [transforms]
    if not isinstance(transforms, list):
        raise ValueError(
            f"transforms must be a Transform or list, but was {transforms}"
        )
    if not all(isinstance(transform, Transform) for transform in transforms):
        raise ValueError("transforms must be a Transform or a list of Transforms")
    return transforms


def matched(base: Distribution, transform: Transform) -> Distribution:
    """Return a distribution with the batch and events that a transform needs."""
    shape, event_dim = shape_of(base), transform.domain.event_dim
    if len(shape) < event_dim:
        raise ValueError(
            f"base_distribution needs to have shape with size at least {event_dim}, "
            f"but got {shape}."
        )
    expanded = tuple(transform.inverse_shape(transform.forward_shape(shape)))
    if expanded != shape:
        base = base.expand(expanded[: len(expanded) - len(base.event_shape)])
    missing = event_dim - len(base.event_shape)
    return Independent(base, missing) if missing > 0 else base


def shape_of(distribution: Distribution) -> Size:
    return Size((*distribution.batch_shape, *distribution.event_shape))
