"""Reductions of the elements that a mask lets through."""

from __future__ import annotations

from math import inf, nan
from typing import Any

from ..dtypes import bool_, dtype as Dtype, float32, int8, int16, int32, int64, uint8
from ..ops.norms import vector_norm
from ..tensor import Tensor
from .masks import Dims, canonical_dims, filled, mask_of

SMALL = (bool_, uint8, int8, int16, int32)
"""The dtypes that sums and products widen."""


def widened(input: Tensor, dtype: Dtype | None) -> Dtype:
    """Return the dtype of a sum or product."""
    if dtype is not None:
        return dtype
    return int64 if input.dtype in SMALL else input.dtype


def sum(
    input: Tensor,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Return the sum of the elements where the mask is true.

    >>> import wengert as torch
    >>> x, mask = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([True, False])
    >>> torch.masked.sum(x, 1, mask=mask)
    tensor([1., 3.])
    """
    dims = canonical_dims(dim, len(input.shape))
    given = filled("sum", input, mask)
    result: Tensor = given.sum(dims, keepdim, dtype=widened(input, dtype))
    return result


def prod(
    input: Tensor,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Return the product of the elements where the mask is true."""
    result = filled("prod", input, mask, 1).to(dtype=widened(input, dtype))
    for d in reversed(canonical_dims(dim, len(input.shape))):
        result = result.prod(d, keepdim)
    return result


def amax(
    input: Tensor,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Return the largest of the elements where the mask is true."""
    given = filled("amax", input, mask, "low")
    dims = canonical_dims(dim, len(input.shape))
    return given.amax(dims, keepdim).to(dtype=dtype or input.dtype)


def amin(
    input: Tensor,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Return the smallest of the elements where the mask is true."""
    given = filled("amin", input, mask, "high")
    dims = canonical_dims(dim, len(input.shape))
    return given.amin(dims, keepdim).to(dtype=dtype or input.dtype)


def argmax(
    input: Tensor,
    dim: int | None = None,
    *,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Return where the largest element is; as PyTorch, in the dtype of the input."""
    given = filled("argmax", input, mask, "low")
    return given.argmax(dim, keepdim).to(dtype=dtype or input.dtype)


def argmin(
    input: Tensor,
    dim: int | None = None,
    *,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Return where the smallest element is; as PyTorch, in the dtype of the input."""
    given = filled("argmin", input, mask, "high")
    return given.argmin(dim, keepdim).to(dtype=dtype or input.dtype)


def count(input: Tensor, dims: tuple[int, ...], keepdim: bool, mask: Any) -> Tensor:
    """Return how many elements there are where the mask is true."""
    whole = input.new_ones(tuple(input.shape), dtype=bool_)
    if mask is not None:
        whole = mask_of(input, mask)
    result: Tensor = whole.sum(dims, keepdim)
    return result


def mean(
    input: Tensor,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Return the mean of the elements where the mask is true."""
    source = "Input" if dtype is None else "Optional"
    dtype = dtype or input.dtype
    if not (dtype.is_floating_point or dtype.is_complex):
        raise ValueError(
            f"mean(): Could not infer output dtype. {source} dtype must be either a "
            f"floating point or complex dtype. Got: {dtype}"
        )
    total = sum(input, dim, keepdim=keepdim, dtype=dtype, mask=mask)
    return total / count(input, canonical_dims(dim, len(input.shape)), keepdim, mask)


def median(
    input: Tensor,
    dim: int = -1,
    *,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Return the median of the elements where the mask is true."""
    (dim,) = canonical_dims(dim, len(input.shape))
    is_float = input.dtype.is_floating_point
    numbers = input if is_float else input.to(dtype=float32)
    found: Tensor = filled("median", numbers, mask, nan).nanmedian(dim, keepdim).values
    if is_float:
        return found
    if found.isnan().any():
        raise ValueError(
            "masked median expects no fully masked out rows if dtype is not floating "
            "point"
        )
    result: Tensor = found.to(dtype=dtype or input.dtype)
    return result


def logsumexp(
    input: Tensor,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Return log(sum(exp(x))) over the elements where the mask is true."""
    given = filled("logsumexp", input, mask, "low")
    dims = canonical_dims(dim, len(input.shape))
    return given.logsumexp(dims, keepdim).to(dtype=dtype or input.dtype)


def logaddexp(
    input: Tensor,
    other: Tensor,
    *,
    dtype: Dtype | None = None,
    input_mask: Tensor | None = None,
    other_mask: Tensor | None = None,
) -> Tensor:
    """Return log(exp(x) + exp(y)), without what is masked out."""
    first = filled("logaddexp", input, input_mask, "low")
    second = filled("logaddexp", other, other_mask, "low")
    return first.logaddexp(second).to(dtype=dtype or input.dtype)


def norm(
    input: Tensor,
    ord: float | None = 2.0,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Return the norm of the elements where the mask is true."""
    given = filled("norm", input, mask, inf if ord == -inf else 0)
    dims = canonical_dims(dim, len(input.shape))
    result: Tensor = vector_norm(
        given, 2 if ord is None else ord, dims, keepdim, dtype=dtype or input.dtype
    )
    return result


def var(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    *,
    correction: float | None = None,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Return the variance of the elements where the mask is true."""
    if unbiased is not None and correction is not None:
        raise AssertionError("Only one of unbiased and correction may be given")
    if correction is None:
        correction = 1.0 if unbiased is None else float(unbiased)
    is_inexact = input.dtype.is_floating_point or input.dtype.is_complex
    dtype = dtype or (input.dtype if is_inexact else float32)
    computed = dtype if dtype.is_floating_point or dtype.is_complex else float32
    dims = canonical_dims(dim, len(input.shape))
    number = count(input, dims, True, mask)
    center = sum(input, dim, keepdim=True, dtype=dtype, mask=mask) / number
    apart = input - center
    total = sum(apart * apart.conj(), dim, keepdim=keepdim, dtype=computed, mask=mask)
    if not keepdim:
        number = number.reshape(tuple(total.shape))
    if correction != 0:
        number = number.to(dtype=total.real.dtype) - correction
        number = number.maximum(number.new_zeros(()))
    result: Tensor = (total / number).to(dtype=dtype)
    return result


def std(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    *,
    correction: float | None = None,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Return the standard deviation of the elements where the mask is true."""
    options: Any = {"correction": correction, "keepdim": keepdim, "dtype": dtype}
    result: Tensor = var(input, dim, unbiased, mask=mask, **options).sqrt()
    return result
