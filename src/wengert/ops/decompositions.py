"""Decompositions of matrices: eigenvalues, singular values, QR, LU."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import Unsupported
from ..primitives import decompositions as P
from ..tensor import Tensor, plain
from .arguments import holds_anywhere
from .linalg import LinAlgError, check_matrix, check_square_matrix, linalg_op
from .matmul import matmul
from .public import op
from .results import named_result
from .solving import solve_triangular

eigh_result = named_result("linalg_eigh", "eigenvalues", "eigenvectors")
eig_result = named_result("linalg_eig", "eigenvalues", "eigenvectors")
linalg_svd_result = named_result("linalg_svd", "U", "S", "Vh")
svd_result = named_result("svd", "U", "S", "V")
linalg_qr_result = named_result("linalg_qr", "Q", "R")
qr_result = named_result("qr", "Q", "R")
geqrf_result = named_result("geqrf", "a", "tau")
lu_result = named_result("linalg_lu", "P", "L", "U")
lu_factor_result = named_result("linalg_lu_factor", "LU", "pivots")
lu_factor_ex_result = named_result("linalg_lu_factor_ex", "LU", "pivots", "info")
lu_unpack_result = named_result("lu_unpack", "P", "L", "U")

# --- eigenvalues ----------------------------------------------------------------------


@linalg_op()
def eigh(A: Tensor, UPLO: str = "L") -> Any:
    """Return eigenvalues, in ascending order, and eigenvectors of a Hermitian matrix.

    Args:
        A: a symmetric or Hermitian matrix, or a stack of them.
        UPLO: which triangle is read, "L" or "U".

    Returns:
        Named ``eigenvalues`` and ``eigenvectors``, the columns.

    >>> import wengert as torch
    >>> eigh(torch.eye(2) * 2).eigenvalues
    tensor([2., 2.])
    """
    check_square_matrix(A, "linalg.eigh")
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeError(
            f"Expected UPLO argument to be 'L' or 'U', but got {UPLO.upper()}"
        )
    return eigh_result(*P.eigh(A, UPLO=UPLO.upper()))


@linalg_op()
def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """Return the eigenvalues of a Hermitian matrix, in ascending order.

    Args:
        A: a symmetric or Hermitian matrix, or a stack of them.
        UPLO: which triangle is read, "L" or "U".

    >>> import wengert as torch
    >>> eigvalsh(torch.tensor([[2.0, 1.0], [1.0, 2.0]]))
    tensor([1., 3.])
    """
    values: Tensor = eigh(A, UPLO).eigenvalues
    return values


@linalg_op()
def eig(A: Tensor) -> Any:
    """Return eigenvalues and eigenvectors of a square matrix, as complex numbers.

    Returns:
        Named ``eigenvalues`` and ``eigenvectors``, the columns.

    >>> import wengert as torch
    >>> eig(torch.eye(1)).eigenvalues
    tensor([1.+0.j])
    """
    check_square_matrix(A, "linalg.eig")
    return eig_result(*P.eig(A))


@linalg_op()
def eigvals(A: Tensor) -> Tensor:
    """Return the eigenvalues of a square matrix, as complex numbers.

    >>> import wengert as torch
    >>> eigvals(torch.eye(1))
    tensor([1.+0.j])
    """
    values: Tensor = eig(A).eigenvalues
    return values


# --- singular values ------------------------------------------------------------------


@linalg_op()
def linalg_svd(
    A: Tensor, full_matrices: bool = True, *, driver: str | None = None
) -> Any:
    """Return the singular value decomposition U diag(S) Vh.

    Args:
        full_matrices: make U and Vh square.
        driver: for CUDA only.

    Returns:
        Named ``U``, ``S`` in descending order, ``Vh``.

    >>> import wengert as torch
    >>> linalg_svd(torch.eye(2) * 2).S
    tensor([2., 2.])
    """
    if driver is not None:
        raise RuntimeError(
            "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA "
            "inputs with cuSOLVER backend."
        )
    check_matrix(A, "linalg.svd")
    return linalg_svd_result(*P.svd(A, full_matrices=full_matrices))


@linalg_op()
def svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:
    """Return the singular values of a matrix, in descending order.

    Args:
        driver: for CUDA only.

    >>> import wengert as torch
    >>> svdvals(torch.eye(2) * 2)
    tensor([2., 2.])
    """
    values: Tensor = linalg_svd(A, full_matrices=False, driver=driver).S
    return values


@op()
def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> Any:
    """Return the singular value decomposition U diag(S) V^H.

    Args:
        some: False makes U and V square.
        compute_uv: False leaves U and V zero.

    Returns:
        Named ``U``, ``S`` in descending order, ``V``.

    >>> import wengert as torch
    >>> torch.eye(2).svd().S
    tensor([1., 1.])
    """
    if not compute_uv:
        values = svdvals(input)
        m, n = input.shape[-2:]
        dtype, batch = input.dtype.numpy, tuple(input.shape[:-2])
        zeros = [plain(np.zeros((*batch, size, size), dtype)) for size in (m, n)]
        return svd_result(zeros[0], values, zeros[1])
    u, s, vh = linalg_svd(input, full_matrices=not some)
    return svd_result(u, s, vh.mT.conj())


# --- QR -------------------------------------------------------------------------------


@linalg_op()
def linalg_qr(A: Tensor, mode: str = "reduced") -> Any:
    """Return the decomposition into a unitary and an upper triangular matrix.

    Args:
        mode: "reduced", "complete" (Q is square) or "r" (no Q).

    Returns:
        Named ``Q`` and ``R``.

    >>> import wengert as torch
    >>> linalg_qr(torch.eye(2)).R.abs()
    tensor([[1., 0.],
            [0., 1.]])
    """
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' "
            "(default), 'r', or 'complete'"
        )
    check_matrix(A, "linalg.qr")
    return linalg_qr_result(*P.qr(A, mode=mode))


@op()
def qr(input: Tensor, some: bool = True) -> Any:
    """Return the decomposition into a unitary and an upper triangular matrix.

    Args:
        some: False makes Q square.

    Returns:
        Named ``Q`` and ``R``.

    >>> import wengert as torch
    >>> torch.eye(2).qr().R.abs()
    tensor([[1., 0.],
            [0., 1.]])
    """
    return qr_result(*linalg_qr(input, "reduced" if some else "complete"))


@op()
def geqrf(input: Tensor) -> Any:
    """Return R, and below it the vectors whose reflections make Q, and their factors.

    Returns:
        Named ``a`` and ``tau``.

    >>> import wengert as torch
    >>> torch.eye(1).geqrf().tau
    tensor([0.])
    """
    check_matrix(input, "geqrf")
    return geqrf_result(*P.geqrf(input))


@linalg_op("orgqr")
def householder_product(A: Tensor, tau: Tensor) -> Tensor:
    """Return the first columns of a product of reflections I - tau v v^H.

    Args:
        A: its columns below the diagonal are the vectors v, which begin with a 1.
        tau: their factors.

    >>> import wengert as torch
    >>> householder_product(torch.zeros(2, 1), torch.tensor([2.0]))
    tensor([[-1.],
            [ 0.]])
    """
    check_matrix(A, "torch.linalg.householder_product")
    m, n = A.shape[-2:]
    if m < n:
        raise RuntimeError(
            "torch.linalg.householder_product: input.shape[-2] must be greater than or "
            "equal to input.shape[-1]"
        )
    unit = plain(np.eye(m, n, dtype=A.dtype.numpy))
    return reflected(unit.expand(tuple(A.shape)), A, tau)


def reflected(matrix: Tensor, A: Tensor, tau: Tensor, adjoint: bool = False) -> Tensor:
    """Return the product of reflections, or its adjoint, times a matrix."""
    vectors = A.tril(-1) + plain(np.eye(*A.shape[-2:], dtype=A.dtype.numpy))
    steps = range(tau.shape[-1])
    for i in steps if adjoint else reversed(steps):
        vector = vectors[..., i : i + 1]
        factor = tau[..., i, None, None]
        factor = factor.conj() if adjoint else factor
        matrix = matrix - vector * factor * matmul(vector.mT.conj(), matrix)
    return matrix


@op()
def ormqr(
    input: Tensor,
    tau: Tensor,
    other: Tensor,
    left: bool = True,
    transpose: bool = False,
) -> Tensor:
    """Return Q other, or other Q, for the product Q of reflections.

    Args:
        input, tau: see `householder_product`.
        other: a matrix.
        left: whether Q is at the left.
        transpose: use the adjoint of Q.

    >>> import wengert as torch
    >>> torch.ormqr(torch.zeros(1, 1), torch.tensor([2.0]), torch.ones(1, 1))
    tensor([[-1.]])
    """
    check_matrix(input, "ormqr")
    if left:
        return reflected(other, input, tau, transpose)
    return reflected(other.mT.conj(), input, tau, not transpose).mT.conj()


# --- LU -------------------------------------------------------------------------------


def check_pivot(pivot: bool) -> None:
    """Refuse to factor without exchanging rows."""
    if not pivot:
        raise RuntimeError(
            "linalg.lu_factor: LU without pivoting is not implemented on the CPU"
        )


@linalg_op()
def lu_factor(A: Tensor, *, pivot: bool = True) -> Any:
    """Return L and U of P L U in one matrix, and the exchanges of rows that make P.

    Args:
        pivot: must be True.

    Returns:
        Named ``LU`` and ``pivots``, counted from one.

    >>> import wengert as torch
    >>> lu_factor(torch.eye(2)).pivots
    tensor([1, 2], dtype=torch.int32)
    """
    check_pivot(pivot)
    check_matrix(A, "linalg.lu_factor")
    return lu_factor_result(*P.lu_factor(A))


@linalg_op()
def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False) -> Any:
    """Return what `lu_factor` does, and for each matrix where U has a zero.

    Args:
        pivot: must be True.
        check_errors: raise an error for such a zero.

    Returns:
        Named ``LU``, ``pivots`` and ``info``: which element of the diagonal is zero
        first, counted from one, or zero.

    >>> import wengert as torch
    >>> lu_factor_ex(torch.eye(2)).info
    tensor(0, dtype=torch.int32)
    """
    factors, pivots = lu_factor(A, pivot=pivot)
    zero = factors.detach().diagonal(dim1=-2, dim2=-1) == 0
    failed = zero.any(-1) if zero.shape[-1] else zero.sum(-1).bool()
    place = failed.int()
    if zero.shape[-1]:
        place = ((zero.int().argmax(-1) + 1) * failed).int()
    if check_errors and holds_anywhere(failed):
        raise LinAlgError("torch.linalg.lu_factor_ex: U has a zero on its diagonal")
    return lu_factor_ex_result(factors, pivots, place)


@op(name="lu")
def torch_lu(A: Tensor, pivot: bool = True, get_infos: bool = False) -> Any:
    """Return what `torch.linalg.lu_factor` does.

    Args:
        pivot: must be True.
        get_infos: return also where U has a zero.

    >>> import wengert as torch
    >>> torch.eye(2).lu()[1]
    tensor([1, 2], dtype=torch.int32)
    """
    if get_infos:
        return tuple(lu_factor_ex(A, pivot=pivot))
    return tuple(lu_factor(A, pivot=pivot))


@op(method=False)
def lu_unpack(
    LU_data: Tensor,
    LU_pivots: Tensor,
    unpack_data: bool = True,
    unpack_pivots: bool = True,
) -> Any:
    """Return P, L and U of what `torch.linalg.lu_factor` returns.

    Args:
        LU_data: L and U in one matrix.
        LU_pivots: the exchanges of rows.
        unpack_data: False leaves L and U empty.
        unpack_pivots: False leaves P empty.

    Returns:
        Named ``P``, ``L``, ``U``.

    >>> import wengert as torch
    >>> torch.lu_unpack(*torch.eye(1).lu()).P
    tensor([[1.]])
    """
    dtype = LU_data.dtype.numpy
    lower = upper = permuted = plain(np.empty(0, dtype))
    if unpack_data:
        lower, upper = P.triangles(LU_data)
    if unpack_pivots:
        permuted = P.permutation_matrix(LU_pivots, size=LU_data.shape[-2], dtype=dtype)
    return lu_unpack_result(permuted, lower, upper)


@linalg_op()
def linalg_lu(A: Tensor, *, pivot: bool = True) -> Any:
    """Return the decomposition into a permutation, a lower and an upper triangle.

    Args:
        pivot: must be True.

    Returns:
        Named ``P``, ``L``, ``U``.

    >>> import wengert as torch
    >>> linalg_lu(torch.eye(1)).U
    tensor([[1.]])
    """
    return lu_result(*lu_unpack(*lu_factor(A, pivot=pivot)))


@linalg_op()
def linalg_lu_solve(
    LU: Tensor,
    pivots: Tensor,
    B: Tensor,
    *,
    left: bool = True,
    adjoint: bool = False,
) -> Tensor:
    """Return X with A X = B, or X A = B, given what `lu_factor` returns for A.

    Args:
        LU: L and U in one matrix.
        pivots: the exchanges of rows.
        B: a matrix, or a stack of them.
        left: whether A is at the left of X.
        adjoint: solve with the adjoint of A.

    >>> import wengert as torch
    >>> linalg_lu_solve(*lu_factor(torch.eye(1) * 2), torch.ones(1, 1))
    tensor([[0.5000]])
    """
    if not left:
        turned = linalg_lu_solve(LU, pivots, B.mT.conj(), adjoint=not adjoint)
        return turned.mT.conj()
    permuted, lower, upper = lu_unpack(LU, pivots)
    if adjoint:
        half = solve_triangular(upper.mT.conj(), B, upper=False)
        whole = solve_triangular(lower.mT.conj(), half, upper=True, unitriangular=True)
        return matmul(permuted, whole)
    right = matmul(permuted.mT, B)
    half = solve_triangular(lower, right, upper=False, unitriangular=True)
    return solve_triangular(upper, half, upper=True)


@op()
def lu_solve(input: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """Return X with A X = input, given what `torch.linalg.lu_factor` returns for A.

    Args:
        LU_data: L and U in one matrix.
        LU_pivots: the exchanges of rows.

    >>> import wengert as torch
    >>> torch.ones(1, 1).lu_solve(*(torch.eye(1) * 2).lu())
    tensor([[0.5000]])
    """
    return linalg_lu_solve(LU_data, LU_pivots, input)


# --- what needs LAPACK itself ---------------------------------------------------------


def unsupported(name: str) -> None:
    """Make a function of ``torch.linalg`` that says what to use instead."""

    def call(*args: Any, **kwargs: Any) -> Any:
        raise Unsupported(
            f"torch.linalg.{name} is not there, as NumPy has no Bunch-Kaufman "
            "factorization; use torch.linalg.lu_factor and torch.linalg.lu_solve"
        )

    call.__name__ = call.__qualname__ = name
    call.__doc__ = "Raise an error that says what to use instead."
    linalg_op()(call)


for _name in ("ldl_factor", "ldl_factor_ex", "ldl_solve"):
    unsupported(_name)
