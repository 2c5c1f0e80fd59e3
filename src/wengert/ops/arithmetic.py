"""Arithmetic of two and more tensors, element by element."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert import dtypes
from wengert.inplace import inplace
from wengert.primitives import elementwise as E, rounding as R, trigonometric as T
from wengert.tensor import Tensor

from .public import check_operand, describe, of_tensors, op, publish
from .results import named_result

Number = int | float | complex

# --- sums and products ----------------------------------------------------------------


@op(inplace=True, numbers=True)
def add(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """The sum ``input + alpha * other``, element by element.

    Args:
        input: a tensor.
        other: a tensor or number; shapes are broadcast and dtypes promoted.
        alpha: a number.

    >>> import wengert as torch
    >>> torch.add(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]), alpha=10)
    tensor([31., 42.])
    """
    if type(alpha) is int and alpha == 1:
        return E.add(input, other)
    return E.add_scaled(input, other, alpha=checked_alpha("add", alpha, input, other))


@op("subtract", inplace=True, numbers=True)
def sub(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """The difference ``input - alpha * other``, element by element.

    Args:
        input: a tensor.
        other: a tensor or number; shapes are broadcast and dtypes promoted.
        alpha: a number.

    Raises:
        RuntimeError: one of the tensors has bools.

    >>> import wengert as torch
    >>> torch.sub(torch.tensor([1.0, 2.0]), 1)
    tensor([0., 1.])
    """
    if type(alpha) is int and alpha == 1:
        return E.sub(input, other)
    return E.sub_scaled(input, other, alpha=checked_alpha("sub", alpha, input, other))


@op(method=False)
def rsub(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """The difference ``other - alpha * input``: `sub` the other way round.

    >>> import wengert as torch
    >>> torch.rsub(torch.tensor([1.0, 2.0]), 10)
    tensor([9., 8.])
    """
    if isinstance(other, Tensor) or alpha != 1:
        alpha = checked_alpha("rsub", alpha, input, other)
        return E.rsub_scaled(input, other, alpha=alpha)
    return E.rsub(input, other)


def checked_alpha(op_name: str, alpha: Any, *operands: Any) -> Number:
    """Return the number that an operand is multiplied with, if it suits the result.

    Raises:
        TypeError: it is no number.
        RuntimeError: its kind does not go with the dtype of the result.
    """
    alpha = number(alpha, "alpha", op_name)
    common = dtypes.from_numpy(dtypes.result_dtype(*operands))
    if isinstance(alpha, bool) and common is not dtypes.bool_:
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if isinstance(alpha, complex) and not common.is_complex:
        raise RuntimeError(
            "For non-complex input tensors, argument alpha must not be a complex "
            "number."
        )
    if isinstance(alpha, float) and common.category < dtypes.FLOAT:
        raise RuntimeError(
            "For integral input tensors, argument alpha must not be a floating point "
            "number."
        )
    return alpha


def number(value: Any, name: str, op_name: str) -> Number:
    """Return a number given as such, as NumPy's, or as a tensor of one element."""
    if isinstance(value, (Tensor, np.generic)) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, Number):
        raise TypeError(
            f"{op_name}(): argument '{name}' must be Number, not {type(value).__name__}"
        )
    return value


publish(
    describe(
        E.mul,
        """The product ``input * other``, element by element.

Args:
    input: a tensor.
    other: a tensor or number; shapes are broadcast and dtypes promoted.

>>> import wengert as torch
>>> torch.mul(torch.tensor([1.0, 2.0]), torch.tensor([[3.0], [4.0]]))
tensor([[3., 6.],
        [4., 8.]])
""",
    ),
    ("mul", "multiply"),
    inplace=True,
    numbers=True,
)


