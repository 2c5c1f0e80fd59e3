"""Ops that choose: where, the larger and the smaller, bounds."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert import dtypes
from wengert.primitives import selection as S
from wengert.tensor import Tensor, plain

from .arithmetic import number
from .public import check_operand, describe, namespace, of_tensors, op, publish


@op(method=False)
def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """Take ``input`` where a condition holds, ``other`` elsewhere.

    The gradient of what was not chosen is zero. (If that has an infinite derivative,
    such as that of ``x.sqrt()`` at 0, its own gradient is NaN all the same: choose the
    argument of the function instead.)

    Args:
        condition: a tensor of bools.
        input: a tensor or number.
        other: a tensor or number. Without these two, the indices of the elements that
            are true are returned, a tensor for each dimension.

    Raises:
        RuntimeError: the condition has no bools.

    >>> import wengert as torch
    >>> x = torch.tensor([-1.0, 2.0])
    >>> torch.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    if not isinstance(condition, Tensor):
        raise TypeError(
            "where(): argument 'condition' (position 1) must be Tensor, not "
            f"{type(condition).__name__}"
        )
    if input is None and other is None:
        return namespace["nonzero"](condition, as_tuple=True)
    if input is None or other is None:
        raise TypeError("where() takes a condition alone, or with both input and other")
    kind = condition.dtype
    if kind is not dtypes.bool_ and kind is not dtypes.uint8:
        raise RuntimeError(
            "where expected condition to be a boolean tensor, but got a tensor with "
            f"dtype {kind.scalar_type}"
        )
    if not isinstance(input, Tensor) and not isinstance(other, Tensor):
        input = plain(np.asarray(input, dtypes.result_dtype(input)))
    return S.where(condition, input, other)


def where_method(input: Tensor, condition: Tensor, other: Any) -> Tensor:
    """Take ``input`` where a condition holds: see `torch.where`."""
    chosen: Tensor = where(condition, input, other)
    return chosen


Tensor.where = where_method

# --- the larger and the smaller -------------------------------------------------------

OF_TWO = """{what}.

Args:
    input: a tensor.
    other: a tensor.

>>> import wengert as torch
>>> nan = float("nan")
>>> torch.{name}(torch.tensor([1.0, 2.0, nan]), torch.tensor([3.0, 0.0, 1.0]))
{result}
"""

for _call, _what, _result in (
    (
        S.maximum,
        "The larger of two elements; NaN if one is. Equals get half the gradient each",
        "tensor([3., 2., nan])",
    ),
    (
        S.minimum,
        "The smaller of two elements; NaN if one is. Equals get half the gradient each",
        "tensor([1., 0., nan])",
    ),
    (
        S.fmax,
        "The larger of two elements; the other one if one is NaN",
        "tensor([3., 2., 1.])",
    ),
    (
        S.fmin,
        "The smaller of two elements; the other one if one is NaN",
        "tensor([1., 0., 1.])",
    ),
):
    _name = _call.__name__
    _text = OF_TWO.format(name=_name, what=_what, result=_result)
    publish(describe(of_tensors(_call), _text), (_name,))

publish(
    describe(
        of_tensors(S.nextafter),
        """The next floating-point number after input in the direction of other.

>>> import wengert as torch
>>> torch.nextafter(torch.tensor([1.0]), torch.tensor([2.0])) - 1
tensor([1.1921e-07])
""",
    ),
    ("nextafter",),
    inplace=True,
)


@op(inplace=True)
def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """0 where input is negative, 1 where it is positive, and values where it is zero.

    Raises:
        RuntimeError: the dtypes differ; also where its gradient is asked for.

    >>> import wengert as torch
    >>> torch.heaviside(torch.tensor([-1.0, 0.0, 2.0]), torch.tensor(0.5))
    tensor([0.0000, 0.5000, 1.0000])
    """
    check_operand("heaviside", "values", 1, values)
    if input.dtype is not values.dtype:
        raise RuntimeError(
            "heaviside is not yet implemented for tensors with different dtypes."
        )
    return S.heaviside(input, values)


# --- bounds ---------------------------------------------------------------------------


@op("clip", inplace=True)
def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """Each element, or the bound that it is beyond.

    The gradient flows where the element itself is taken, at the bounds, too.

    Args:
        input: a tensor.
        min: the lower bound, a number or tensor; None for none.
        max: the upper bound, which counts where it is below the lower one.

    Raises:
        RuntimeError: there is no bound.

    >>> import wengert as torch
    >>> torch.clamp(torch.tensor([-1.0, 0.5, 3.0]), 0, 1)
    tensor([0.0000, 0.5000, 1.0000])
    """
    if min is None and max is None:
        raise RuntimeError(
            "torch.clamp: At least one of 'min' or 'max' must not be None"
        )
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        return S.clamp(input, min, max)
    return S.clamp_numbers(input, min, max)


@op(inplace=True)
def clamp_min(input: Tensor, min: Any) -> Tensor:
    """Each element, or `min` where that is larger.

    >>> import wengert as torch
    >>> torch.clamp_min(torch.tensor([-1.0, 0.5]), 0)
    tensor([0.0000, 0.5000])
    """
    return (S.clamp_min if isinstance(min, Tensor) else S.clamp_min_number)(input, min)


@op(inplace=True)
def clamp_max(input: Tensor, max: Any) -> Tensor:
    """Each element, or `max` where that is smaller.

    >>> import wengert as torch
    >>> torch.clamp_max(torch.tensor([-1.0, 0.5]), 0)
    tensor([-1.,  0.])
    """
    return (S.clamp_max if isinstance(max, Tensor) else S.clamp_max_number)(input, max)


@op(inplace=True)
def nan_to_num(
    input: Tensor,
    nan: float | None = None,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Tensor:
    """Finite numbers in place of NaN and infinity.

    Args:
        input: a tensor.
        nan: what replaces NaN; 0 by default.
        posinf: what replaces infinity; the dtype's largest number by default.
        neginf: what replaces minus infinity; the dtype's lowest number by default.

    >>> import wengert as torch
    >>> torch.nan_to_num(torch.tensor([float("nan"), float("inf")]), posinf=9.0)
    tensor([0., 9.])
    """
    replacement = 0.0 if nan is None else number(nan, "nan", "nan_to_num")
    return S.nan_to_num(input, nan=replacement, posinf=posinf, neginf=neginf)
