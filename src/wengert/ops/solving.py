"""Inverses, and systems of linear equations."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitives import linalg as P
from ..tensor import Tensor
from .arguments import broadcast_shape, memory_of
from .linalg import (
    LinAlgError,
    check_numbers,
    check_square_matrix,
    dependent_column,
    info,
    is_vector,
    linalg_op,
    of_those_that_succeed,
)
from .matmul import matmul
from .matrix_functions import pinv
from .public import op
from .results import named_result

inv_ex_result = named_result("linalg_inv_ex", "inverse", "info")
solve_ex_result = named_result("linalg_solve_ex", "result", "info")
triangular_solve_result = named_result(
    "triangular_solve", "solution", "cloned_coefficient"
)
lstsq_result = named_result(
    "linalg_lstsq", "solution", "residuals", "rank", "singular_values"
)


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
        orders = info(A, dependent_column)
        return inv_ex_result(of_those_that_succeed(P.inv, A, orders), orders)


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
        orders = info(A, dependent_column)
        found = of_those_that_succeed(lambda A: solve(A, B, left=left), A, orders)
        return solve_ex_result(found, orders)


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