@op("true_divide", "divide", inplace=True, numbers=True)
def div(input: Tensor, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """The quotient ``input / other``, element by element; integers give floats.

    Args:
        input: a tensor.
        other: a tensor or number; shapes are broadcast and dtypes promoted.
        rounding_mode: None for the true quotient, "trunc" to round it towards zero,
            "floor" to round it down; then integers give integers, and gradients are
            zero.

    Raises:
        RuntimeError: the mode is none of these, or integers are divided by zero.

    >>> import wengert as torch
    >>> torch.div(torch.tensor([7.0, -7.0]), 2)
    tensor([ 3.5000, -3.5000])
    >>> torch.div(torch.tensor([7, -7]), 2, rounding_mode="floor")
    tensor([ 3, -4])
    """
    if rounding_mode is None:
        return E.div(input, other)
    if rounding_mode == "floor":
        return R.div_floor(input, other)
    if rounding_mode == "trunc":
        return R.div_trunc(input, other)
    raise RuntimeError(
        "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
        f"'{rounding_mode}'"
    )


@op(inplace=True, numbers=True)
def floor_divide(input: Tensor, other: Any) -> Tensor:
    """The quotient ``input / other`` rounded down; not differentiable, as in PyTorch.

    >>> import wengert as torch
    >>> torch.floor_divide(torch.tensor([7, -7]), 2)
    tensor([ 3, -4])
    """
    return R.floor_divide(input, other)


@op(inplace=True, numbers=True)
def remainder(input: Tensor, other: Any) -> Tensor:
    """What remains of ``input / other`` rounded down; it has the sign of the divisor.

    >>> import wengert as torch
    >>> torch.remainder(torch.tensor([7.0, -7.0]), 4)
    tensor([3., 1.])
    """
    if isinstance(other, Tensor) or not isinstance(input, Tensor):
        return R.remainder(input, other)
    return R.remainder_number(input, other)


@op(inplace=True)
def fmod(input: Tensor, other: Any) -> Tensor:
    """What remains of ``input / other`` rounded towards zero; it has the sign of input.

    >>> import wengert as torch
    >>> torch.fmod(torch.tensor([7.0, -7.0]), 4)
    tensor([ 3., -3.])
    """
    return (R.fmod if isinstance(other, Tensor) else R.fmod_number)(input, other)


@op(inplace=True)
def addcmul(
    input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1
) -> Tensor:
    """The sum ``input + value * tensor1 * tensor2``.

    >>> import wengert as torch
    >>> two = torch.tensor([2.0])
    >>> torch.addcmul(torch.tensor([1.0]), two, two, value=10)
    tensor([41.])
    """
    return E.addcmul(input, tensor1, tensor2, value=number(value, "value", "addcmul"))


@op(inplace=True)
def addcdiv(
    input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1
) -> Tensor:
    """The sum ``input + value * tensor1 / tensor2``.

    Raises:
        RuntimeError: both tensors have integers; divide them by `div` first.

    >>> import wengert as torch
    >>> torch.addcdiv(torch.tensor([1.0]), torch.tensor([6.0]), torch.tensor([4.0]))
    tensor([2.5000])
    """
    check_operand("addcdiv", "tensor1", 1, tensor1)
    check_operand("addcdiv", "tensor2", 2, tensor2)
    if not (is_inexact(tensor1) or is_inexact(tensor2)):
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported: use (input + value "
            "* torch.trunc(tensor1 / tensor2)).to(input.dtype), or give it floats"
        )
    return E.addcdiv(input, tensor1, tensor2, value=number(value, "value", "addcdiv"))


def is_inexact(tensor: Tensor) -> bool:
    """Whether a tensor has floats or complex numbers."""
    return tensor.dtype.category >= dtypes.FLOAT


@op(inplace=True)
def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """From one tensor to another on a line: ``input + weight * (end - input)``.

    Args:
        input: where weight 0 is.
        end: where weight 1 is; a tensor of the same dtype.
        weight: a number, or a tensor of the same dtype.

    Raises:
        RuntimeError: the dtypes differ.

    >>> import wengert as torch
    >>> torch.lerp(torch.tensor([0.0, 10.0]), torch.tensor([1.0, 20.0]), 0.25)
    tensor([ 0.2500, 12.5000])
    """
    check_operand("lerp", "end", 1, end)
    check_same_dtype(input, end, "end")
    if not isinstance(weight, Tensor):
        return E.lerp_number(input, end, number(weight, "weight", "lerp"))
    if weight.ndim:
        check_same_dtype(input, weight, "weight")
    return E.lerp(input, end, weight)


def check_same_dtype(input: Tensor, other: Tensor, name: str) -> None:
    """Refuse a tensor whose dtype is not that of the input."""
    if other.dtype is not input.dtype:
        raise RuntimeError(
            f"expected dtype {input.dtype.c_name} for `{name}` but got dtype "
            f"{other.dtype.c_name}"
        )


# --- powers ---------------------------------------------------------------------------


@op(inplace=True, numbers=True)
def pow(input: Any, exponent: Any) -> Tensor:
    """The power ``input ** exponent``, element by element.

    Args:
        input: a tensor, or a number if the exponent is a tensor.
        exponent: a tensor or number.

    Raises:
        RuntimeError: an integer is to be raised to a negative integer.

    >>> import wengert as torch
    >>> torch.pow(torch.tensor([2.0, 3.0]), 2)
    tensor([4., 9.])
    >>> torch.pow(2, torch.tensor([2.0, 3.0]))
    tensor([4., 8.])
    """
    if isinstance(exponent, Tensor):
        return (E.pow if isinstance(input, Tensor) else E.number_pow)(input, exponent)
    return E.pow_number(input, exponent)


@op(numbers=True)
def float_power(input: Any, exponent: Any) -> Tensor:
    """The power ``input ** exponent`` in double precision.

    Args:
        input: a tensor, or a number if the exponent is a tensor.
        exponent: a tensor or number.

    Returns:
        The powers in ``torch.float64``, or ``torch.complex128``.

    >>> import wengert as torch
    >>> torch.float_power(torch.tensor([2, 3]), -1)
    tensor([0.5000, 0.3333], dtype=torch.float64)
    """
    wide = double_dtype(input, exponent)
    operands = [x.to(wide) if isinstance(x, Tensor) else x for x in (input, exponent)]
    return pow(*operands)


def double_dtype(*operands: Any) -> dtypes.dtype:
    """Return the double precision dtype for tensors and numbers."""
    for operand in operands:
        if isinstance(operand, complex) or (
            isinstance(operand, Tensor) and operand.dtype.is_complex
        ):
            return dtypes.complex128
    return dtypes.float64


def float_power_(input: Tensor, exponent: Any) -> Tensor:
    """In-place version of `float_power`, of a tensor that has double precision."""
    wide = double_dtype(input, exponent)
    if input.dtype is not wide:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {input.dtype.scalar_type} but "
            f"the operation's result requires dtype {wide.scalar_type}"
        )
    written: Tensor = inplace(float_power)(input, exponent)
    return written


