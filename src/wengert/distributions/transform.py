"""What all transforms have in common, their inverses and compositions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..ops.creation import full_like
from ..tensor import Tensor
from . import constraints
from .utils import summed_right


class Transform:
    """A function from a domain to a codomain, with the logarithm of its Jacobian.

    A subclass writes ``_call``, ``_inverse`` and ``log_abs_det_jacobian``.

    Args:
        cache_size: 1 to remember the last value and its image, so that the inverse of
            that is exact.

    Attributes:
        domain: the constraint of values.
        codomain: the constraint of their images.
        bijective: whether no two values have the same image.
        sign: 1 if it increases, -1 if it decreases.
    """

    domain: Any
    codomain: Any
    bijective: Any = False

    def __init__(self, cache_size: int = 0) -> None:
        if cache_size not in (0, 1):
            raise ValueError("cache_size must be 0 or 1")
        self._cache_size = cache_size
        self._cached: tuple[Any, Any] = None, None

    @property
    def sign(self) -> Any:
        raise NotImplementedError

    @property
    def inv(self) -> Transform:
        """The inverse."""
        return _InverseTransform(self)

    def with_cache(self, cache_size: int = 1) -> Transform:
        """Return the same transform with a cache of this size."""
        if cache_size == self._cache_size:
            return self
        raise NotImplementedError(f"{type(self)}.with_cache is not implemented")

    def __call__(self, x: Tensor) -> Tensor:
        """Return the image of values."""
        if self._cache_size == 0:
            return self._call(x)
        before, after = self._cached
        if x is not before:
            after = self._call(x)
            self._cached = x, after
        return after

    def _inv_call(self, y: Tensor) -> Tensor:
        """Return the values of which these are the images."""
        if self._cache_size == 0:
            return self._inverse(y)
        before, after = self._cached
        if y is not after:
            before = self._inverse(y)
            self._cached = before, y
        return before

    def _call(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _inverse(self, y: Tensor) -> Tensor:
        raise NotImplementedError

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Return log |dy/dx| for values and their images."""
        raise NotImplementedError

    def forward_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the images of values of a shape."""
        return shape

    def inverse_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of values whose images have a shape."""
        return shape

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class _InverseTransform(Transform):
    """The inverse of a transform."""

    def __init__(self, transform: Transform) -> None:
        super().__init__()
        self._inv = transform

    @constraints.dependent_property
    def domain(self) -> Any:
        return self._inv.codomain

    @constraints.dependent_property
    def codomain(self) -> Any:
        return self._inv.domain

    @property
    def bijective(self) -> Any:
        return self._inv.bijective

    @property
    def sign(self) -> Any:
        return self._inv.sign

    @property
    def inv(self) -> Transform:
        return self._inv

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self._inv.with_cache(cache_size).inv

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _InverseTransform) and self._inv == other._inv

    __hash__ = object.__hash__

    def __call__(self, x: Tensor) -> Tensor:
        return self._inv._inv_call(x)

    def _inv_call(self, y: Tensor) -> Tensor:
        return self._inv(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -self._inv.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return self._inv.inverse_shape(shape)

    def inverse_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return self._inv.forward_shape(shape)

    def __repr__(self) -> str:
        return f"_InverseTransform({self._inv!r})"


class ComposeTransform(Transform):
    """Transforms, one after the other.

    >>> from wengert.distributions import AffineTransform, ExpTransform
    >>> ComposeTransform([ExpTransform(), AffineTransform(0.0, 2.0)])
    ComposeTransform(
        ExpTransform(),
        AffineTransform()
    )
    """

    def __init__(self, parts: Sequence[Transform], cache_size: int = 0) -> None:
        super().__init__(cache_size)
        if cache_size:
            parts = [part.with_cache(cache_size) for part in parts]
        self.parts = list(parts)

    def with_cache(self, cache_size: int = 1) -> Transform:
        return ComposeTransform(self.parts, cache_size)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ComposeTransform) and self.parts == other.parts

    __hash__ = object.__hash__

    @constraints.dependent_property
    def domain(self) -> Any:
        if not self.parts:
            return constraints.real
        pairs = [
            (part.domain.event_dim, part.codomain.event_dim) for part in self.parts
        ]
        event_dim = pairs[-1][0]
        for before, after in pairs[::-1]:
            event_dim = max(event_dim + before - after, before)
        return more_dims(self.parts[0].domain, event_dim)

    @constraints.dependent_property
    def codomain(self) -> Any:
        if not self.parts:
            return constraints.real
        pairs = [
            (part.domain.event_dim, part.codomain.event_dim) for part in self.parts
        ]
        event_dim = pairs[0][1]
        for before, after in pairs:
            event_dim = max(event_dim + after - before, after)
        return more_dims(self.parts[-1].codomain, event_dim)

    @property
    def bijective(self) -> bool:
        return all(part.bijective for part in self.parts)

    @property
    def sign(self) -> Any:
        return math.prod([part.sign for part in self.parts])

    @property
    def inv(self) -> Transform:
        return ComposeTransform([part.inv for part in reversed(self.parts)])

    def __call__(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        return x

    def _inv_call(self, y: Tensor) -> Tensor:
        for part in reversed(self.parts):
            y = part._inv_call(y)
        return y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        event_dim = self.domain.event_dim
        result: Any = 0
        for part in self.parts:
            image = part(x)
            own = part.log_abs_det_jacobian(x, image)
            result = result + summed_right(own, event_dim - part.domain.event_dim)
            event_dim += part.codomain.event_dim - part.domain.event_dim
            x = image
        return result if self.parts else full_like(x, 0)

    def forward_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        for part in self.parts:
            shape = part.forward_shape(shape)
        return shape

    def inverse_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        for part in reversed(self.parts):
            shape = part.inverse_shape(shape)
        return shape

    def __repr__(self) -> str:
        parts = ",\n    ".join([repr(part) for part in self.parts])
        return f"ComposeTransform(\n    {parts}\n)"


def more_dims(constraint: Any, event_dim: int) -> Any:
    """Return a constraint of values with so many dimensions."""
    missing = event_dim - constraint.event_dim
    return constraints.independent(constraint, missing) if missing else constraint


identity_transform = ComposeTransform([])


class IndependentTransform(Transform):
    """A transform whose last dimensions are taken as those of one event.

    Args:
        base_transform: the transform.
        reinterpreted_batch_ndims: how many dimensions.
        cache_size: as of any transform.

    >>> import wengert as torch
    >>> from wengert.distributions import ExpTransform
    >>> vectors = IndependentTransform(ExpTransform(), 1)
    >>> vectors.log_abs_det_jacobian(torch.ones(2, 3), torch.ones(2, 3).exp())
    tensor([3., 3.])
    """

    def __init__(
        self,
        base_transform: Transform,
        reinterpreted_batch_ndims: int,
        cache_size: int = 0,
    ) -> None:
        super().__init__(cache_size)
        if cache_size:
            base_transform = base_transform.with_cache(cache_size)
        self.base_transform = base_transform
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    def with_cache(self, cache_size: int = 1) -> Transform:
        count = self.reinterpreted_batch_ndims
        return IndependentTransform(self.base_transform, count, cache_size)

    @constraints.dependent_property
    def domain(self) -> Any:
        inner = self.base_transform.domain
        return constraints.independent(inner, self.reinterpreted_batch_ndims)

    @constraints.dependent_property
    def codomain(self) -> Any:
        inner = self.base_transform.codomain
        return constraints.independent(inner, self.reinterpreted_batch_ndims)

    @property
    def bijective(self) -> Any:
        return self.base_transform.bijective

    @property
    def sign(self) -> Any:
        return self.base_transform.sign

    def __call__(self, x: Tensor) -> Tensor:
        return self.base_transform(x)

    def _inv_call(self, y: Tensor) -> Tensor:
        return self.base_transform._inv_call(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        each = self.base_transform.log_abs_det_jacobian(x, y)
        return summed_right(each, self.reinterpreted_batch_ndims)

    def forward_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return self.base_transform.forward_shape(shape)

    def inverse_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return self.base_transform.inverse_shape(shape)

    def __repr__(self) -> str:
        inner = f"{self.base_transform!r}, {self.reinterpreted_batch_ndims}"
        return f"IndependentTransform({inner})"
