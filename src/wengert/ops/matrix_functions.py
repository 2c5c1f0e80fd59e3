"""Functions of matrices: the exponential, the pseudoinverse."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitives import matrix_functions as F
from ..tensor import Tensor
from .linalg import check_matrix, check_square_matrix, linalg_op
from .public import op


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
