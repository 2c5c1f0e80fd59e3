"""Linear algebra: the table of its functions, and the checks that they share.

What is made here with `linalg_op` is a function of ``torch.linalg``, and under the
names given also one of ``torch`` and a method.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ..primitives import linalg as P
from ..tensor import Tensor, is_differentiable, plain
from .arguments import memory_of
from .contraction import check_square, linalg_cross, matrix_power, multi_dot, vecdot
from .matmul import matmul
from .norms import vector_norm
from .public import publish, with_out

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


def info(A: Tensor, order_of: Callable[[ndarray], int] | None = None) -> Tensor:
    """Return for each matrix 0, or where it fails.

    Args:
        order_of: says so of one matrix, counting from 1; without it all succeed.
    """
    orders = np.zeros(tuple(A.shape[:-2]), np.int32)
    if order_of is not None:
        matrices = memory_of(A)
        if matrices is None:  # inside of a transformation
            orders[...] = 1
        else:
            for place in np.ndindex(orders.shape):
                orders[place] = order_of(matrices[place])
    return plain(orders)


def failing_minor(matrix: ndarray) -> int:
    """Return the order of the first leading minor that is not positive definite."""
    for order in range(1, len(matrix) + 1):
        try:
            np.linalg.cholesky(matrix[:order, :order])
        except np.linalg.LinAlgError:
            return order
    return 0


def dependent_column(matrix: ndarray) -> int:
    """Return the number of the first column of a singular matrix that depends."""
    try:
        np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        ranks = [np.linalg.matrix_rank(matrix[:, : k + 1]) for k in range(len(matrix))]
        return next((k + 1 for k, rank in enumerate(ranks) if rank <= k), len(matrix))
    return 0


def of_those_that_succeed(
    compute: Callable[[Tensor], Tensor], A: Tensor, orders: Tensor
) -> Tensor:
    """Compute with the matrices that do not fail; the results of others are NaN."""
    failed = orders != 0
    one = plain(np.eye(A.shape[-1], dtype=A.dtype.numpy))
    result = compute(A.where(~failed[..., None, None], one))
    extra = (None,) * (result.ndim - failed.ndim)
    return result.where(~failed[(..., *extra)], float("nan"))
