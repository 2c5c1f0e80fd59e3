"""The normal distribution of vectors."""

from __future__ import annotations

from typing import Any, ClassVar

from ..ops.broadcasting import broadcast_shapes
from ..ops.cholesky import linalg_cholesky
from ..ops.creation import eye
from ..ops.random import randn
from ..ops.solving import solve_triangular
from ..tensor import Tensor
from . import constraints
from .distribution import Distribution, Shape
from .normal import LOG_ROOT_2_PI
from .utils import lazy_property

__all__ = ["MultivariateNormal"]


class MultivariateNormal(Distribution):
    """The normal distribution of vectors.

    Args:
        loc: the mean.
        covariance_matrix: the covariances.
        precision_matrix: the inverse of these, in place of them.
        scale_tril: a lower triangular L, whose product L Lᵀ they are, in place of them.

    >>> import wengert as torch
    >>> normal = torch.distributions.MultivariateNormal(torch.zeros(2), torch.eye(2))
    >>> normal.log_prob(torch.zeros(2))
    tensor(-1.8379)
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True
    _parameters = ("loc", "covariance_matrix", "precision_matrix", "scale_tril")

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        name, matrix = the_matrix(
            covariance_matrix=covariance_matrix,
            precision_matrix=precision_matrix,
            scale_tril=scale_tril,
        )
        batch_shape = broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        self.loc = loc.expand(*batch_shape, -1)
        setattr(self, name, matrix.expand(*batch_shape, -1, -1))
        super().__init__(batch_shape, self.loc.shape[-1:], validate_args)
        self._unbroadcasted_scale_tril = FACTORS[name](matrix)

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The lower triangular factor of the covariances."""
        return self._expanded_matrix(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariances."""
        factor = self._unbroadcasted_scale_tril
        return self._expanded_matrix(factor @ factor.mT)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariances."""
        factor = self._unbroadcasted_scale_tril
        return self._expanded_matrix(factor.cholesky_inverse())

    def _expanded_matrix(self, matrix: Tensor) -> Tensor:
        return matrix.expand(*self._batch_shape, *self._event_shape, -1)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        rows = self._unbroadcasted_scale_tril.pow(2).sum(-1)
        return rows.expand(self._batch_shape + self._event_shape)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        noise = randn(self._extended_shape(sample_shape), dtype=self.loc.dtype)
        turned = self._unbroadcasted_scale_tril @ noise.unsqueeze(-1)
        return self.loc + turned.squeeze(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        factor = self._unbroadcasted_scale_tril
        distance = squared_distance(factor, value - self.loc)
        volume = log_determinant(factor)
        return -distance / 2 - volume - self._event_shape[0] * LOG_ROOT_2_PI

    def entropy(self) -> Tensor:
        constant = self._event_shape[0] * (0.5 + LOG_ROOT_2_PI)
        entropy = log_determinant(self._unbroadcasted_scale_tril) + constant
        return entropy.expand(self._batch_shape)


def the_matrix(**matrices: Tensor | None) -> tuple[str, Tensor]:
    """Return the one matrix that is given, after its name."""
    given = [(name, m) for name, m in matrices.items() if m is not None]
    if len(given) != 1:
        raise ValueError(
            "Exactly one of covariance_matrix or precision_matrix or scale_tril may be "
            "specified."
        )
    name, matrix = given[0]
    if matrix.dim() < 2:
        kind = "matrix " if name == "scale_tril" else ""
        raise ValueError(
            f"{name} {kind}must be at least two-dimensional, with optional leading "
            "batch dimensions"
        )
    return name, matrix


def factor_of_inverse(precision: Tensor) -> Tensor:
    """Return the Cholesky factor of the inverse of a matrix.

    With rows and columns in reverse order, the factor of the matrix is an upper one,
    and the inverse of that, transposed, is the lower factor of the inverse.
    """
    upper = linalg_cholesky(precision.flip(-2, -1)).flip(-2, -1)
    identity = eye(precision.shape[-1], dtype=precision.dtype)
    return solve_triangular(upper.mT, identity, upper=False)


FACTORS: dict[str, Any] = {
    "covariance_matrix": linalg_cholesky,
    "precision_matrix": factor_of_inverse,
    "scale_tril": lambda factor: factor,
}
"""How the lower triangular factor of the covariances is found."""


def log_determinant(factor: Tensor) -> Tensor:
    """Return the logarithm of the determinant of a triangular matrix."""
    return factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def squared_distance(factor: Tensor, difference: Tensor) -> Tensor:
    """Return the squared distance with L Lᵀ for a unit: |L⁻¹ x|²."""
    column = difference.unsqueeze(-1)
    return solve_triangular(factor, column, upper=False).pow(2).sum((-2, -1))
