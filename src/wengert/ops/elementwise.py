"""Functions of one tensor, element by element: exponentials, trigonometry, rounding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert import dtypes
from wengert.primitives import elementwise as E, rounding as R, trigonometric as T
from wengert.tensor import Tensor

from .arithmetic import pow
from .public import op, publish

DOCUMENTATION = """{summary}

Args:
    input: the tensor.

>>> import wengert as torch
>>> torch.{name}(torch.tensor({example}))
{result}
"""


def one(
    call: Callable[..., Any],
    names: str,
    summary: str,
    example: str,
    result: str,
    inplace: bool = True,
) -> None:
    """Publish the quick call of a primitive as a function of one tensor.

    Args:
        call: the quick call.
        names: the function's name, and others for it, separated by spaces.
        summary: the documentation's first line.
        example: what a tensor is made of to call it with.
        result: what is printed then.
        inplace: whether there is a method that writes into the tensor.
    """
    first, *_ = names.split()
    call.__doc__ = DOCUMENTATION.format(
        summary=summary, name=first, example=example, result=result
    )
    publish(call, names.split(), inplace=inplace)


# --- sign and inverse -----------------------------------------------------------------

one(
    E.neg,
    "neg negative",
    "The opposite of each element.",
    "[1.0, -2.0]",
    "tensor([-1.,  2.])",
)
one(
    E.abs,
    "abs absolute",
    "The absolute value of each element; its gradient is 0 at 0.",
    "[-1.0, 2.0]",
    "tensor([1., 2.])",
)
one(
    E.sign,
    "sign",
    "-1, 0 or 1 as each element is negative, zero or positive.",
    "[-3.0, 0.0, 0.5]",
    "tensor([-1.,  0.,  1.])",
)
one(
    E.sgn,
    "sgn",
    "Each element divided by its absolute value, 0 for 0; also for complex numbers.",
    "[3 + 4j, 0j]",
    "tensor([0.6000+0.8000j, 0.0000+0.0000j])",
)
one(
    E.reciprocal,
    "reciprocal",
    "1 / x for each element x.",
    "[2.0, 4.0]",
    "tensor([0.5000, 0.2500])",
)

# --- roots, exponentials and logarithms -----------------------------------------------

one(
    E.sqrt, "sqrt", "The square root of each element.", "[4.0, 9.0]", "tensor([2., 3.])"
)
one(
    E.rsqrt,
    "rsqrt",
    "1 / sqrt(x) for each element x.",
    "[4.0, 16.0]",
    "tensor([0.5000, 0.2500])",
)
one(
    E.exp,
    "exp",
    "e to the power of each element.",
    "[0.0, 1.0]",
    "tensor([1.0000, 2.7183])",
)
one(E.exp2, "exp2", "2 to the power of each element.", "[0.0, 3.0]", "tensor([1., 8.])")
one(
    E.expm1,
    "expm1",
    "e to the power of each element, minus 1; exact for small ones, too.",
    "[0.0, 1.0]",
    "tensor([0.0000, 1.7183])",
)
one(
    E.log,
    "log",
    "The natural logarithm of each element.",
    "[1.0, 10.0]",
    "tensor([0.0000, 2.3026])",
)
one(
    E.log2,
    "log2",
    "The logarithm to base 2 of each element.",
    "[1.0, 8.0]",
    "tensor([0., 3.])",
)
one(
    E.log10,
    "log10",
    "The logarithm to base 10 of each element.",
    "[1.0, 2.0]",
    "tensor([0.0000, 0.3010])",
)
one(
    E.log1p,
    "log1p",
    "The natural logarithm of 1 + x for each element x; exact for small ones, too.",
    "[0.0, 1.0]",
    "tensor([0.0000, 0.6931])",
)
one(
    E.sigmoid,
    "sigmoid",
    "The logistic function 1 / (1 + exp(-x)) of each element x.",
    "[0.0, 2.0]",
    "tensor([0.5000, 0.8808])",
)

# --- trigonometric and hyperbolic functions -------------------------------------------

one(
    T.sin,
    "sin",
    "The sine of each element, in radians.",
    "[0.0, 1.0]",
    "tensor([0.0000, 0.8415])",
)
one(
    T.cos,
    "cos",
    "The cosine of each element, in radians.",
    "[0.0, 1.0]",
    "tensor([1.0000, 0.5403])",
)
one(
    T.tan,
    "tan",
    "The tangent of each element, in radians.",
    "[0.0, 1.0]",
    "tensor([0.0000, 1.5574])",
)
one(
    T.asin,
    "asin arcsin",
    "The angle whose sine each element is.",
    "[0.0, 1.0]",
    "tensor([0.0000, 1.5708])",
)
one(
    T.acos,
    "acos arccos",
    "The angle whose cosine each element is.",
    "[0.0, 1.0]",
    "tensor([1.5708, 0.0000])",
)
one(
    T.atan,
    "atan arctan",
    "The angle whose tangent each element is.",
    "[0.0, 1.0]",
    "tensor([0.0000, 0.7854])",
)
one(
    T.sinh,
    "sinh",
    "The hyperbolic sine of each element.",
    "[0.0, 1.0]",
    "tensor([0.0000, 1.1752])",
)
one(
    T.cosh,
    "cosh",
    "The hyperbolic cosine of each element.",
    "[0.0, 1.0]",
    "tensor([1.0000, 1.5431])",
)
one(
    E.tanh,
    "tanh",
    "The hyperbolic tangent of each element.",
    "[0.0, 1.0]",
    "tensor([0.0000, 0.7616])",
)
one(
    T.asinh,
    "asinh arcsinh",
    "The inverse hyperbolic sine of each element.",
    "[0.0, 1.0]",
    "tensor([0.0000, 0.8814])",
)
one(
    T.acosh,
    "acosh arccosh",
    "The inverse hyperbolic cosine of each element.",
    "[1.0, 2.0]",
    "tensor([0.0000, 1.3170])",
)
one(
    T.atanh,
    "atanh arctanh",
    "The inverse hyperbolic tangent of each element.",
    "[0.0, 0.5]",
    "tensor([0.0000, 0.5493])",
)
one(
    T.sinc,
    "sinc",
    "sin(πx) / (πx) for each element x, 1 for 0.",
    "[0.0, 0.5]",
    "tensor([1.0000, 0.6366])",
)
one(
    T.deg2rad,
    "deg2rad",
    "Angles in degrees as radians.",
    "[180.0, 90.0]",
    "tensor([3.1416, 1.5708])",
)
one(
    T.rad2deg,
    "rad2deg",
    "Angles in radians as degrees.",
    "[1.0, 2.0]",
    "tensor([ 57.2958, 114.5916])",
)

# --- rounding -------------------------------------------------------------------------

one(
    R.floor,
    "floor",
    "The largest integer up to each element.",
    "[1.5, -1.5]",
    "tensor([ 1., -2.])",
)
one(
    R.ceil,
    "ceil",
    "The smallest integer from each element on.",
    "[1.5, -1.5]",
    "tensor([ 2., -1.])",
)
one(
    R.trunc,
    "trunc fix",
    "Each element without its fraction.",
    "[1.5, -1.5]",
    "tensor([ 1., -1.])",
)
one(
    R.frac,
    "frac",
    "The fraction of each element, with its sign.",
    "[1.5, -1.5]",
    "tensor([ 0.5000, -0.5000])",
)


@op(inplace=True)
def round(input: Tensor, *, decimals: int | None = None) -> Tensor:
    """Round to the nearest integer; from halfway between two, to the even one.

    Args:
        input: the tensor.
        decimals: how many decimal places to keep; a negative number counts places
            before the point.

    >>> import wengert as torch
    >>> torch.round(torch.tensor([0.5, 1.5, 2.51]))
    tensor([0., 2., 3.])
    >>> torch.round(torch.tensor([0.123]), decimals=1)
    tensor([0.1000])
    """
    if decimals is None:
        return R.round(input)
    if decimals == 0 and input.is_floating_point():
        return R.round(input)
    return R.round_decimals(input, decimals=decimals)


@op(inplace=True)
def square(input: Tensor) -> Tensor:
    """The square of each element.

    >>> import wengert as torch
    >>> torch.square(torch.tensor([2.0, -3.0]))
    tensor([4., 9.])
    """
    return pow(input, 2)


@op(out=False)
def positive(input: Tensor) -> Tensor:
    """The tensor itself: ``+input``.

    Raises:
        RuntimeError: it has bools.

    >>> import wengert as torch
    >>> torch.positive(torch.tensor([2.0, -3.0]))
    tensor([ 2., -3.])
    """
    if input.dtype is dtypes.bool_:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input
