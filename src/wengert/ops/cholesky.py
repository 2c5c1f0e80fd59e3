"""Cholesky's factor of a matrix, and what is solved with it."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..primitives import linalg as P
from ..tensor import Tensor, plain
from .linalg import (
    LinAlgError,
    check_square_matrix,
    failing_minor,
    info,
    linalg_op,
    of_those_that_succeed,
)
from .public import op
from .results import named_result
from .solving import solve_triangular

cholesky_ex_result = named_result("linalg_cholesky_ex", "L", "info")


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
        orders = info(A.mT.conj() if upper else A, failing_minor)
        factor = partial(linalg_cholesky, upper=upper)
        return cholesky_ex_result(of_those_that_succeed(factor, A, orders), orders)


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
