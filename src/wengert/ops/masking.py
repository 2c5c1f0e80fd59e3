"""Ops with masks: filling, picking and writing the elements where a mask is true."""

from __future__ import annotations

from typing import Any

from .. import dtypes, errors
from ..primitives import masking as M
from ..tensor import Tensor
from .arguments import broadcast_shape
from .public import op


def common_shape(input: Tensor, mask: Tensor) -> tuple[int, ...]:
    """Return the shape of both broadcast, or refuse the mask."""
    a, b = tuple(input.shape), tuple(mask.shape)
    if a == b:
        return a
    try:
        return broadcast_shape(a, b)
    except RuntimeError:
        raise errors.not_broadcastable(a, b) from None


@op(inplace=True, out=False)
def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """Return the tensor with one value where the mask is true.

    Args:
        mask: of booleans; it is broadcast with the tensor.
        value: a number, or a tensor without dimensions.

    >>> import wengert as torch
    >>> torch.tensor([1, 2]).masked_fill(torch.tensor([True, False]), 0)
    tensor([0, 2])
    """
    if mask.dtype is not dtypes.bool_:
        raise RuntimeError(
            "masked_fill_ only supports boolean masks, but got mask with dtype "
            f"{mask.dtype.c_name}"
        )
    common_shape(input, mask)
    if not isinstance(value, Tensor):
        check_value(input, value)
        filled: Tensor = M.masked_fill_number(input, mask, value=value)
        return filled
    if value.shape:
        raise RuntimeError(
            "masked_fill_ only supports a 0-dimensional value tensor, but got tensor "
            f"with {len(value.shape)} dimension(s)."
        )
    if value.dtype.is_complex:
        check_value(input, 1j)
    result: Tensor = M.masked_fill(input, mask, value)
    return result


def check_value(input: Tensor, value: Any) -> None:
    """Refuse a number that the dtype cannot hold at all."""
    category = 3 if isinstance(value, complex) else 2 if isinstance(value, float) else 1
    if category == 3 and not (input.dtype.is_complex or input.dtype is dtypes.bool_):
        raise RuntimeError(
            f"value cannot be converted to type {c_type(input.dtype)} without overflow"
        )


def c_type(dtype: dtypes.dtype) -> str:
    """Return the C type of numbers of a dtype."""
    name = dtype.name
    if name.endswith(("int8", "int16", "int64")):
        return f"{name}_t"
    return dtype.c_name


@op()
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """Return the elements where the mask is true, as a vector; both are broadcast.

    >>> import wengert as torch
    >>> x = torch.tensor([1, 2, 3])
    >>> x.masked_select(x > 1)
    tensor([2, 3])
    """
    if mask.dtype is not dtypes.bool_:
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    result: Tensor = M.masked_select(input, mask, shape=common_shape(input, mask))
    return result


@op(inplace=True, out=False)
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """Return the tensor with elements of `source`, in order, where the mask is true.

    >>> import wengert as torch
    >>> x, mask = torch.zeros(3), torch.tensor([True, False, True])
    >>> x.masked_scatter(mask, torch.tensor([1., 2.]))
    tensor([1., 0., 2.])
    """
    if mask.dtype is not dtypes.bool_:
        raise RuntimeError(
            "masked_scatter_ only supports boolean masks, but got mask with dtype "
            f"{mask.dtype.scalar_type}"
        )
    if source.dtype is not input.dtype:
        raise RuntimeError(
            "masked_scatter: expected self and source to have same dtypes but got "
            f"{input.dtype.scalar_type} and {source.dtype.scalar_type}"
        )
    shape = common_shape(input, mask)
    result: Tensor = M.masked_scatter(input, mask, source, shape=shape)
    return result
