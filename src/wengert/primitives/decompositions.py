"""Decompositions of matrices: QR, LU, eigenvalues, singular values.

Rules are those of Walter and Lehmann (QR), Giles (eigenvalues) and Townsend (singular
values), for stacks of matrices, with the terms that complex numbers need. Where
eigenvalues or singular values are equal, their vectors have no derivative, and the
result is not finite.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy import ndarray

from ..errors import Unsupported
from .elementwise import add
from .joining import cat
from .linalg import (
    attempt,
    is_complex,
    solve,
    solve_triangular,
    times_inverse,
)
from .matmul import adjoint, matmul
from .op import fused, nondifferentiable
from .rearranging import diag_embed, tril, triu
from .selection import masked, where
from .strided import diagonal

# --- parts of matrices ----------------------------------------------------------------


def diagonal_of(matrix: Any) -> Any:
    ndim = len(matrix.shape)
    return diagonal(matrix, offset=0, dim1=ndim - 2, dim2=ndim - 1)


def diagonal_matrix(vector: Any) -> Any:
    ndim = len(vector.shape)
    return diag_embed(vector, offset=0, dim1=ndim - 1, dim2=ndim)


def column(vector: Any) -> Any:
    return vector.reshape((*vector.shape, 1))


def row(vector: Any) -> Any:
    return vector.reshape((*vector.shape[:-1], 1, vector.shape[-1]))


def total(*terms: Any) -> Any:
    """Return the sum of the terms that are not None."""
    found = None
    for term in terms:
        if term is not None:
            found = term if found is None else found + term
    return found


def over_differences(matrix: Any, values: Any) -> Any:
    """Divide a matrix by values[j] - values[i]; its diagonal becomes zero."""
    outside = ~np.eye(values.shape[-1], dtype=bool)
    differences = where(outside, row(values) - column(values), 1.0)
    return masked(matrix / differences, outside)


def numpy_dtype(value: Any) -> np.dtype[Any]:
    """Return the NumPy dtype of an array of any layer."""
    dtype: np.dtype[Any] = getattr(value.dtype, "numpy", value.dtype)
    return dtype


# --- eigenvalues ----------------------------------------------------------------------


def eigh_vjp(grads: list[Any], eigenvalues: Any, eigenvectors: Any) -> Any:
    of_values, of_vectors = grads
    left = None if of_values is None else eigenvectors * row(of_values)
    if of_vectors is not None:
        turn = matmul(adjoint(eigenvectors), of_vectors)
        inner = over_differences(turn, eigenvalues)
        left = total(left, matmul(eigenvectors, inner))
    return matmul(left, adjoint(eigenvectors))


eigh = fused(
    "linalg_eigh",
    lambda self, *, UPLO: tuple(attempt(np.linalg.eigh, "linalg.eigh", self, UPLO)),
    inputs=("self",),
    outputs=("eigenvalues", "eigenvectors"),
    vjp_self=eigh_vjp,
)


def _eig(self: ndarray) -> tuple[ndarray, ndarray]:
    values, vectors = attempt(np.linalg.eig, "linalg.eig", self)
    dtype = np.result_type(self.dtype, np.complex64)
    return values.astype(dtype, copy=False), vectors.astype(dtype, copy=False)


def eig_vjp(grads: list[Any], eigenvalues: Any, eigenvectors: Any) -> Any:
    of_values, of_vectors = grads
    inner = None
    if of_values is not None:
        inner = diagonal_matrix(of_values)
    if of_vectors is not None:
        # The vectors have length 1, so that along themselves they only turn.
        turn = matmul(adjoint(eigenvectors), of_vectors)
        lengths = matmul(adjoint(eigenvectors), eigenvectors)
        turn = turn - lengths * row(diagonal_of(turn).real)
        inner = total(inner, over_differences(turn, eigenvalues.conjugate()))
    return solve(adjoint(eigenvectors), matmul(inner, adjoint(eigenvectors)))


eig = fused(
    "linalg_eig",
    _eig,
    inputs=("self",),
    outputs=("eigenvalues", "eigenvectors"),
    vjp_self=eig_vjp,
)

# --- singular values ------------------------------------------------------------------


def _svd(self: ndarray, *, full_matrices: bool) -> tuple[ndarray, ndarray, ndarray]:
    u, s, vh = attempt(np.linalg.svd, "linalg.svd", self, full_matrices)
    return u, s, vh


def _check_absent(self: ndarray) -> bool:
    if self.any():
        raise Unsupported(
            "the singular vectors that full_matrices=True adds have no derivative: use "
            "torch.linalg.svd with full_matrices=False"
        )
    return True


check_absent = nondifferentiable("check_absent", _check_absent)


def svd_vjp(
    grads: list[Any], U: Any, S: Any, Vh: Any, full_matrices: bool, self_shape: Any
) -> Any:
    of_u, of_s, of_vh = grads
    m, n = self_shape[-2:]
    k = min(m, n)
    if full_matrices and m != n:
        U, Vh = U[..., :k], Vh[..., :k, :]
        if of_u is not None:
            check_absent(of_u[..., k:])
            of_u = of_u[..., :k]
        if of_vh is not None:
            check_absent(of_vh[..., k:, :])
            of_vh = of_vh[..., :k, :]
    squares = S * S
    left = None if of_s is None else U * row(of_s)
    right = None
    if of_u is not None:
        turn = matmul(adjoint(U), of_u)
        inner = over_differences(turn - adjoint(turn), squares) * row(S)
        if is_complex(turn):
            inner = inner + diagonal_matrix((diagonal_of(turn).imag / S) * 1j)
        left = total(left, matmul(U, inner))
        if m > k:
            left = left + (of_u - matmul(U, turn)) / row(S)
    if of_vh is not None:
        turn = matmul(Vh, adjoint(of_vh))
        inner = column(S) * over_differences(turn - adjoint(turn), squares)
        left = total(left, matmul(U, inner))
        if n > k:
            right = (of_vh - matmul(adjoint(turn), Vh)) / column(S)
    of_left = None if left is None else matmul(left, Vh)
    return total(of_left, None if right is None else matmul(U, right))


svd = fused(
    "linalg_svd",
    _svd,
    inputs=("self",),
    outputs=("U", "S", "Vh"),
    vjp_self=svd_vjp,
)

# --- QR -------------------------------------------------------------------------------


def _qr(self: ndarray, *, mode: Any) -> tuple[ndarray, ndarray]:
    if mode == "r":
        r: Any = np.linalg.qr(self, "r")
        return np.zeros(0, self.dtype), r
    q, r = np.linalg.qr(self, mode)
    return q, r


def hermitian_of_lower(matrix: Any) -> Any:
    """Return the Hermitian matrix with the same lower triangle."""
    below = tril(matrix, diagonal=-1)
    return below + adjoint(below) + diagonal_matrix(diagonal_of(matrix).real)


def qr_vjp(grads: list[Any], Q: Any, R: Any, mode: str, self_shape: Any) -> Any:
    of_q, of_r = grads
    m, n = self_shape[-2:]
    if mode == "r":
        raise Unsupported(
            "The derivative of linalg.qr depends on Q, which is not computed when mode="
            "'r'. Please use linalg.qr(A, mode='reduced') if you are going to require "
            "gradients through linalg.qr"
        )
    if mode == "complete" and m > n:
        raise Unsupported(
            "The QR decomposition is not differentiable when mode='complete' and "
            "nrows > ncols; use mode='reduced'"
        )
    if m >= n:
        return tall_qr_vjp(of_q, of_r, Q, R)
    # A = Q [R1 R2]: the first columns alone determine Q.
    R1, R2 = R[..., :m], R[..., m:]
    if of_r is None:
        first = tall_qr_vjp(of_q, None, Q, R1)
        return cat(first, matmul(Q, R2 * 0), dim=len(self_shape) - 1)
    of_r1, of_r2 = of_r[..., :m], of_r[..., m:]
    # R2 = Q^H times the other columns, which are Q R2.
    of_q = total(of_q, matmul(Q, matmul(R2, adjoint(of_r2))))
    first = tall_qr_vjp(of_q, of_r1, Q, R1)
    return cat(first, matmul(Q, of_r2), dim=len(self_shape) - 1)


def tall_qr_vjp(of_q: Any, of_r: Any, Q: Any, R: Any) -> Any:
    inner = None
    if of_r is not None:
        inner = matmul(R, adjoint(of_r))
    if of_q is not None:
        inner = total(inner, -matmul(adjoint(of_q), Q))
    found = total(of_q, matmul(Q, hermitian_of_lower(inner)))
    return times_inverse(found, adjoint(R), upper=False)


qr = fused("linalg_qr", _qr, inputs=("self",), outputs=("Q", "R"), vjp_self=qr_vjp)


def _geqrf(self: ndarray) -> tuple[ndarray, ndarray]:
    transposed, tau = np.linalg.qr(self, "raw")
    return np.ascontiguousarray(transposed.swapaxes(-1, -2)), tau


def geqrf_vjp(grads: list[Any]) -> Any:
    raise Unsupported("geqrf has no derivative; use torch.linalg.qr")


geqrf = fused(
    "geqrf", _geqrf, inputs=("self",), outputs=("a", "tau"), vjp_self=geqrf_vjp
)

# --- LU -------------------------------------------------------------------------------


def factored(matrix: ndarray) -> tuple[ndarray, ndarray]:
    """Return L and U in one matrix, and the rows exchanged at each step, from one."""
    lu = matrix.copy()
    *batch, m, n = lu.shape
    k = min(m, n)
    pivots = np.broadcast_to(np.arange(1, k + 1, dtype=np.int32), (*batch, k)).copy()
    count = prod(batch)
    flat, flat_pivots = lu.reshape((count, m, n)), pivots.reshape((count, k))
    stack = np.arange(len(flat))
    for j in range(k):
        found = magnitude(flat[:, j:, j]).argmax(-1) + j
        flat_pivots[:, j] = found + 1
        rows = flat[stack, found]
        flat[stack, found] = flat[:, j]
        flat[:, j] = rows
        head = flat[:, j, j, None]
        flat[:, j + 1 :, j] /= np.where(head == 0, 1, head)
        flat[:, j + 1 :, j + 1 :] -= (
            flat[:, j + 1 :, j, None] * flat[:, j, None, j + 1 :]
        )
    return lu, pivots


def magnitude(values: ndarray) -> ndarray:
    """Return the sizes by which LAPACK compares numbers to choose a pivot."""
    if values.dtype.kind == "c":
        return np.abs(values.real) + np.abs(values.imag)
    return np.abs(values)


def permutation(pivots: ndarray, size: int) -> ndarray:
    """Return the matrix P of A = P L U."""
    *batch, k = pivots.shape
    order = np.broadcast_to(np.arange(size), (*batch, size)).copy()
    count = prod(batch)
    flat, steps = order.reshape((count, size)), pivots.reshape((count, k)) - 1
    stack = np.arange(len(flat))
    for j in range(k):
        rows = flat[stack, steps[:, j]]
        flat[stack, steps[:, j]] = flat[:, j]
        flat[:, j] = rows
    return np.eye(size, dtype=bool)[order].swapaxes(-1, -2)


permutation_matrix = nondifferentiable(
    "permutation_matrix",
    lambda pivots, *, size, dtype: permutation(pivots, size).astype(dtype),
    inputs=("pivots",),
)


def triangles(factors: Any) -> tuple[Any, Any]:
    """Return L and U of the matrix that holds both."""
    m, n = factors.shape[-2:]
    k = min(m, n)
    unit = np.eye(m, k, dtype=numpy_dtype(factors))
    lower = add(tril(factors[..., :k], diagonal=-1), unit)
    return lower, triu(factors[..., :k, :], diagonal=0)


def lu_factor_vjp(grad: Any, LU: Any, pivots: Any) -> Any:
    m, n = LU.shape[-2:]
    k = min(m, n)
    P = permutation_matrix(pivots, size=m, dtype=numpy_dtype(LU))
    L, U = triangles(LU)
    of_l, of_u = tril(grad[..., :k], diagonal=-1), triu(grad[..., :k, :], diagonal=0)
    below = matmul(adjoint(L[..., :k, :]), of_l[..., :k, :])
    above = matmul(of_u[..., :k], adjoint(U[..., :k]))
    if n > k:
        below = below - matmul(of_u[..., k:], adjoint(U[..., k:]))
    if m > k:
        above = above - matmul(adjoint(L[..., k:, :]), of_l[..., k:, :])
    inner = tril(below, diagonal=-1) + triu(above, diagonal=0)
    found = times_upper(left_of(L, inner, k), U, k)
    last = len(LU.shape) - 1
    if n > k:
        found = cat(found, left_of(L, of_u[..., k:], k), dim=last)
    if m > k:
        found = cat(found, times_upper(of_l[..., k:, :], U, k), dim=last - 1)
    return matmul(P, found)


def left_of(lower: Any, matrix: Any, k: int) -> Any:
    """Return the inverse of the adjoint of a unit lower triangle times a matrix."""
    triangle = adjoint(lower[..., :k, :])
    return solve_triangular(triangle, matrix, upper=True, unitriangular=True)


def times_upper(matrix: Any, upper: Any, k: int) -> Any:
    """Return a matrix times the inverse of the adjoint of an upper triangle."""
    return times_inverse(matrix, adjoint(upper[..., :k]), upper=False)


lu_factor = fused(
    "linalg_lu_factor",
    factored,
    inputs=("self",),
    outputs=("LU", "pivots"),
    vjp_self=lu_factor_vjp,
    grad_fn="LinalgLuFactorExBackward0",
)
