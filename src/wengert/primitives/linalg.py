"""Inverses, determinants, systems of equations, Cholesky's factor.

All work on stacks of matrices, the last two dimensions. Rules are those of Giles, "An
extended collection of matrix derivative results" (2008), with adjoints for transposes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from .dims import Shape
from .fitting import sum_to
from .matmul import adjoint, matmul
from .op import fused
from .rearranging import tril, triu
from .reduction import sum_dim


class LinAlgError(RuntimeError):
    """A matrix has no inverse, or no factor of the kind wanted."""


def attempt(function: Callable[..., Any], what: str, *args: Any) -> Any:
    """Call a function of NumPy's, and say of which op it is that it fails."""
    try:
        return function(*args)
    except np.linalg.LinAlgError as error:
        reason = {
            "Singular matrix": "could not be completed because the input matrix is "
            "singular",
            "Matrix is not positive definite": "could not be completed because the "
            "input is not positive-definite",
        }.get(str(error), f"did not succeed: {error}")
        raise LinAlgError(f"{what}: The computation {reason}.") from None


def is_complex(value: Any) -> bool:
    """Whether the elements of an array of any layer are complex."""
    return bool(getattr(value.dtype, "numpy", value.dtype).kind == "c")


def scalars(value: Any) -> Any:
    """Give numbers, one for each matrix, two dimensions of size 1."""
    return value.reshape((*value.shape, 1, 1))


# --- inverse and systems of equations -------------------------------------------------

inv = fused(
    "linalg_inv",
    lambda self: attempt(np.linalg.inv, "linalg.inv", self),
    inputs=("self",),
    vjp_self=lambda grad, result: (
        -matmul(matmul(adjoint(result), grad), adjoint(result))
    ),
    grad_fn="LinalgInvExBackward0",
)


def solve_vjp_a(grad: Any, A: Any, result: Any) -> Any:
    found = -matmul(solve(adjoint(A), grad), adjoint(result))
    return sum_to(found, tuple(A.shape))


def solve_vjp_b(grad: Any, A: Any, B_shape: Shape) -> Any:
    return sum_to(solve(adjoint(A), grad), B_shape)


solve = fused(
    "linalg_solve",
    lambda A, B: attempt(np.linalg.solve, "linalg.solve", A, B),
    inputs=("A", "B"),
    vjp_A=solve_vjp_a,
    vjp_B=solve_vjp_b,
    grad_fn="LinalgSolveExBackward0",
)

# --- triangular systems ---------------------------------------------------------------


def triangular(matrix: ndarray, upper: bool, unitriangular: bool) -> ndarray:
    """Return the triangle that is read, with zeros elsewhere."""
    result = np.triu(matrix) if upper else np.tril(matrix)
    if unitriangular:
        places = np.arange(matrix.shape[-1])
        result[..., places, places] = 1
    return result


def _solve_triangular(
    A: ndarray, B: ndarray, *, upper: bool, unitriangular: bool
) -> ndarray:
    matrix = triangular(A, upper, unitriangular)
    try:
        return np.linalg.solve(matrix, B)
    except np.linalg.LinAlgError:
        return substituted(matrix, B, upper)


def substituted(matrix: ndarray, right: ndarray, upper: bool) -> ndarray:
    """Solve row by row: where the diagonal is zero the result is infinite, or NaN."""
    batch = np.broadcast_shapes(matrix.shape[:-2], right.shape[:-2])
    result = np.zeros((*batch, *right.shape[-2:]), right.dtype)
    n = matrix.shape[-1]
    for i in reversed(range(n)) if upper else range(n):
        known = np.matmul(matrix[..., i : i + 1, :], result)[..., 0, :]
        result[..., i, :] = (right[..., i, :] - known) / matrix[..., i, i, None]
    return result


def solve_triangular_vjp_a(
    grad: Any, A: Any, result: Any, upper: bool, unitriangular: bool
) -> Any:
    right = solve_triangular(
        adjoint(A), grad, upper=not upper, unitriangular=unitriangular
    )
    found = sum_to(-matmul(right, adjoint(result)), tuple(A.shape))
    if upper:
        return triu(found, diagonal=int(unitriangular))
    return tril(found, diagonal=-int(unitriangular))


def solve_triangular_vjp_b(
    grad: Any, A: Any, B_shape: Shape, upper: bool, unitriangular: bool
) -> Any:
    found = solve_triangular(
        adjoint(A), grad, upper=not upper, unitriangular=unitriangular
    )
    return sum_to(found, B_shape)


