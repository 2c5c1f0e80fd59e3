"""Linear algebra: inverses, systems of equations, determinants, functions of matrices.

What is made here with `linalg_op` is a function of ``torch.linalg``, and under the
names given also one of ``torch`` and a method.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..primitives import linalg as P, matrix_functions as F
from ..tensor import Tensor, is_differentiable, plain
from .arguments import broadcast_shape, memory_of
from .contraction import check_square, linalg_cross, matrix_power, multi_dot, vecdot
from .matmul import matmul
from .norms import vector_norm
from .public import op, publish, with_out
from .results import named_result

Function = Callable[..., Any]
LinAlgError = P.LinAlgError

namespace: dict[str, Any] = {"LinAlgError": LinAlgError}
"""What ``torch.linalg`` has, by name."""


def linalg_op(*names: str, method: bool = True) -> Callable[[Function], Function]:
    """Make the decorated function one of ``torch.linalg``.

    Args:
        names: of ``torch`` and `Tensor`, under which it is known, too.
        method: whether the names are those of methods as well.
    """

    def decorate(call: Function) -> Function:
        name = call.__name__.removeprefix("linalg_")
        namespace[name] = with_out(call, f"linalg.{name}")
        if names:
            publish(call, names, method=method)
        return call

    return decorate


for _call in (vector_norm, multi_dot, vecdot, linalg_cross, matrix_power, matmul):
    linalg_op()(_call)

# --- checks ---------------------------------------------------------------------------


def check_numbers(A: Tensor, name: str) -> None:
    """Refuse matrices of integers, and of float16: there are no algorithms."""
    if not is_differentiable(A._data.dtype):
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got "
            f"{A.dtype.scalar_type}"
        )
    if A.dtype.itemsize < 4:
        raise RuntimeError(
            f"{name}: Low precision dtypes not supported. Got {A.dtype.scalar_type}"
        )


def check_matrix(A: Tensor, name: str) -> None:
    """Refuse what are not matrices of floats or complex numbers."""
    check_numbers(A, name)
    if A.ndim < 2:
        raise RuntimeError(
            f"{name}: The input tensor A must have at least 2 dimensions."
        )


def check_square_matrix(A: Tensor, name: str) -> None:
    """Refuse what are not square matrices of floats or complex numbers."""
    check_square(A, name)
    check_numbers(A, name)


def is_vector(A: Tensor, B: Tensor) -> bool:
    """Whether B, at the right of an equation with A, holds vectors, not matrices."""
    return B.ndim == 1 or (
        A.ndim - 1 == B.ndim and tuple(B.shape) == tuple(A.shape[:-1])
    )


# --- inverse and systems of equations -------------------------------------------------

inv_ex_result = named_result("linalg_inv_ex", "inverse", "info")
solve_ex_result = named_result("linalg_solve_ex", "result", "info")
cholesky_ex_result = named_result("linalg_cholesky_ex", "L", "info")
slogdet_result = named_result("linalg_slogdet", "sign", "logabsdet")
triangular_solve_result = named_result(
    "triangular_solve", "solution", "cloned_coefficient"
)
lstsq_result = named_result(
    "linalg_lstsq", "solution", "residuals", "rank", "singular_values"
)


def info(A: Tensor, failed: bool = False) -> Tensor:
    """Return for each matrix 0, or 1 if something failed."""
    return plain(np.full(tuple(A.shape[:-2]), int(failed), np.int32))


@linalg_op("inverse")
def inv(A: Tensor) -> Tensor:
    """Return the inverse of a square matrix, or of each of a stack.

    Raises:
        LinAlgError: a matrix has none.

    >>> import wengert as torch
    >>> inv(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    check_square_matrix(A, "linalg.inv")
    return P.inv(A)


@linalg_op()
def inv_ex(A: Tensor, *, check_errors: bool = False) -> Any:
    """Return the inverse, and for each matrix whether there is none.

    Args:
        check_errors: raise an error in that case.

    Returns:
        Named ``inverse`` and ``info``, which is zero where all is well.

    >>> import wengert as torch
    >>> inv_ex(torch.eye(2)).info
    tensor(0, dtype=torch.int32)
    """
    check_square_matrix(A, "linalg.inv_ex")
    try:
        return inv_ex_result(P.inv(A), info(A))
    except LinAlgError:
        if check_errors:
            raise
        failed = A * float("nan")
        return inv_ex_result(failed, info(A, failed=True))


@linalg_op()
def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """Return X with A X = B, or X A = B.

    Args:
        A: a square matrix, or a stack of them.
        B: a matrix, a vector, or a stack of either.
        left: whether A is at the left of X.

    Raises:
        LinAlgError: a matrix is singular.

    >>> import wengert as torch
    >>> solve(torch.tensor([[2.0, 0.0], [0.0, 4.0]]), torch.ones(2))
    tensor([0.5000, 0.2500])
    """
    check_square_matrix(A, "linalg.solve")
    if A.dtype is not B.dtype:
        raise RuntimeError(
            "linalg.solve: Expected A and B to have the same dtype, but found A of "
            f"type {A.dtype.scalar_type} and B of type {B.dtype.scalar_type} instead"
        )
    if is_vector(A, B):
        if not left:
            raise RuntimeError(
                "linalg.solve: Vector broadcasting of the left hand side is not "
                "supported for left=False. In this case linalg.solve is equivalent to "
                "B / A.squeeze(-1)"
            )
        return equal_solve(A, B.unsqueeze(-1)).squeeze(-1)
    return equal_solve(A, B) if left else equal_solve(A.mT, B.mT).mT


def equal_solve(A: Tensor, B: Tensor) -> Tensor:
    """Return X with A X = B, after checking the shapes."""
    if A.shape[-1] != B.shape[-2]:
        raise RuntimeError(
            "linalg.solve: Incompatible shapes of A and B for the equation AX = B "
            f"({A.shape[-2]}x{A.shape[-1]} and {B.shape[-2]}x{B.shape[-1]})"
        )
    broadcast_shape(A.shape[:-2], B.shape[:-2])
    return P.solve(A, B)


@linalg_op()
def solve_ex(
    A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False
) -> Any:
    """Return X with A X = B, and for each matrix whether it is singular.

    Args:
        A: a square matrix, or a stack of them.
        B: a matrix, a vector, or a stack of either.
        left: whether A is at the left of X.
        check_errors: raise an error for a singular matrix.

    Returns:
        Named ``result`` and ``info``, which is zero where all is well.

    >>> import wengert as torch
    >>> solve_ex(torch.eye(2), torch.ones(2)).result
    tensor([1., 1.])
    """
    try:
        return solve_ex_result(solve(A, B, left=left), info(A))
    except LinAlgError:
        if check_errors:
            raise
        return solve_ex_result(B * float("nan"), info(A, failed=True))


@linalg_op()
def solve_triangular(
    A: Tensor,
    B: Tensor,
    *,
    upper: bool,
    left: bool = True,
    unitriangular: bool = False,
) -> Tensor:
    """Return X with A X = B, or X A = B, for a triangular matrix A.

    Args:
        A: a square matrix, of which one triangle is read.
        B: a matrix, or a stack of them.
        upper: whether it is the upper triangle.
        left: whether A is at the left of X.
        unitriangular: take the diagonal to be all ones.

    >>> import wengert as torch
    >>> solve_triangular(torch.eye(2) * 2, torch.ones(2, 1), upper=True)
    tensor([[0.5000],
            [0.5000]])
    """
    name = "linalg.solve_triangular"
    check_square_matrix(A, name)
    if B.ndim < 2:
        raise RuntimeError(
            f"{name}: The input tensor B must have at least 2 dimensions."
        )
    rows = B.shape[-2] if left else B.shape[-1]
    if A.shape[-1] != rows:
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation "
            f"{'AX = B' if left else 'XA = B'} ({A.shape[-2]}x{A.shape[-1]} and "
            f"{B.shape[-2]}x{B.shape[-1]})"
        )
    if left:
        return P.solve_triangular(A, B, upper=upper, unitriangular=unitriangular)
    return P.solve_triangular(
        A.mT, B.mT, upper=not upper, unitriangular=unitriangular
    ).mT