Tensor.float_power_ = float_power_

publish(
    describe(
        of_tensors(E.logaddexp),
        """The sum of powers of e as one: log(exp(input) + exp(other)); no overflow.

>>> import wengert as torch
>>> torch.logaddexp(torch.tensor([1000.0]), torch.tensor([1000.0]))
tensor([1000.6932])
""",
    ),
    ("logaddexp",),
)
publish(
    describe(
        of_tensors(E.logaddexp2),
        """The sum of powers of 2 as one: log2(2**input + 2**other); no overflow.

>>> import wengert as torch
>>> torch.logaddexp2(torch.tensor([1000.0]), torch.tensor([1000.0]))
tensor([1001.])
""",
    ),
    ("logaddexp2",),
)
publish(
    describe(
        of_tensors(T.hypot),
        """The hypotenuse sqrt(input**2 + other**2), without overflow.

>>> import wengert as torch
>>> torch.hypot(torch.tensor([3.0]), torch.tensor([4.0]))
tensor([5.])
""",
    ),
    ("hypot",),
    inplace=True,
)
publish(
    describe(
        of_tensors(T.atan2),
        """The angle of the point (other, input) from the x axis, from -π to π.

>>> import wengert as torch
>>> torch.atan2(torch.tensor([1.0, -1.0]), torch.tensor([-1.0, 0.0]))
tensor([ 2.3562, -1.5708])
""",
    ),
    ("atan2", "arctan2"),
    inplace=True,
)

# --- signs and exponents --------------------------------------------------------------


@op(inplace=True)
def copysign(input: Tensor, other: Any) -> Tensor:
    """The absolute value of input with the sign of other; integers give floats.

    >>> import wengert as torch
    >>> torch.copysign(torch.tensor([1.0, -2.0]), -0.0)
    tensor([-1., -2.])
    """
    if isinstance(other, Tensor):
        return E.copysign(input, other)
    return E.copysign_number(input, other)


publish(
    describe(
        of_tensors(E.ldexp),
        """The product ``input * 2 ** other``.

>>> import wengert as torch
>>> torch.ldexp(torch.tensor([1.0, 3.0]), torch.tensor([4, -1]))
tensor([16.0000,  1.5000])
""",
    ),
    ("ldexp",),
    inplace=True,
)

mantissa_and_exponent = named_result("frexp", "mantissa", "exponent")


@op()
def frexp(input: Tensor) -> Any:
    """Mantissas of absolute value from 0.5 to 1 and integer exponents of base 2.

    Returns:
        (mantissa, exponent) with ``input = mantissa * 2 ** exponent``.

    Raises:
        RuntimeError: the tensor has no floats.

    >>> import wengert as torch
    >>> torch.frexp(torch.tensor([1.0, 10.0])).exponent
    tensor([1, 4], dtype=torch.int32)
    """
    if not input.dtype.is_floating_point:
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    return mantissa_and_exponent(*E.frexp(input))