solve_triangular = fused(
    "linalg_solve_triangular",
    _solve_triangular,
    inputs=("A", "B"),
    vjp_A=solve_triangular_vjp_a,
    vjp_B=solve_triangular_vjp_b,
)


def times_inverse(left: Any, matrix: Any, *, upper: bool) -> Any:
    """Return the left matrix times the inverse of a triangular one."""
    return adjoint(
        solve_triangular(
            adjoint(matrix), adjoint(left), upper=not upper, unitriangular=False
        )
    )


# --- Cholesky's factor ----------------------------------------------------------------


def cholesky_vjp(grad: Any, result: Any) -> Any:
    inner = matmul(adjoint(result), grad)
    inner = (tril(inner, diagonal=0) + tril(inner, diagonal=-1)) / 2
    inner = (inner + adjoint(inner)) / 2
    outer = solve_triangular(adjoint(result), inner, upper=True, unitriangular=False)
    return times_inverse(outer, result, upper=False)


cholesky = fused(
    "linalg_cholesky",
    lambda self: attempt(np.linalg.cholesky, "linalg.cholesky", self),
    inputs=("self",),
    vjp_self=cholesky_vjp,
    grad_fn="LinalgCholeskyExBackward0",
)
"""The lower triangular factor; only the lower triangle of the matrix is read."""

# --- determinants ---------------------------------------------------------------------

TRUSTED = {"f": 1e3, "d": 1e8, "F": 1e3, "D": 1e8}
"""Up to this condition number the inverse serves to find cofactors, by the dtype."""


def _cofactors(self: ndarray) -> ndarray:
    if self.size == 0:
        return np.zeros_like(self)
    try:
        inverse = np.linalg.inv(self)
    except np.linalg.LinAlgError:
        return cofactors_by_svd(self)
    axes = (-2, -1)
    condition = np.linalg.norm(self, axis=axes) * np.linalg.norm(inverse, axis=axes)
    if not np.all(condition < TRUSTED[self.dtype.char]):
        return cofactors_by_svd(self)
    return np.linalg.det(self)[..., None, None] * inverse.swapaxes(-1, -2)


def cofactors_by_svd(matrix: ndarray) -> ndarray:
    """Return cofactors from singular values, of which any may be zero."""
    u, s, vh = np.linalg.svd(matrix)
    ones = np.ones_like(s[..., :1])
    before = np.cumprod(np.concatenate([ones, s[..., :-1]], -1), -1)
    after = np.cumprod(np.concatenate([ones, s[..., :0:-1]], -1), -1)[..., ::-1]
    sign = np.linalg.det(u) * np.linalg.det(vh)
    scaled = u.conj() * (before * after)[..., None, :]
    return (sign[..., None, None] * np.matmul(scaled, vh.conj())).astype(matrix.dtype)


def cofactors_vjp(grad: Any, self: Any, result: Any) -> Any:
    # The cofactors are C = det(A) W with W the transposed inverse, and
    # dC = tr(W.T dA) C - W dA.T C.
    inverse = inv(self).mT
    last = len(self.shape) - 1
    share = sum_dim(grad.conjugate() * result, dim=(last - 1, last), keepdim=True)
    return (
        share * inverse - matmul(result, matmul(adjoint(grad), inverse))
    ).conjugate()


cofactors = fused("cofactors", _cofactors, inputs=("self",), vjp_self=cofactors_vjp)
"""The derivatives of the determinant; there are such of singular matrices, too."""

det = fused(
    "linalg_det",
    np.linalg.det,
    inputs=("self",),
    vjp_self=lambda grad, self: scalars(grad) * cofactors(self).conjugate(),
)


def slogdet_vjp(grads: list[Any], self: Any, sign: Any) -> Any:
    of_sign, of_log = grads
    factor = of_log
    if of_sign is not None and is_complex(sign):
        turn = (of_sign * sign.conjugate()).imag * 1j
        factor = turn if factor is None else factor + turn
    if factor is None:
        return None
    return scalars(factor) * adjoint(inv(self))


slogdet = fused(
    "linalg_slogdet",
    lambda self: tuple(np.linalg.slogdet(self)),
    inputs=("self",),
    outputs=("sign", "logabsdet"),
    vjp_self=slogdet_vjp,
)
