"""Approximations of matrices by ones of low rank, found from random products.

The algorithms are 4.4 and 5.1 of Halko, Martinsson and Tropp, "Finding structure with
randomness" (2009).
"""

from __future__ import annotations

from ..tensor import Tensor
from .decompositions import linalg_qr, linalg_svd
from .matmul import matmul
from .public import op
from .random import randn


@op(method=False, out=False)
def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the largest singular values of a matrix, with their vectors.

    Args:
        A: a matrix, or a stack of them.
        q: a bit more than the rank looked for.
        niter: how often to improve what was found.
        M: what is subtracted from A first.

    Returns:
        U, S and V: A is nearly U diag(S) V^H.

    >>> import wengert as torch
    >>> torch.svd_lowrank(torch.eye(3) * 2, q=3)[1].round()
    tensor([2., 2., 2.])
    """
    q = 6 if q is None else q
    if M is not None:
        A = A - M.expand(tuple(A.shape))
    wide = A.shape[-2] < A.shape[-1]
    matrix = A.mT.conj() if wide else A
    basis = range_of(matrix, q, 2 if niter is None else niter)
    u, s, vh = linalg_svd(matmul(basis.mT.conj(), matrix), full_matrices=False)
    u, v = matmul(basis, u), vh.mT.conj()
    return (v, s, u) if wide else (u, s, v)


def range_of(matrix: Tensor, q: int, niter: int) -> Tensor:
    """Return orthogonal columns that nearly span what a matrix makes of all vectors."""
    start = randn(matrix.shape[-1], q, dtype=matrix.dtype)
    basis: Tensor = linalg_qr(matmul(matrix, start)).Q
    adjoint = matrix.mT.conj()
    for _ in range(niter):
        basis = linalg_qr(matmul(adjoint, basis)).Q
        basis = linalg_qr(matmul(matrix, basis)).Q
    return basis


@op(method=False, out=False)
def pca_lowrank(
    A: Tensor, q: int | None = None, center: bool = True, niter: int = 2
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the principal components of observations, the rows of a matrix.

    Args:
        A: a matrix, or a stack of them.
        q: a bit more than the rank looked for, by default 6 at most.
        center: subtract the columns' means first.
        niter: how often to improve what was found.

    Returns:
        U, S and V; the columns of V are the principal directions.

    >>> import wengert as torch
    >>> torch.pca_lowrank(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]), q=1)[1]
    tensor([1.4142])
    """
    m, n = A.shape[-2:]
    q = min(6, m, n) if q is None else q
    if not 0 <= q <= min(m, n):
        raise ValueError(
            f"q(={q}) must be non-negative integer and not greater than min(m, n)="
            f"{min(m, n)}"
        )
    return svd_lowrank(A - A.mean(-2, True) if center else A, q, niter)
