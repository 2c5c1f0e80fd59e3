"""Masked ops along a dimension whose results have the shape of the input."""

from __future__ import annotations

from ..dtypes import dtype as Dtype
from ..tensor import Tensor
from .masks import canonical_dims, filled
from .reductions import norm


def one_dim(input: Tensor, dim: int) -> int:
    (found,) = canonical_dims(dim, len(input.shape))
    return found


def cumsum(
    input: Tensor, dim: int, *, dtype: Dtype | None = None, mask: Tensor | None = None
) -> Tensor:
    """Return sums that take notice of the elements where the mask is true.

    >>> import wengert as torch
    >>> torch.masked.cumsum(torch.ones(3), 0, mask=torch.tensor([True, False, True]))
    tensor([1., 1., 2.])
    """
    dtype = dtype or input.dtype
    given = filled("sum", input, mask)
    result: Tensor = given.cumsum(one_dim(input, dim), dtype=dtype)
    return result


def cumprod(
    input: Tensor, dim: int, *, dtype: Dtype | None = None, mask: Tensor | None = None
) -> Tensor:
    """Return products that take notice of the elements where the mask is true."""
    dtype = dtype or input.dtype
    given = filled("prod", input, mask, 1)
    result: Tensor = given.cumprod(one_dim(input, dim), dtype=dtype)
    return result


def softmax(
    input: Tensor, dim: int, *, dtype: Dtype | None = None, mask: Tensor | None = None
) -> Tensor:
    """Return the softmax of the elements where the mask is true, elsewhere 0.

    >>> import wengert as torch
    >>> torch.masked.softmax(torch.ones(3), 0, mask=torch.tensor([True, False, True]))
    tensor([0.5000, 0.0000, 0.5000])
    """
    given = filled("amax", input, mask, "low")
    result: Tensor = given.softmax(one_dim(input, dim), dtype=dtype or input.dtype)
    return result


def log_softmax(
    input: Tensor, dim: int, *, dtype: Dtype | None = None, mask: Tensor | None = None
) -> Tensor:
    """Return the logarithm of the softmax of the elements where the mask is true."""
    given = filled("amax", input, mask, "low")
    result: Tensor = given.log_softmax(one_dim(input, dim), dtype=dtype or input.dtype)
    return result


def softmin(
    input: Tensor, dim: int, *, dtype: Dtype | None = None, mask: Tensor | None = None
) -> Tensor:
    """Return the softmax of the opposite elements where the mask is true."""
    given = filled("amin", input, mask, "high")
    result: Tensor = (-given).softmax(one_dim(input, dim), dtype=dtype or input.dtype)
    return result


def normalize(
    input: Tensor,
    ord: float,
    dim: int,
    *,
    eps: float = 1e-12,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Return the elements where the mask is true, divided by their norm."""
    dtype = dtype or input.dtype
    length = norm(input, ord, dim, keepdim=True, dtype=dtype, mask=mask)
    given = filled("sum", input, mask)
    return given / length.maximum(length.new_full((), eps))