@op()
def triangular_solve(
    input: Tensor,
    A: Tensor,
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
) -> Any:
    """Return X with A X = input for a triangular matrix A; see `solve_triangular`.

    Args:
        A: a square matrix, of which one triangle is read.
        upper: whether it is the upper triangle.
        transpose: solve with the transposed matrix.
        unitriangular: take the diagonal to be all ones.

    Returns:
        Named ``solution`` and ``cloned_coefficient``.

    >>> import wengert as torch
    >>> torch.triangular_solve(torch.ones(2, 1), torch.eye(2)).solution
    tensor([[1.],
            [1.]])
    """
    check_square_matrix(A, "triangular_solve")
    matrix = A.mT if transpose else A
    solution = solve_triangular(
        matrix, input, upper=upper != transpose, unitriangular=unitriangular
    )
    batch = tuple(solution.shape[:-2])
    return triangular_solve_result(solution, A.expand((*batch, *A.shape[-2:])).clone())


@linalg_op()
def lstsq(
    A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None
) -> Any:
    """Return X for which A X is nearest to B.

    Args:
        A: a matrix, or a stack of them.
        B: a matrix, a vector, or a stack of either.
        rcond: up to which fraction of the largest a singular value counts as zero.
        driver: PyTorch's name of an algorithm; here all are done by singular values.

    Returns:
        Named ``solution``, ``residuals``, ``rank``, ``singular_values``, some empty.

    >>> import wengert as torch
    >>> lstsq(torch.eye(2), torch.tensor([1.0, 3.0])).solution
    tensor([1., 3.])
    """
    check_numbers(A, "torch.linalg.lstsq")
    for name, least, x in (("input", 2, A), ("other", 1, B)):
        if x.ndim < least:
            raise RuntimeError(
                f"torch.linalg.lstsq: {name} must have at least {least} "
                f"dimension{'s' * (least - 1)}."
            )
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError(
            "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, "
            f"gelsd, gelss), but got {driver}"
        )
    vector = is_vector(A, B)
    right = B.unsqueeze(-1) if vector else B
    m, n = A.shape[-2:]
    if right.shape[-2] != m:
        raise RuntimeError(
            "torch.linalg.lstsq: input.size(-2) should match other.size(-2)"
        )
    solution = matmul(pinv(A, rcond=rcond), right)
    # Nothing, but of the solution's history, as in PyTorch.
    residuals = solution.abs().reshape((-1,))[:0]
    values = singular_values(A.detach())
    eps = float(np.finfo(A.dtype.numpy).eps)
    limit = (eps * max(m, n) if rcond is None else rcond) * values[..., :1]
    rank = (values > limit).sum(-1)
    ranks = memory_of(rank)
    full = ranks is None or bool((ranks == n).all())
    if m > n and driver not in (None, "gelsy") and full:
        residuals = (matmul(A, solution) - right).abs().square().sum(-2)
    return lstsq_result(
        solution.squeeze(-1) if vector else solution,
        residuals,
        rank.reshape((-1,))[:0] if driver == "gels" else rank,
        values if driver in ("gelsd", "gelss") else values.reshape((-1,))[:0],
    )


