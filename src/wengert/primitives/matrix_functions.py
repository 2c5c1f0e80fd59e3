"""The exponential of matrices, and their pseudoinverse."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .joining import cat
from .linalg import attempt
from .matmul import adjoint, matmul
from .op import fused

# --- exponential ----------------------------------------------------------------------

PADE = (
    64764752532480000.0,
    32382376266240000.0,
    7771770303897600.0,
    1187353796428800.0,
    129060195264000.0,
    10559470521600.0,
    670442572800.0,
    33522128640.0,
    1323241920.0,
    40840800.0,
    960960.0,
    16380.0,
    182.0,
    1.0,
)
"""Coefficients of the numerator of Padé's approximant of degree 13."""

REACH = 5.371920351148152
"""The norm up to which the approximant is exact in double precision (Higham, 2005)."""


def _matrix_exp(self: ndarray) -> ndarray:
    """Return the exponential by scaling and squaring (Higham, 2005)."""
    if self.size == 0:
        return self.copy()
    work = self.astype(np.result_type(self.dtype, np.float64), copy=False)
    norms = np.abs(work).sum(-2).max(-1)
    with np.errstate(divide="ignore"):
        halvings = np.maximum(np.ceil(np.log2(norms / REACH)), 0)
    scaled = work / 2.0 ** halvings[..., None, None]
    result = approximant(scaled)
    for step in range(int(halvings.max())):
        more = (halvings > step)[..., None, None]
        result = np.where(more, np.matmul(result, result), result)
    return result.astype(self.dtype, copy=False)


def approximant(matrix: ndarray) -> ndarray:
    """Return Padé's approximant of degree 13."""
    b = PADE
    unit = np.eye(matrix.shape[-1], dtype=matrix.dtype)
    a2 = matrix @ matrix
    a4 = a2 @ a2
    a6 = a4 @ a2
    odd = a6 @ (b[13] * a6 + b[11] * a4 + b[9] * a2)
    odd = matrix @ (odd + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * unit)
    even = a6 @ (b[12] * a6 + b[10] * a4 + b[8] * a2)
    even = even + b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * unit
    return np.linalg.solve(even - odd, even + odd)


def matrix_exp_vjp(grad: Any, self: Any) -> Any:
    # The exponential of [[A, E], [0, A]] has the derivative along E at the right above.
    turned = adjoint(self)
    n = self.shape[-1]
    last = len(self.shape) - 1
    above = cat(turned, grad, dim=last)
    below = cat(turned * 0, turned, dim=last)
    return matrix_exp(cat(above, below, dim=last - 1))[..., :n, n:]


matrix_exp = fused(
    "linalg_matrix_exp", _matrix_exp, inputs=("self",), vjp_self=matrix_exp_vjp
)

# --- pseudoinverse --------------------------------------------------------------------


def _pinv(self: ndarray, *, atol: Any, rtol: Any, hermitian: bool) -> ndarray:
    if hermitian:
        values, u = attempt(np.linalg.eigh, "linalg.pinv", self)
        vh = u.swapaxes(-1, -2).conj()
        size = np.abs(values)
    else:
        u, values, vh = attempt(np.linalg.svd, "linalg.pinv", self, False)
        size = values
    kept = size > threshold(size, atol, rtol)
    inverse = np.where(kept, 1 / np.where(kept, values, 1), 0)
    left = vh.swapaxes(-1, -2).conj() * inverse[..., None, :]
    result: ndarray = np.matmul(left, u.swapaxes(-1, -2).conj())
    return result.astype(self.dtype, copy=False)


def threshold(size: ndarray, atol: Any, rtol: Any) -> Any:
    """Return up to where singular values count as zero."""
    largest = size.max(-1, keepdims=True, initial=0)
    return np.maximum(per_matrix(atol), per_matrix(rtol) * largest)


def per_matrix(number: Any) -> Any:
    return np.asarray(number)[..., None] if np.ndim(number) else number


def pinv_vjp(grad: Any, self: Any, result: Any) -> Any:
    """The transpose of Golub and Pereyra's derivative (1973)."""
    back = adjoint(result)
    turned = adjoint(grad)
    # What the matrix misses of its rows' space, and of its columns'.
    rows_left = turned - matmul(self, matmul(result, turned))
    columns_left = turned - matmul(matmul(turned, result), self)
    found = -matmul(back, matmul(grad, back))
    found = found + matmul(matmul(rows_left, result), back)
    return found + matmul(back, matmul(result, columns_left))


pinv = fused("linalg_pinv", _pinv, inputs=("self",), vjp_self=pinv_vjp)
