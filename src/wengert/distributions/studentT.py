"""Student's t-distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ..ops.random import randn
from ..tensor import Tensor
from . import constraints
from .chi2 import Chi2
from .distribution import Distribution, Shape
from .utils import broadcast_all

__all__ = ["StudentT"]


class StudentT(Distribution):
    """Student's t-distribution: a normal number by the root of a chi-squared one.

    Args:
        df: the degrees of freedom; the fewer they are, the heavier the tails.
        loc: the median.
        scale: how far the numbers are scattered.

    >>> import wengert as torch
    >>> student = torch.distributions.StudentT(torch.tensor([1.0, 2.0, 3.0]))
    >>> student.mean, student.variance
    (tensor([nan, 0., 0.]), tensor([nan, inf, 3.]))
    """

    arg_constraints: ClassVar[Any] = {
        "df": constraints.positive,
        "loc": constraints.real,
        "scale": constraints.positive,
    }
    support = constraints.real
    has_rsample = True
    _parameters = ("df", "loc", "scale")

    def __init__(
        self,
        df: Any,
        loc: Any = 0.0,
        scale: Any = 1.0,
        validate_args: bool | None = None,
    ) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        super().__init__(self.df.size(), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc.masked_fill(self.df <= 1, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        enough = self.scale.pow(2) * self.df / (self.df - 2)
        few = enough.masked_fill(self.df <= 2, math.inf)
        return few.masked_fill(self.df <= 1, math.nan)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        normal = randn(shape, dtype=self.df.dtype)
        squares = Chi2(self.df, validate_args=False).rsample(sample_shape)
        return self.loc + self.scale * normal * (squares / self.df).rsqrt()

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        square = ((value - self.loc) / self.scale).pow(2)
        tails = (self.df + 1) / 2 * (square / self.df).log1p()
        return -tails - self.scale.log() - self._log_beta() - self.df.log() / 2

    def _log_beta(self) -> Tensor:
        """The logarithm of the beta function of 1/2 and df/2."""
        half = self.df / 2
        return math.log(math.pi) / 2 + half.lgamma() - (half + 0.5).lgamma()

    def entropy(self) -> Tensor:
        half = self.df / 2
        tails = (half + 0.5) * ((half + 0.5).digamma() - half.digamma())
        return self.scale.log() + tails + self.df.log() / 2 + self._log_beta()
