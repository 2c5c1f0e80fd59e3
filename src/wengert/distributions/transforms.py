"""Invertible functions of samples, and how much they stretch.

>>> import wengert as torch
>>> from wengert.distributions.transforms import AffineTransform, ExpTransform
>>> double = AffineTransform(loc=0.0, scale=2.0)
>>> double(torch.tensor(3.0)), double.inv(torch.tensor(6.0))
(tensor(6.), tensor(3.))
>>> ExpTransform().log_abs_det_jacobian(torch.tensor(3.0), torch.tensor(20.0855))
tensor(3.)
"""

from __future__ import annotations

import math
from numbers import Number
from typing import Any

from ..limits import finfo
from ..ops.activation import softplus
from ..ops.broadcasting import broadcast_shapes
from ..ops.creation import full_like
from ..tensor import Tensor
from . import constraints
from .transform import (
    ComposeTransform,
    IndependentTransform,
    Transform,
    identity_transform,
    more_dims,
)
from .utils import broadcast_all, summed_right

__all__ = [
    "AbsTransform",
    "AffineTransform",
    "ComposeTransform",
    "ExpTransform",
    "IndependentTransform",
    "PowerTransform",
    "SigmoidTransform",
    "SoftplusTransform",
    "TanhTransform",
    "Transform",
    "identity_transform",
]


class _Fixed(Transform):
    """A transform without parameters: all of a class are the same."""

    domain: Any = constraints.real
    bijective: Any = True
    sign: Any = 1

    def with_cache(self, cache_size: int = 1) -> Transform:
        return type(self)(cache_size)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    __hash__ = object.__hash__


class ExpTransform(_Fixed):
    """y = exp(x)."""

    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return x.exp()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x


class SoftplusTransform(_Fixed):
    """y = log(1 + exp(x))."""

    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return softplus(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return (-y).expm1().neg().log() + y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -softplus(-x)


class SigmoidTransform(_Fixed):
    """y = 1 / (1 + exp(-x)), and neither 0 nor 1, to which it would be rounded."""

    codomain = constraints.unit_interval

    def _call(self, x: Tensor) -> Tensor:
        return inside_unit(x.sigmoid())

    def _inverse(self, y: Tensor) -> Tensor:
        y = inside_unit(y)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -softplus(-x) - softplus(x)


def inside_unit(value: Tensor) -> Tensor:
    limits = finfo(value.dtype)
    return value.clamp(min=limits.tiny, max=1 - limits.eps)


class TanhTransform(_Fixed):
    """y = tanh(x)."""

    codomain = constraints.interval(-1.0, 1.0)

    def _call(self, x: Tensor) -> Tensor:
        return x.tanh()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        # log(1 - tanh²(x)), without cancellation
        return 2 * (math.log(2) - x - softplus(-2 * x))


class AbsTransform(_Fixed):
    """y = |x|, whose inverse is taken to be the positive one."""

    codomain = constraints.positive
    bijective = False
    sign = Transform.sign

    def _call(self, x: Tensor) -> Tensor:
        return x.abs()

    def _inverse(self, y: Tensor) -> Tensor:
        return y


class AffineTransform(Transform):
    """y = loc + scale x.

    Args:
        loc: a tensor or number.
        scale: a tensor or number.
        event_dim: how many of the last dimensions are those of one event.
        cache_size: as of any transform.

    >>> import wengert as torch
    >>> AffineTransform(1.0, 2.0)(torch.tensor(3.0))
    tensor(7.)
    """

    bijective = True

    def __init__(
        self, loc: Any, scale: Any, event_dim: int = 0, cache_size: int = 0
    ) -> None:
        super().__init__(cache_size)
        self.loc = loc
        self.scale = scale
        self._event_dim = event_dim

    @property
    def event_dim(self) -> int:
        """How many dimensions an event has."""
        return self._event_dim

    def with_cache(self, cache_size: int = 1) -> Transform:
        return AffineTransform(self.loc, self.scale, self.event_dim, cache_size)

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        return more_dims(constraints.real, self.event_dim)

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> Any:
        return more_dims(constraints.real, self.event_dim)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, AffineTransform)
            and equal(self.loc, other.loc)
            and equal(self.scale, other.scale)
        )

    __hash__ = object.__hash__

    @property
    def sign(self) -> Any:
        if isinstance(self.scale, Tensor):
            return self.scale.sign()
        return (self.scale > 0) - (self.scale < 0)

    def _call(self, x: Tensor) -> Tensor:
        return self.loc + self.scale * x

    def _inverse(self, y: Tensor) -> Tensor:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        if isinstance(self.scale, Tensor):
            stretch = self.scale.abs().log()
        else:
            stretch = full_like(x, math.log(abs(self.scale)))
        shape = broadcast_shapes(stretch.shape, x.shape)
        return summed_right(stretch.expand(shape), self.event_dim)

    def forward_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return broadcast_shapes(shape, shape_of(self.loc), shape_of(self.scale))

    inverse_shape = forward_shape


class PowerTransform(Transform):
    """y = x to a power, of positive numbers.

    >>> import wengert as torch
    >>> PowerTransform(2.0)(torch.tensor(3.0))
    tensor(9.)
    """

    domain = constraints.positive
    codomain = constraints.positive
    bijective = True

    def __init__(self, exponent: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        (self.exponent,) = broadcast_all(exponent)

    def with_cache(self, cache_size: int = 1) -> Transform:
        return PowerTransform(self.exponent, cache_size)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PowerTransform) and equal(
            self.exponent, other.exponent
        )

    __hash__ = object.__hash__

    @property
    def sign(self) -> Any:
        return self.exponent.sign()

    def _call(self, x: Tensor) -> Tensor:
        return x.pow(self.exponent)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.pow(1 / self.exponent)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return (self.exponent * y / x).abs().log()

    def forward_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return broadcast_shapes(shape, shape_of(self.exponent))

    inverse_shape = forward_shape


def equal(one: Any, other: Any) -> bool:
    """Whether two parameters, tensors or numbers, are the same."""
    if isinstance(one, Number) or isinstance(other, Number):
        return bool(one == other) if isinstance(one, type(other)) else False
    return bool((one == other).all())


def shape_of(parameter: Any) -> tuple[int, ...]:
    return tuple(getattr(parameter, "shape", ()))
