"""Constraints: which values a parameter, or a sample, can have.

>>> import wengert as torch
>>> from wengert.distributions import constraints
>>> constraints.positive
GreaterThan(lower_bound=0.0)
>>> constraints.positive.check(torch.tensor([1.0, -1.0]))
tensor([ True, False])
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Number
from typing import Any

from ..dtypes import bool_
from ..limits import finfo
from ..ops.cholesky import cholesky_ex
from ..ops.creation import full
from ..ops.decompositions import eigvalsh
from ..tensor import Tensor

__all__ = [
    "Constraint",
    "boolean",
    "corr_cholesky",
    "dependent",
    "dependent_property",
    "greater_than",
    "greater_than_eq",
    "half_open_interval",
    "independent",
    "integer_interval",
    "interval",
    "is_dependent",
    "less_than",
    "lower_cholesky",
    "lower_triangular",
    "multinomial",
    "nonnegative",
    "nonnegative_integer",
    "one_hot",
    "positive",
    "positive_definite",
    "positive_integer",
    "positive_semidefinite",
    "real",
    "real_vector",
    "simplex",
    "square",
    "symmetric",
    "unit_interval",
]


class Constraint:
    """A region of values.

    Attributes:
        is_discrete: whether the values are isolated.
        event_dim: how many dimensions one value has.
        takes_arrays: whether `check` can be given NumPy arrays, too, which is quicker.
    """

    is_discrete: Any = False
    event_dim: Any = 0
    takes_arrays: Any = False

    def check(self, value: Tensor) -> Tensor:
        """Return for each value, of ``event_dim`` dimensions, whether it is inside."""
        raise NotImplementedError

    def __repr__(self) -> str:
        bounds = ", ".join(f"{name}={bound}" for name, bound in vars(self).items())
        return f"{type(self).__name__}({bounds})"


class Shared(Constraint):
    """A constraint whose check uses what tensors and arrays have in common."""

    @property
    def takes_arrays(self) -> bool:
        """Whether bounds are no tensors."""
        return all([isinstance(bound, Number) for bound in vars(self).values()])


# --- that depend on others ------------------------------------------------------------


class Dependent(Constraint):
    """What can be said only when the values of other parameters are known.

    Args:
        is_discrete: as of a constraint, None if that depends, too.
        event_dim: the same.
    """

    def __init__(
        self, *, is_discrete: bool | None = None, event_dim: int | None = None
    ) -> None:
        self._is_discrete = is_discrete
        self._event_dim = event_dim

    @property
    def is_discrete(self) -> bool:
        return known("is_discrete", self._is_discrete)

    @property
    def event_dim(self) -> int:
        return known("event_dim", self._event_dim)

    def check(self, value: Tensor) -> Tensor:
        raise ValueError("Cannot determine validity of dependent constraint")

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def known(name: str, value: Any) -> Any:
    if value is None:
        raise NotImplementedError(f".{name} cannot be determined statically")
    return value


class DependentProperty(property, Dependent):
    """A property of a distribution that is a constraint.

    >>> from wengert.distributions import Uniform
    >>> Uniform.support, Uniform(0.0, 1.0).support
    (DependentProperty(), Interval(lower_bound=0.0, upper_bound=1.0))
    """

    def __init__(
        self,
        fn: Callable[..., Any] | None = None,
        *,
        is_discrete: bool | None = None,
        event_dim: int | None = None,
    ) -> None:
        property.__init__(self, fn)
        Dependent.__init__(self, is_discrete=is_discrete, event_dim=event_dim)

    def __call__(self, fn: Callable[..., Any]) -> DependentProperty:
        """Decorate the method that returns the constraint."""
        return DependentProperty(
            fn, is_discrete=self._is_discrete, event_dim=self._event_dim
        )


def is_dependent(constraint: Any) -> bool:
    """Whether the constraint is known only together with other parameters."""
    return isinstance(constraint, Dependent)


# --- of numbers -----------------------------------------------------------------------


class Real(Shared):
    """All numbers, infinite ones too, but not NaN."""

    def check(self, value: Tensor) -> Tensor:
        return value == value  # false for NaN alone


class Boolean(Shared):
    """0 and 1."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value == 0) | (value == 1)


class GreaterThan(Shared):
    """Numbers above a bound."""

    def __init__(self, lower_bound: Any) -> None:
        self.lower_bound = lower_bound

    def check(self, value: Tensor) -> Tensor:
        return value > self.lower_bound


class GreaterThanEq(GreaterThan):
    """Numbers from a bound on."""

    def check(self, value: Tensor) -> Tensor:
        return value >= self.lower_bound


class LessThan(Shared):
    """Numbers below a bound."""

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Tensor) -> Tensor:
        return value < self.upper_bound


class Interval(Shared):
    """Numbers between two bounds, which belong to it."""

    def __init__(self, lower_bound: Any, upper_bound: Any) -> None:
        self.lower_bound = lower_bound
        self.upper_bound = upper_bound

    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value <= self.upper_bound)


class HalfOpenInterval(Interval):
    """Numbers from a bound up to another, which does not belong to it."""

    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value < self.upper_bound)


class IntegerInterval(Interval):
    """Integers between two bounds, which belong to it."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value % 1 == 0) & super().check(value)


class IntegerGreaterThan(GreaterThan):
    """Integers from a bound on: from it, in spite of the name, which is PyTorch's."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value % 1 == 0) & (value >= self.lower_bound)