def singular_values(A: Tensor) -> Tensor:
    from .decompositions import svdvals

    return svdvals(A)


# --- Cholesky's factor ----------------------------------------------------------------


@linalg_op()
def linalg_cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """Return the triangular factor L of a positive definite matrix L L^H.

    Args:
        A: a symmetric or Hermitian matrix, or a stack, of which one triangle is read.
        upper: return the adjoint of L instead.

    Raises:
        LinAlgError: a matrix is not positive definite.

    >>> import wengert as torch
    >>> linalg_cholesky(torch.eye(2) * 4)
    tensor([[2., 0.],
            [0., 2.]])
    """
    check_square_matrix(A, "linalg.cholesky")
    return P.cholesky(A.mT.conj()).mT.conj() if upper else P.cholesky(A)


@op()
def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """Return the triangular factor L of a positive definite matrix L L^H.

    Args:
        upper: return the adjoint of L instead.

    >>> import wengert as torch
    >>> torch.cholesky(torch.eye(2) * 4)
    tensor([[2., 0.],
            [0., 2.]])
    """
    return linalg_cholesky(input, upper=upper)


@linalg_op()
def cholesky_ex(A: Tensor, *, upper: bool = False, check_errors: bool = False) -> Any:
    """Return Cholesky's factor, and for each matrix whether there is none.

    Args:
        upper: return the adjoint of L instead.
        check_errors: raise an error in that case.

    Returns:
        Named ``L`` and ``info``, which is zero where all is well.

    >>> import wengert as torch
    >>> cholesky_ex(torch.eye(2)).info
    tensor(0, dtype=torch.int32)
    """
    try:
        return cholesky_ex_result(linalg_cholesky(A, upper=upper), info(A))
    except LinAlgError:
        if check_errors:
            raise
        return cholesky_ex_result(A * float("nan"), info(A, failed=True))


@op()
def cholesky_solve(input: Tensor, L: Tensor, upper: bool = False) -> Tensor:
    """Return X with L L^H X = input.

    Args:
        L: Cholesky's factor.
        upper: whether it is the upper one, U of U^H U.

    >>> import wengert as torch
    >>> torch.cholesky_solve(torch.ones(2, 1), torch.eye(2) * 2)
    tensor([[0.2500],
            [0.2500]])
    """
    adjoint = L.mT.conj()
    first, second = (adjoint, L) if upper else (L, adjoint)
    half = solve_triangular(first, input, upper=False)
    return solve_triangular(second, half, upper=True)


