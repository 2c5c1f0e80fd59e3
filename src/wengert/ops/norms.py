"""Norms of vectors, and distances between them."""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from ..primitives import norms as P
from ..tensor import Tensor, is_differentiable
from .arguments import broadcast_shape
from .public import op
from .reduction import Dim, dims_of, numpy_names, one_dim, with_dtype

Dtype = Any


@op()
@numpy_names
def norm(
    input: Tensor,
    p: Any = "fro",
    dim: Dim = None,
    keepdim: bool = False,
    out: Tensor | None = None,
    dtype: Dtype = None,
) -> Tensor:
    """Return the norm of all elements as a vector, or of vectors along dimensions.

    Args:
        p: the exponent; "fro" is 2, "nuc" the sum of a matrix's singular values.
        dim: a dimension or several; none means all.
        keepdim: keep the reduced dimensions, with size 1.
        out: the tensor to write into.
        dtype: cast to this first.

    >>> import wengert as torch
    >>> torch.tensor([3.0, 4.0]).norm()
    tensor(5.)
    """
    if out is not None:
        from .outputs import check_out, written

        check_out("linalg_vector_norm", out, (input,))
        result = norm(input, p, dim, keepdim, dtype=dtype)
        found: Tensor = written("norm", out, (input,), result)
        return found
    if p is None or p == "fro":
        return vector_norm(input, 2, dim, keepdim, dtype=dtype)
    if isinstance(p, str):
        from .matrix_norms import matrix_norm

        dims = (0, 1) if dim is None else dim
        return matrix_norm(input, p, dims, keepdim, dtype=dtype)
    return vector_norm(input, p, dim, keepdim, dtype=dtype)


def vector_norm(
    x: Tensor,
    ord: Any = 2,
    dim: Dim = None,
    keepdim: bool = False,
    *,
    dtype: Dtype = None,
) -> Tensor:
    """Return the norm of all elements as a vector, or of vectors along dimensions.

    The sum of the absolute values to the power of ``ord``, to the power of 1 / ord;
    infinity means the largest, minus infinity the smallest, zero how many are not zero.

    Args:
        ord: the exponent.
        dim: a dimension or several; none means all.
        keepdim: keep the reduced dimensions, with size 1.
        dtype: cast to this first.

    Raises:
        RuntimeError: the elements are integers, or there are none and the norm of none
            is not defined.

    >>> import wengert as torch
    >>> vector_norm(torch.tensor([3.0, -4.0]), 1)
    tensor(7.)
    """
    if isinstance(ord, str) or not isinstance(ord, (int, float)):
        raise TypeError(
            "linalg_vector_norm(): argument 'ord' (position 2) must be Number, not "
            f"{type(ord).__name__}"
        )
    if not is_differentiable(x._data.dtype):
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. "
            f"Got {x.dtype.scalar_type}"
        )
    if dtype is not None:
        if not is_differentiable(dtypes.to_numpy(dtype)):
            raise RuntimeError(
                "linalg.vector_norm: dtype should be floating point or complex, but "
                f"got {dtype.scalar_type}"
            )
        x = with_dtype(x, dtype)
    dims = dims_of(dim, x.ndim, "linalg.vector_norm")
    if (ord < 0 or ord == math.inf) and 0 in [x.shape[i] for i in dims]:
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {ord:g} norm on an empty tensor "
            "because the operation does not have an identity"
        )
    return P.vector_norm(x, ord=float(ord), dim=dims, keepdim=keepdim)


@op()
def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """Return the norm of the difference of two tensors.

    Args:
        other: is broadcast.
        p: the exponent.

    >>> import wengert as torch
    >>> torch.dist(torch.tensor([3.0, 4.0]), torch.zeros(2))
    tensor(5.)
    """
    common = dtypes.promote_types(input.dtype, other.dtype)
    broadcast_shape(input.shape, other.shape)
    return P.dist(input.to(common), other.to(common), p=float(p))


ROWS_FOR_PRODUCT = {
    "use_mm_for_euclid_dist": -1,
    "use_mm_for_euclid_dist_if_necessary": 25,
    "donot_use_mm_for_euclid_dist": math.inf,
}
"""With more rows than this, Euclidean distances are made of a matrix product."""


@op(method=False)
def cdist(
    x1: Tensor,
    x2: Tensor,
    p: float = 2.0,
    compute_mode: str = "use_mm_for_euclid_dist_if_necessary",
) -> Tensor:
    """Return the distances of all pairs of rows of two matrices, or of stacks of them.

    Args:
        x1: (..., n, k).
        x2: (..., m, k).
        p: the exponent of the norm.
        compute_mode: whether Euclidean distances are made of a matrix product, which is
            quick and less exact: "use_mm_for_euclid_dist",
            "donot_use_mm_for_euclid_dist", or where there are more than 25 rows.

    Returns:
        (..., n, m).

    >>> import wengert as torch
    >>> torch.cdist(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]]))
    tensor([[5.]])
    """
    for name, x in (("X1", x1), ("X2", x2)):
        if x.ndim < 2:
            raise RuntimeError(
                f"cdist only supports at least 2D tensors, {name} got: {x.ndim}D"
            )
        if not x.is_floating_point():
            raise RuntimeError(
                f"cdist only supports floating-point dtypes, {name} got: "
                f"{x.dtype.scalar_type}"
            )
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(
            "X1 and X2 must have the same number of columns. "
            f"X1: {x1.shape[-1]} X2: {x2.shape[-1]}"
        )
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    if compute_mode not in ROWS_FOR_PRODUCT:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    rows = max(x1.shape[-2], x2.shape[-2])
    by_product = rows > ROWS_FOR_PRODUCT[compute_mode]
    batch = broadcast_shape(x1.shape[:-2], x2.shape[:-2])
    if batch:
        x1 = x1.expand((*batch, *x1.shape[-2:]))
        x2 = x2.expand((*batch, *x2.shape[-2:]))
    return P.cdist(x1, x2, p=float(p), by_product=by_product)


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """Return the distances of all pairs of different rows of a matrix.

    Args:
        p: the exponent of the norm.

    Returns:
        Those of row 0 and 1, 0 and 2 ..., 1 and 2 ....

    >>> import wengert as torch
    >>> pdist(torch.tensor([[0.0, 0.0], [3.0, 4.0]]))
    tensor([5.])
    """
    if input.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    from .rearranging import triu_indices

    first, second = triu_indices(input.shape[0], input.shape[0], 1)
    difference = input.index_select(0, first) - input.index_select(0, second)
    return vector_norm(difference, p, 1)


@op(inplace=True)
def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """Return the tensor with each slice along a dimension scaled to a norm at most.

    Args:
        p: the exponent of the norm.
        dim: the dimension that numbers the slices.
        maxnorm: what their norms are at most.

    >>> import wengert as torch
    >>> torch.tensor([[3.0, 4.0], [0.3, 0.4]]).renorm(2, 0, 1.0)
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    if input.ndim < 2:
        raise RuntimeError(
            f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions"
        )
    place = one_dim(dim, input.ndim, "renorm")
    others = [i for i in range(input.ndim) if i != place]
    norms = vector_norm(input, p, others, True)
    scale = (maxnorm / (norms + 1e-7)).where(norms > maxnorm, 1.0)
    return input * scale.to(input.dtype)