# --- of vectors -----------------------------------------------------------------------


class IndependentConstraint(Constraint):
    """Several values, each inside a constraint.

    Args:
        base_constraint: the constraint of each.
        reinterpreted_batch_ndims: how many dimensions they are arranged in.

    >>> import wengert as torch
    >>> vector = independent(real, 1)
    >>> vector.check(torch.tensor([[1.0, 2.0], [1.0, torch.nan]]))
    tensor([ True, False])
    """

    def __init__(
        self, base_constraint: Constraint, reinterpreted_batch_ndims: int
    ) -> None:
        self.base_constraint = base_constraint
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    @property
    def is_discrete(self) -> bool:
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> int:
        return self.base_constraint.event_dim + self.reinterpreted_batch_ndims

    def check(self, value: Tensor) -> Tensor:
        inside = self.base_constraint.check(value)
        count = self.reinterpreted_batch_ndims
        if inside.ndim < count:
            wanted = self.base_constraint.event_dim + count
            raise ValueError(f"Expected value.dim() >= {wanted} but got {value.ndim}")
        for _ in range(count):
            inside = inside.all(-1)
        return inside

    @property
    def takes_arrays(self) -> bool:
        return self.base_constraint.takes_arrays

    def __repr__(self) -> str:
        inner = f"{self.base_constraint!r}, {self.reinterpreted_batch_ndims}"
        return f"{type(self).__name__}({inner})"


class Simplex(Shared):
    """Vectors of numbers from 0 on, whose sum is 1."""

    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & (abs(value.sum(-1) - 1) < 1e-6)


class OneHot(Shared):
    """Vectors with one 1, the rest being 0."""

    is_discrete = True
    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return boolean.check(value).all(-1) & (value.sum(-1) == 1)


class Multinomial(Shared):
    """Vectors of numbers from 0 on, whose sum is not above a bound."""

    is_discrete = True
    event_dim = 1

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & (value.sum(-1) <= self.upper_bound)

    def __repr__(self) -> str:
        return "Multinomial()"


# --- of matrices ----------------------------------------------------------------------


class Square(Constraint):
    """Matrices with as many rows as columns."""

    event_dim = 2

    def check(self, value: Tensor) -> Tensor:
        return full(value.shape[:-2], is_square(value), dtype=bool_)


def is_square(matrix: Tensor) -> bool:
    return matrix.shape[-1] == matrix.shape[-2]


class Symmetric(Square):
    """Matrices that are equal to their transpose, nearly."""

    def check(self, value: Tensor) -> Tensor:
        if not is_square(value):
            return super().check(value)
        return every_entry(value.isclose(value.mT, atol=1e-6))


class PositiveSemidefinite(Symmetric):
    """Symmetric matrices with eigenvalues from 0 on."""

    def check(self, value: Tensor) -> Tensor:
        symmetric = super().check(value)
        if not is_square(value):
            return symmetric
        return symmetric & (eigvalsh(value) >= 0).all(-1)


class PositiveDefinite(Symmetric):
    """Symmetric matrices with eigenvalues above 0."""

    def check(self, value: Tensor) -> Tensor:
        symmetric = super().check(value)
        if not is_square(value):
            return symmetric
        return symmetric & (cholesky_ex(value).info == 0)


class LowerTriangular(Constraint):
    """Matrices with zeros above the diagonal."""

    event_dim = 2

    def check(self, value: Tensor) -> Tensor:
        return every_entry(value.tril() == value)


class LowerCholesky(LowerTriangular):
    """Lower triangular matrices with a positive diagonal."""

    def check(self, value: Tensor) -> Tensor:
        positive_diagonal = (value.diagonal(dim1=-2, dim2=-1) > 0).all(-1)
        return super().check(value) & positive_diagonal


class CorrCholesky(LowerCholesky):
    """The Cholesky factors of correlation matrices: their rows have norm 1."""

    def check(self, value: Tensor) -> Tensor:
        tolerance = 10 * value.shape[-1] * finfo(value.dtype).eps
        unit = (value.square().sum(-1) - 1).abs() <= tolerance
        return super().check(value) & unit.all(-1)


def every_entry(condition: Tensor) -> Tensor:
    """Whether a condition holds for all entries of each matrix."""
    return condition.flatten(-2).all(-1)


# --- by PyTorch's names ---------------------------------------------------------------

dependent_property = DependentProperty
independent = IndependentConstraint
multinomial = Multinomial
greater_than = GreaterThan
greater_than_eq = GreaterThanEq
less_than = LessThan
interval = Interval
half_open_interval = HalfOpenInterval
integer_interval = IntegerInterval

dependent = Dependent()
real = Real()
real_vector = IndependentConstraint(real, 1)
boolean = Boolean()
positive = GreaterThan(0.0)
nonnegative = GreaterThanEq(0.0)
unit_interval = Interval(0.0, 1.0)
nonnegative_integer = IntegerGreaterThan(0)
positive_integer = IntegerGreaterThan(1)
simplex = Simplex()
one_hot = OneHot()
square = Square()
symmetric = Symmetric()
positive_semidefinite = PositiveSemidefinite()
positive_definite = PositiveDefinite()
lower_triangular = LowerTriangular()
lower_cholesky = LowerCholesky()
corr_cholesky = CorrCholesky()
