"""The Gumbel distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from ..dtypes import get_default_dtype
from ..limits import finfo
from ..ops.creation import full_like
from ..tensor import Tensor
from . import constraints
from .distribution import Shape
from .transformed_distribution import TransformedDistribution
from .transforms import AffineTransform, ExpTransform
from .uniform import Uniform
from .utils import broadcast_all

__all__ = ["Gumbel"]


class Gumbel(TransformedDistribution):
    """Gumbel's distribution, of the largest of many numbers.

    Args:
        loc: the mode.
        scale: how far the numbers are scattered.

    >>> import wengert as torch
    >>> torch.distributions.Gumbel(torch.tensor(0.0), 1.0).mean
    tensor(0.5772)
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real,
        "scale": constraints.positive,
    }
    support: Any = constraints.real
    _parameters = ("loc", "scale")

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        numbers = not (isinstance(loc, Tensor) or isinstance(scale, Tensor))
        limits = finfo(get_default_dtype() if numbers else self.loc.dtype)
        low = full_like(self.loc, limits.tiny)
        base = Uniform(low, full_like(self.loc, 1 - limits.eps), validate_args)
        # loc - scale log(-log u)
        transforms = [
            ExpTransform().inv,
            AffineTransform(0, -full_like(self.scale, 1)),
            ExpTransform().inv,
            AffineTransform(self.loc, -self.scale),
        ]
        super().__init__(base, transforms, validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._to_expand(_instance)
        loc, scale = self.loc.expand(batch_shape), self.scale.expand(batch_shape)
        Gumbel.__init__(new, loc, scale, False)
        new._validate_args = self._validate_args
        return new

    @property
    def mean(self) -> Tensor:
        return self.loc + self.scale * np.euler_gamma

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return (math.pi / math.sqrt(6)) * self.scale

    @property
    def variance(self) -> Tensor:
        return self.stddev.pow(2)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        distance = (self.loc - value) / self.scale
        return (distance - distance.exp()) - self.scale.log()

    def entropy(self) -> Tensor:
        return self.scale.log() + (1 + np.euler_gamma)
