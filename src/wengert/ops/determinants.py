"""Determinants."""

from __future__ import annotations

from typing import Any

from ..primitives import linalg as P
from ..tensor import Tensor
from .linalg import check_square_matrix, linalg_op
from .public import op
from .results import named_result

slogdet_result = named_result("linalg_slogdet", "sign", "logabsdet")


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