@op()
def cholesky_inverse(input: Tensor, upper: bool = False) -> Tensor:
    """Return the inverse of L L^H.

    Args:
        upper: whether the input is the upper factor, U of U^H U.

    >>> import wengert as torch
    >>> torch.cholesky_inverse(torch.eye(2) * 2)
    tensor([[0.2500, 0.0000],
            [0.0000, 0.2500]])
    """
    check_square_matrix(input, "cholesky_inverse")
    unit = plain(np.eye(input.shape[-1], dtype=input.dtype.numpy))
    return cholesky_solve(unit.expand(tuple(input.shape)), input, upper)


# --- determinants ---------------------------------------------------------------------


@linalg_op("det")
def det(A: Tensor) -> Tensor:
    """Return the determinant of a square matrix, or of each of a stack.

    >>> import wengert as torch
    >>> torch.det(torch.tensor([[2.0, 1.0], [0.0, 3.0]]))
    tensor(6.)
    """
    check_square_matrix(A, "linalg.det")
    return P.det(A)


@linalg_op()
def slogdet(A: Tensor) -> Any:
    """Return the determinant's sign and the logarithm of its absolute value.

    Returns:
        Named ``sign`` and ``logabsdet``.

    >>> import wengert as torch
    >>> slogdet(torch.eye(2)).logabsdet
    tensor(0.)
    """
    check_square_matrix(A, "linalg.slogdet")
    return slogdet_result(*P.slogdet(A))


torch_slogdet_result = named_result("slogdet", "sign", "logabsdet")


@op(name="slogdet")
def torch_slogdet(input: Tensor) -> Any:
    """Return the determinant's sign and the logarithm of its absolute value.

    Returns:
        Named ``sign`` and ``logabsdet``.

    >>> import wengert as torch
    >>> torch.eye(2).slogdet().sign
    tensor(1.)
    """
    return torch_slogdet_result(*slogdet(input))


@op()
def logdet(input: Tensor) -> Tensor:
    """Return the logarithm of the determinant, NaN where that is negative.

    >>> import wengert as torch
    >>> torch.eye(2).logdet()
    tensor(0.)
    """
    sign, logarithm = slogdet(input)
    if input.is_complex():
        return sign.log() + logarithm
    return logarithm.where(sign != -1, float("nan"))


# --- functions of matrices ------------------------------------------------------------


@linalg_op("matrix_exp")
def matrix_exp(A: Tensor) -> Tensor:
    """Return the exponential of a square matrix, or of each of a stack.

    >>> import wengert as torch
    >>> torch.matrix_exp(torch.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    check_square_matrix(A, "linalg.matrix_exp")
    return F.matrix_exp(A)


@linalg_op()
def pinv(
    A: Tensor,
    rcond: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
) -> Tensor:
    """Return the pseudoinverse of a matrix, or of each of a stack.

    Args:
        rcond, rtol: up to which fraction of the largest singular value one counts as
            zero.
        hermitian: whether the matrices are symmetric or Hermitian.
        atol: up to where a singular value counts as zero.

    >>> import wengert as torch
    >>> pinv(torch.tensor([[2.0], [0.0]]))
    tensor([[0.5000, 0.0000]])
    """
    check_matrix(A, "linalg.pinv")
    atol, rtol = tolerances(A, atol, rcond if rtol is None else rtol)
    return F.pinv(A, atol=as_array(atol), rtol=as_array(rtol), hermitian=hermitian)


def tolerances(A: Tensor, atol: Any, rtol: Any) -> tuple[Any, Any]:
    """Return up to where singular values count as zero, the defaults filled in."""
    if rtol is None:
        eps = float(np.finfo(A.dtype.numpy).eps)
        rtol = 0.0 if atol is not None else eps * max(A.shape[-2:])
    return 0.0 if atol is None else atol, rtol


def as_array(number: Any) -> Any:
    return number.detach().numpy() if isinstance(number, Tensor) else number


@op()
def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """Return the pseudoinverse of a matrix, or of each of a stack.

    Args:
        rcond: up to which fraction of the largest a singular value counts as zero.

    >>> import wengert as torch
    >>> torch.tensor([[2.0], [0.0]]).pinverse()
    tensor([[0.5000, 0.0000]])
    """
    return pinv(input, rcond)
