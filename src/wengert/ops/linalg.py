"""Linear algebra: the table of its functions, and the checks that they share.

What is made here with `linalg_op` is a function of ``torch.linalg``, and under the
names given also one of ``torch`` and a method.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..primitives import linalg as P
from ..tensor import Tensor, is_differentiable, plain
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


def info(A: Tensor, failed: bool = False) -> Tensor:
    """Return for each matrix 0, or 1 if something failed."""
    return plain(np.full(tuple(A.shape[:-2]), int(failed), np.int32))
