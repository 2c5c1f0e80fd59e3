"""Comparisons, tests of numbers, logic, bits and integers."""

from __future__ import annotations

from wengert.primitives import bitwise as B, selection as S
from wengert.tensor import Tensor

from .public import check_operand, describe, of_tensors, op, publish

COMPARISON = """Whether ``input {symbol} other``, element by element.

Args:
    input: a tensor.
    other: a tensor or number.

Returns:
    A tensor of bools.

>>> import wengert as torch
>>> torch.{name}(torch.tensor([1, 2, 3]), 2)
{result}
"""

for _name, _alias, _symbol, _result in (
    ("eq", "", "==", "tensor([False,  True, False])"),
    ("ne", "not_equal", "!=", "tensor([ True, False,  True])"),
    ("lt", "less", "<", "tensor([ True, False, False])"),
    ("le", "less_equal", "<=", "tensor([ True,  True, False])"),
    ("gt", "greater", ">", "tensor([False, False,  True])"),
    ("ge", "greater_equal", ">=", "tensor([False,  True,  True])"),
):
    publish(
        describe(
            getattr(S, _name),
            COMPARISON.format(name=_name, symbol=_symbol, result=_result),
        ),
        (_name, _alias) if _alias else (_name,),
        inplace=True,
    )

# --- tests of numbers -----------------------------------------------------------------

TEST = """Whether each element is {what}.

Returns:
    A tensor of bools.

>>> import wengert as torch
>>> torch.{name}(torch.tensor([1.0, float("inf"), float("-inf"), float("nan")]))
{result}
"""

for _test, _what, _result in (
    (S.isnan, "NaN, not a number", "tensor([False, False, False,  True])"),
    (S.isfinite, "a finite number", "tensor([ True, False, False, False])"),
    (B.isinf, "infinite", "tensor([False,  True,  True, False])"),
    (B.isposinf, "plus infinity", "tensor([False,  True, False, False])"),
    (B.isneginf, "minus infinity", "tensor([False, False,  True, False])"),
    (B.isreal, "real: has no imaginary part", "tensor([True, True, True, True])"),
    (B.signbit, "negative, -0.0 included", "tensor([False, False,  True, False])"),
):
    _name = _test.__name__
    publish(
        describe(_test, TEST.format(name=_name, what=_what, result=_result)), (_name,)
    )


@op(out=False)
def isclose(
    input: Tensor,
    other: Tensor,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> Tensor:
    """Whether ``|input - other| <= atol + rtol * |other|``, element by element.

    Args:
        input: a tensor.
        other: a tensor of the same dtype.
        rtol: the tolerance relative to other.
        atol: the absolute tolerance.
        equal_nan: whether two NaNs are close.

    Raises:
        RuntimeError: the dtypes differ, or a tolerance is negative.

    >>> import wengert as torch
    >>> torch.isclose(torch.tensor([1.0, 2.0]), torch.tensor([1.0 + 1e-9, 2.1]))
    tensor([ True, False])
    """
    check_operand("isclose", "input", 0, input)
    check_operand("isclose", "other", 1, other)
    if input.dtype is not other.dtype:
        raise RuntimeError(
            f"{input.dtype.scalar_type} did not match {other.dtype.scalar_type}"
        )
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value < 0:
            raise RuntimeError(
                f"{name} must be greater than or equal to zero, but got {value}"
            )
    return B.isclose(input, other, rtol=rtol, atol=atol, equal_nan=equal_nan)


@op(out=False)
def allclose(
    input: Tensor,
    other: Tensor,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> bool:
    """Whether all elements are close, see `isclose`.

    >>> import wengert as torch
    >>> torch.allclose(torch.tensor([1.0, 2.0]), torch.tensor([1.0 + 1e-9, 2.0]))
    True
    """
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


@op(out=False)
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and elements.

    >>> import wengert as torch
    >>> torch.equal(torch.tensor([1, 2]), torch.tensor([1, 2]))
    True
    """
    check_operand("equal", "other", 1, other)
    return input.shape == other.shape and bool(S.eq(input, other).all())


# --- truth values ---------------------------------------------------------------------

publish(
    describe(
        S.logical_not,
        """Whether each element is zero or false.

>>> import wengert as torch
>>> torch.logical_not(torch.tensor([0, 1, 2]))
tensor([ True, False, False])
""",
    ),
    ("logical_not",),
    inplace=True,
)

OF_TWO = """{what}, element by element.

>>> import wengert as torch
>>> torch.{name}(torch.tensor({first}), torch.tensor({second}))
{result}
"""

BOTH = "[True, True, False]", "[True, False, False]"
for _call, _what, _example, _result in (
    (B.logical_and, "input and other", BOTH, "tensor([ True, False, False])"),
    (B.logical_or, "input or other", BOTH, "tensor([ True,  True, False])"),
    (B.logical_xor, "input or other, not both", BOTH, "tensor([False,  True, False])"),
    (B.bitwise_and, "The bits of both", ("[6, 5]", "[3, 3]"), "tensor([2, 1])"),
    (B.bitwise_or, "The bits of either", ("[6, 5]", "[3, 3]"), "tensor([7, 7])"),
    (B.bitwise_xor, "The bits of just one", ("[6, 5]", "[3, 3]"), "tensor([5, 6])"),
    (
        B.bitwise_left_shift,
        "input * 2 ** other, of integers",
        ("[1, 3]", "[4, 1]"),
        "tensor([16,  6])",
    ),
    (
        B.bitwise_right_shift,
        "input / 2 ** other rounded down, of integers",
        ("[16, -3]", "[3, 1]"),
        "tensor([ 2, -2])",
    ),
    (B.gcd, "The greatest common divisor", ("[6, 9]", "[4, 6]"), "tensor([2, 3])"),
    (B.lcm, "The least common multiple", ("[6, 9]", "[4, 6]"), "tensor([12, 18])"),
):
    _name = _call.__name__
    _bitwise = _name.startswith("bitwise")
    _text = OF_TWO.format(
        what=_what, name=_name, first=_example[0], second=_example[1], result=_result
    )
    publish(
        describe(_call if _bitwise else of_tensors(_call), _text),
        (_name,),
        inplace=True,
        numbers=_bitwise,
    )

publish(
    describe(
        B.bitwise_not,
        """Every bit of each element inverted; of bools, not.

>>> import wengert as torch
>>> torch.bitwise_not(torch.tensor([0, -5]))
tensor([-1,  4])
""",
    ),
    ("bitwise_not",),
    inplace=True,
)

IN_PLACE = {
    "__iand__": "bitwise_and_",
    "__ior__": "bitwise_or_",
    "__ixor__": "bitwise_xor_",
    "__ilshift__": "bitwise_left_shift_",
    "__irshift__": "bitwise_right_shift_",
}
for _operator, _method in IN_PLACE.items():
    setattr(Tensor, _operator, getattr(Tensor, _method))
