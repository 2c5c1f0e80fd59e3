"""Norms of matrices, what follows from singular values, and equations of tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..primitives import reduction as R
from ..tensor import Tensor, is_differentiable, plain
from .arguments import normalize_dim
from .decompositions import eigvalsh, svdvals
from .linalg import LinAlgError, check_numbers, linalg_op
from .matrix_functions import tolerances
from .norms import vector_norm
from .reduction import with_dtype
from .solving import inv, solve

Dims = tuple[int, int]

# --- norms ----------------------------------------------------------------------------


@linalg_op()
def matrix_norm(
    A: Tensor,
    ord: Any = "fro",
    dim: Any = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Tensor:
    """Return a norm of a matrix, or of each of a stack.

    Args:
        ord: "fro"; "nuc", the sum of the singular values; 2 or -2, the largest or the
            smallest of them; inf or -inf, the largest or smallest sum of a row's
            absolute values; 1 or -1, that of a column's.
        dim: the dimensions of rows and of columns.
        keepdim: keep them, with size 1.
        dtype: cast to this first.

    >>> import wengert as torch
    >>> matrix_norm(torch.tensor([[1.0, -2.0], [3.0, 4.0]]), 1)
    tensor(6.)
    """
    name = "linalg.matrix_norm"
    if A.ndim < 2:
        raise RuntimeError(
            f"{name}: The input tensor A must have at least 2 dimensions."
        )
    rows, columns = two_dims(dim, A.ndim)
    if not is_differentiable(A._data.dtype):
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got "
            f"{A.dtype.scalar_type}"
        )
    if dtype is not None:
        A = with_dtype(A, dtype)
    if ord == "fro":
        return vector_norm(A, 2, (rows, columns), keepdim)
    if ord == "nuc" or (not isinstance(ord, str) and abs(ord) == 2):
        return norm_of_values(A, ord, rows, columns, keepdim)
    if isinstance(ord, str) or abs(ord) not in (1, math.inf):
        raise RuntimeError(f"{name}: Order {ord} not supported.")
    summed, folded = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = vector_norm(A, 1, summed, True)
    result = extreme(sums, folded, ord > 0, keepdim=True)
    return result if keepdim else without(result, rows, columns)


def extreme(values: Tensor, dim: int, largest: bool, keepdim: bool = False) -> Tensor:
    """Return the largest or smallest of values; the largest of none is zero."""
    if not largest:
        return values.amin(dim, keepdim)
    return (values.amax if values.shape[dim] else values.sum)(dim, keepdim)


def two_dims(dim: Any, ndim: int) -> Dims:
    """Return the dimensions of rows and columns, counted from zero up."""
    if not isinstance(dim, (tuple, list)) or len(dim) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {dim}")
    rows, columns = [normalize_dim(item, ndim) for item in dim]
    if rows == columns:
        raise RuntimeError(
            f"linalg.matrix_norm: dims must be different. Got ({dim[0]}, {dim[1]})"
        )
    return rows, columns


def norm_of_values(
    A: Tensor, ord: Any, rows: int, columns: int, keepdim: bool
) -> Tensor:
    """Return a norm that is made of the singular values."""
    values = svdvals(A.movedim((rows, columns), (-2, -1)))
    if ord == "nuc":
        result = values.sum(-1)
    else:
        result = extreme(values, -1, ord > 0)
    if not keepdim:
        return result
    shape = [1 if i in (rows, columns) else n for i, n in enumerate(A.shape)]
    return result.reshape(shape)


def without(value: Tensor, *dims: int) -> Tensor:
    """Take dimensions of size 1 away."""
    return value.reshape([n for i, n in enumerate(value.shape) if i not in dims])


@linalg_op()
def linalg_norm(
    A: Tensor,
    ord: Any = None,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Tensor:
    """Return the norm of vectors or of matrices.

    Args:
        ord: see `vector_norm` and `matrix_norm`; by default the Euclidean norm.
        dim: one dimension asks for the norms of vectors, two for those of matrices;
            without it, that depends on the tensor if ``ord`` is given.
        keepdim: keep the reduced dimensions, with size 1.
        dtype: cast to this first.

    >>> import wengert as torch
    >>> linalg_norm(torch.tensor([3.0, 4.0]))
    tensor(5.)
    """
    if dim is not None and isinstance(dim, (tuple, list)) and len(dim) not in (1, 2):
        raise RuntimeError(
            "linalg.norm: If dim is specified, it must be of length 1 or 2. Got "
            f"{list(dim)}"
        )
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if dim is None:
        if A.ndim not in (1, 2):
            raise RuntimeError(
                "linalg.norm: If dim is not specified but ord is, the input must be 1D "
                f"or 2D. Got {A.ndim}D."
            )
        dim = tuple(range(A.ndim)) if A.ndim == 2 else 0
    of_matrices = isinstance(dim, (tuple, list)) and len(dim) == 2
    if of_matrices or isinstance(ord, str):
        return matrix_norm(A, ord, dim, keepdim, dtype=dtype)
    return vector_norm(A, ord, dim, keepdim, dtype=dtype)


# --- from singular values -------------------------------------------------------------


@linalg_op()
def cond(A: Tensor, p: Any = None) -> Tensor:
    """Return the condition number of a matrix, or of each of a stack.

    Args:
        p: the norm, see `matrix_norm`; 2 by default.

    >>> import wengert as torch
    >>> cond(torch.tensor([[4.0, 0.0], [0.0, 2.0]]))
    tensor(2.)
    """
    if not A.numel():
        return A.abs().sum((-2, -1))
    if p is None or p in (2, -2):
        values = svdvals(A)
        largest, smallest = values[..., 0], values[..., -1]
        return smallest / largest if p == -2 else largest / smallest
    if A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            f"linalg.cond(ord={p}): A must be batches of square matrices, but they are "
            f"{A.shape[-2]} by {A.shape[-1]} matrices"
        )
    try:
        inverse = inv(A)
    except LinAlgError:
        return matrix_norm(A, p) * float("inf")
    return matrix_norm(A, p) * matrix_norm(inverse, p)


@linalg_op()
def matrix_rank(
    A: Tensor,
    tol: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
) -> Tensor:
    """Return the rank of a matrix, or of each of a stack.

    Args:
        tol, atol: up to where a singular value counts as zero.
        hermitian: whether the matrices are symmetric or Hermitian.
        rtol: the same as a fraction of the largest singular value.

    >>> import wengert as torch
    >>> matrix_rank(torch.ones(2, 2))
    tensor(1)
    """
    check_numbers(A, "linalg.matrix_rank")
    if A.ndim < 2:
        raise RuntimeError(
            "linalg.matrix_rank: The input tensor input must have at least 2 "
            "dimensions."
        )
    atol = tol if atol is None else atol
    atol, rtol = tolerances(A, atol, rtol)
    A = A.detach()
    values = eigvalsh(A).abs() if hermitian else svdvals(A)
    largest = values.amax(-1, True) if values.shape[-1] else values.sum(-1, True)
    limit = per_matrix(rtol, values) * largest
    return (values > limit.maximum(per_matrix(atol, values))).sum(-1)


def per_matrix(number: Any, like: Tensor) -> Tensor:
    """Return a number, or one for each matrix, to be compared with its values."""
    if isinstance(number, Tensor):
        return number.detach().unsqueeze(-1)
    return plain(np.asarray(number, like.dtype.numpy)[..., None])


# --- equations of tensors -------------------------------------------------------------


@linalg_op()
def tensorinv(A: Tensor, ind: int = 2) -> Tensor:
    """Return the tensor B with tensordot(A, B, ind) an identity.

    Args:
        A: its first ``ind`` dimensions have as many elements as the others.
        ind: how many dimensions count as rows.

    >>> import wengert as torch
    >>> tensorinv(torch.eye(4).reshape(2, 2, 4)).shape
    torch.Size([4, 2, 2])
    """
    if ind <= 0:
        raise RuntimeError("Expected a strictly positive integer for 'ind'")
    shape = tuple(A.shape)
    rows, columns = math.prod(shape[:ind]), math.prod(shape[ind:])
    if rows != columns:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == "
            f"prod(self.shape[:ind]), but got {columns} != {rows}"
        )
    return inv(A.reshape((rows, rows))).reshape((*shape[ind:], *shape[:ind]))


@linalg_op()
def tensorsolve(A: Tensor, B: Tensor, dims: Any = None) -> Tensor:
    """Return X with tensordot(A, X) = B.

    Args:
        A: its last dimensions are those of X, its first those of B.
        dims: dimensions of A that are moved to the end first.

    >>> import wengert as torch
    >>> tensorsolve(torch.eye(4).reshape(2, 2, 2, 2), torch.ones(2, 2))
    tensor([[1., 1.],
            [1., 1.]])
    """
    if dims is not None:
        A = A.movedim(tuple(dims), tuple(range(-len(dims), 0)))
    wanted = tuple(A.shape[B.ndim :])
    rows, columns = math.prod(A.shape[: B.ndim]), math.prod(wanted)
    if rows != columns:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
            f"prod(self.shape[:other.ndim]), but got {columns} != {rows}"
        )
    return solve(A.reshape((rows, rows)), B.reshape((rows,))).reshape(wanted)


@linalg_op()
def vander(x: Tensor, N: int | None = None) -> Tensor:
    """Return the powers of elements: 1, x, x squared ... .

    Args:
        x: vectors.
        N: how many powers; by default as many as elements.

    >>> import wengert as torch
    >>> vander(torch.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [1, 2, 4],
            [1, 3, 9]])
    """
    count = (x.shape[-1] if x.ndim else 1) if N is None else N
    if count <= 1:
        raise RuntimeError("N must be greater than 1.")
    ones = x.unsqueeze(-1) * 0 + 1
    if not is_differentiable(x._data.dtype):
        ones, x = ones.long(), x.long()
    factors = R.expand_to(x.unsqueeze(-1), shape=(*x.shape, count - 1))
    from .joining import cat

    return cat([ones, factors.cumprod(-1)], -1)


@linalg_op()
def linalg_diagonal(
    A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1
) -> Tensor:
    """Return the diagonals of matrices, a view.

    Args:
        offset: how far above the main diagonal.
        dim1, dim2: the dimensions of rows and of columns.

    >>> import wengert as torch
    >>> linalg_diagonal(torch.eye(2))
    tensor([1., 1.])
    """
    return A.diagonal(offset, dim1, dim2)
