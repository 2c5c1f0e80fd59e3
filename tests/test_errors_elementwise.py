"""What elementwise ops refuse: with the errors of PyTorch, which is asked as well."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

import wengert

BOTH = pytest.mark.parametrize("t", [torch, wengert], ids=["torch", "wengert"])

REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "shapes": (
        lambda t: t.ones(2, 3) * t.ones(3, 2),
        RuntimeError,
        r"size of tensor a \(3\) must match the size of tensor b \(2\) .* dimension 1",
    ),
    "shapes of three": (
        lambda t: t.where(t.ones(2) > 0, t.ones(2), t.ones(3)),
        RuntimeError,
        "must match the size of tensor b",
    ),
    "shape in place": (
        lambda t: t.ones(2).add_(t.ones(3, 2)),
        RuntimeError,
        r"output with shape \[2\] doesn't match the broadcast shape \[3, 2\]",
    ),
    "dtype in place": (
        lambda t: t.tensor([1, 2]).mul_(1.5),
        RuntimeError,
        "result type Float can't be cast to the desired output type Long",
    ),
    "division in place": (
        lambda t: t.tensor([1, 2]).div_(2),
        RuntimeError,
        "result type Float can't be cast to the desired output type Long",
    ),
    "float_power in place": (
        lambda t: t.ones(2).float_power_(2),
        RuntimeError,
        "has dtype Float but the operation's result requires dtype Double",
    ),
    "sub of bools": (
        lambda t: t.tensor([True]) - t.tensor([True]),
        RuntimeError,
        "Subtraction, the `-` operator, with .* is not supported",
    ),
    "sub of a bool": (
        lambda t: t.ones(1) - t.tensor([True]),
        RuntimeError,
        "Subtraction, the `-` operator, with a bool tensor is not supported",
    ),
    "rsub of bools": (
        lambda t: 1 - t.tensor([True]),
        RuntimeError,
        "Subtraction, the `-` operator, with a bool tensor is not supported",
    ),
    "neg of bools": (
        lambda t: -t.tensor([True]),
        RuntimeError,
        "Negation, the `-` operator, on a bool tensor is not supported",
    ),
    "positive of bools": (
        lambda t: +t.tensor([True]),
        RuntimeError,
        "The `\\+` operator, on a bool tensor is not supported",
    ),
    "abs of bools": (
        lambda t: t.abs(t.tensor([True])),
        NotImplementedError,
        "\"abs_cpu\" not implemented for 'Bool'",
    ),
    "floor of bools": (
        lambda t: t.floor(t.tensor([True])),
        NotImplementedError,
        "not implemented for 'Bool'",
    ),
    "frac of integers": (
        lambda t: t.frac(t.tensor([1])),
        NotImplementedError,
        "not implemented for 'Long'",
    ),
    "round of integers": (
        lambda t: t.round(t.tensor([1]), decimals=1),
        NotImplementedError,
        "not implemented for 'Long'",
    ),
    "frexp of integers": (
        lambda t: t.frexp(t.tensor([1])),
        RuntimeError,
        "only supports floating-point dtypes",
    ),
    "lerp of integers": (
        lambda t: t.lerp(t.tensor([1]), t.tensor([1]), 2),
        NotImplementedError,
        "not implemented for 'Long'",
    ),
    "lerp of two dtypes": (
        lambda t: t.lerp(t.ones(1), t.ones(1, dtype=t.float64), 0.5),
        RuntimeError,
        "expected dtype .* for `end` but got dtype",
    ),
    "bits of floats": (
        lambda t: t.ones(2) & 1,
        NotImplementedError,
        "\"bitwise_and_cpu\" not implemented for 'Float'",
    ),
    "shift of floats": (
        lambda t: t.ones(2) << 1,
        NotImplementedError,
        "not implemented for 'Float'",
    ),
    "invert of floats": (
        lambda t: ~t.ones(2),
        TypeError,
        "only implemented on integer and Boolean-type tensors",
    ),
    "gcd of floats": (
        lambda t: t.gcd(t.ones(1), t.ones(1)),
        NotImplementedError,
        "\"gcd_cpu\" not implemented for 'Float'",
    ),
    "hypot of integers": (
        lambda t: t.hypot(t.tensor([1]), t.tensor([1])),
        NotImplementedError,
        "\"hypot_cpu\" not implemented for 'Long'",
    ),
    "sign of complex": (
        lambda t: t.sign(t.tensor([1j])),
        NotImplementedError,
        "use torch.sgn instead",
    ),
    "floor of complex": (
        lambda t: t.floor(t.tensor([1j])),
        NotImplementedError,
        "floor is not supported for complex inputs",
    ),
    "signbit of complex": (
        lambda t: t.signbit(t.tensor([1j])),
        NotImplementedError,
        "signbit is not implemented for complex tensors",
    ),
    "isposinf of complex": (
        lambda t: t.isposinf(t.tensor([1j])),
        RuntimeError,
        "isposinf does not support complex inputs",
    ),
    "maximum of complex": (
        lambda t: t.maximum(t.tensor([1j]), t.tensor([1j])),
        RuntimeError,
        "maximum not implemented for complex tensors",
    ),
    "clamp of complex": (
        lambda t: t.clamp(t.tensor([1j]), 0),
        NotImplementedError,
        "clamp is not supported for complex types",
    ),
    "order of complex": (
        lambda t: t.tensor([1j]) < t.tensor([2j]),
        NotImplementedError,
        "\"lt_cpu\" not implemented for 'ComplexFloat'",
    ),
    "order of a complex number": (
        lambda t: t.ones(1) > 1j,
        NotImplementedError,
        "\"gt_cpu\" not implemented for 'ComplexFloat'",
    ),
    "imag of real": (
        lambda t: t.ones(1).imag,
        RuntimeError,
        "imag is not implemented for tensors with non-complex dtypes",
    ),
    "view_as_real": (
        lambda t: t.view_as_real(t.ones(2)),
        RuntimeError,
        "only supported for complex tensors",
    ),
    "view_as_complex of threes": (
        lambda t: t.view_as_complex(t.ones(3)),
        RuntimeError,
        "must have a last dimension of size 2",
    ),
    "view_as_complex with gaps": (
        lambda t: t.view_as_complex(t.ones(2, 4)[:, ::2]),
        RuntimeError,
        "must have a last dimension with stride 1",
    ),
    "view_as_complex of integers": (
        lambda t: t.view_as_complex(t.tensor([1, 2])),
        RuntimeError,
        "only supported for half, float and double tensors",
    ),
    "complex of integers": (
        lambda t: t.complex(t.tensor([1]), t.tensor([1])),
        RuntimeError,
        "Expected both inputs to be Half, Float or Double tensors but got Long and",
    ),
    "complex of two dtypes": (
        lambda t: t.complex(t.ones(1), t.ones(1, dtype=t.float64)),
        RuntimeError,
        "Expected object of scalar type Float but got scalar type Double",
    ),
    "integers by zero": (
        lambda t: t.tensor([1]) // 0,
        RuntimeError,
        "ZeroDivisionError",
    ),
    "remainder by zero": (
        lambda t: t.remainder(t.tensor([1, 2]), t.tensor([1, 0])),
        RuntimeError,
        "ZeroDivisionError",
    ),
    "negative power": (
        lambda t: t.tensor([2]) ** -1,
        RuntimeError,
        "Integers to negative integer powers are not allowed",
    ),
    "huge integer": (
        lambda t: t.tensor([2]) + 2**70,
        OverflowError,
        "too",
    ),
    "rounding mode": (
        lambda t: t.div(t.ones(1), 2, rounding_mode="up"),
        RuntimeError,
        "expected rounding_mode to be one of None, 'trunc', or 'floor' but found 'up'",
    ),
    "no bound": (
        lambda t: t.clamp(t.ones(1)),
        RuntimeError,
        "At least one of 'min' or 'max' must not be None",
    ),
    "condition": (
        lambda t: t.where(t.tensor([1]), t.ones(1), t.ones(1)),
        RuntimeError,
        "where expected condition to be a boolean tensor, but got .* dtype Long",
    ),
    "condition of Python": (
        lambda t: t.where(True, t.ones(1), t.ones(1)),
        TypeError,
        r"where\(\)",
    ),
    "one branch": (
        lambda t: t.where(t.ones(1) > 0, t.ones(1)),
        TypeError,
        r"where\(\)",
    ),
    "heaviside": (
        lambda t: t.heaviside(t.ones(1), t.tensor([1])),
        RuntimeError,
        "not yet implemented for tensors with different dtypes",
    ),
    "isclose": (
        lambda t: t.isclose(t.ones(1), t.tensor([1])),
        RuntimeError,
        "Float did not match Long",
    ),
    "tolerance": (
        lambda t: t.isclose(t.ones(1), t.ones(1), rtol=-1),
        RuntimeError,
        "rtol must be greater than or equal to zero",
    ),
    "addcdiv of integers": (
        lambda t: t.addcdiv(*[t.tensor([1])] * 3),
        RuntimeError,
        "Integer division with addcdiv is no longer supported",
    ),
    "alpha of floats": (
        lambda t: t.add(t.tensor([1]), 1, alpha=0.5),
        RuntimeError,
        "argument alpha must not be a floating point number",
    ),
    "alpha of bools": (
        lambda t: t.sub(t.ones(1), 1, alpha=True),
        RuntimeError,
        "Boolean alpha only supported for Boolean results",
    ),
    "alpha of complex": (
        lambda t: t.add(t.ones(1), 1, alpha=1j),
        RuntimeError,
        "argument alpha must not be a complex number",
    ),
    "alpha of text": (
        lambda t: t.sub(t.ones(1), 1, alpha="2"),
        TypeError,
        r"sub\(\): argument 'alpha' must be Number, not str",
    ),
    "function of a number": (
        lambda t: t.exp(2.0),
        TypeError,
        r"exp\(\): argument 'input' \(position 1\) must be Tensor, not float",
    ),
    "function of text": (
        lambda t: t.mul(t.ones(1), "2"),
        TypeError,
        r"mul\(\): argument 'other' \(position 2\) must be Tensor, not str",
    ),
    "maximum with a number": (
        lambda t: t.maximum(t.ones(1), 2),
        TypeError,
        r"maximum\(\): argument 'other' \(position 2\) must be Tensor, not int",
    ),
    "power of numbers": (lambda t: t.pow(2, 3), TypeError, r"pow\(\)"),
    "too many arguments": (lambda t: t.exp(t.ones(1), 2), TypeError, r"exp\(\)"),
    "no arguments": (lambda t: t.exp(), TypeError, r"exp\(\) missing 1 required"),
    "polygamma": (
        lambda t: t.polygamma(-1, t.ones(1)),
        RuntimeError,
        "does not support negative n",
    ),
    "polygamma of a float": (
        lambda t: t.polygamma(0.5, t.ones(1)),
        TypeError,
        r"argument 'n' \(position 1\) must be int, not float",
    ),
    "mvlgamma": (
        lambda t: t.mvlgamma(t.ones(1), 0),
        RuntimeError,
        "p has to be greater than or equal to 1",
    ),
    "gradient of floor_divide": (
        lambda t: (t.ones(1, requires_grad=True) // 2).backward(),
        RuntimeError,
        "derivative for aten::floor_divide is not implemented",
    ),
    "gradient of igamma": (
        lambda t: t.igamma(t.ones(1, requires_grad=True), t.ones(1)).backward(),
        RuntimeError,
        "derivative for 'igamma: input' is not implemented",
    ),
    "membership of text": (
        lambda t: "a" in t.ones(1),
        RuntimeError,
        "only supports Tensor or scalar, but you passed in a <class 'str'>",
    ),
    "text in an operator": (
        lambda t: t.ones(1) + "a",
        TypeError,
        r"unsupported operand type\(s\) for \+: 'Tensor' and 'str'",
    ),
    "text before an operator": (
        lambda t: "a" - t.ones(1),
        TypeError,
        "unsupported operand type\\(s\\) for -: 'str' and 'Tensor'",
    ),
    "order of text": (
        lambda t: t.ones(1) < "a",
        TypeError,
        "'<' not supported between instances of 'Tensor' and 'str'",
    ),
    "array before an operator": (
        lambda t: np.ones(1) * t.ones(1),
        TypeError,
        "unsupported operand type\\(s\\) for \\*: 'numpy.ndarray' and 'Tensor'",
    ),
    "divmod": (lambda t: divmod(t.ones(1), 2), TypeError, "unsupported operand type"),
}


@BOTH
@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, t: Any) -> None:
    call, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        call(t)


@BOTH
def test_unknown_operands_are_unequal(t: Any) -> None:
    x = t.ones(2)
    assert (x == "a") is False
    assert (x != None) is True  # noqa: E711


@BOTH
@pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")
def test_operators_with_numpy(t: Any) -> None:
    x, array = t.tensor([1.0, 2.0]), np.array([3.0, 2.0])
    for result in (x * array, x - array, array / x, np.exp(x)):
        assert isinstance(result, t.Tensor)
    assert (x * array).tolist() == [3.0, 4.0]
    assert (x == array).tolist() == [False, True]
    assert (array == x).tolist() == [False, True]
    assert (x * np.float64(2)).dtype is t.float32
    assert (np.float64(2) - x).dtype is t.float32


@BOTH
def test_integers_wrap_round(t: Any) -> None:
    bytes_ = t.tensor([1, 250], dtype=t.uint8)
    assert (bytes_ + 300).tolist() == [45, 38]
    assert (bytes_ * -1).tolist() == [255, 6]
    assert (bytes_ < 300).tolist() == [True, False]


@BOTH
def test_functions_of_numbers_alone(t: Any) -> None:
    assert t.add(1, 2).item() == 3
    assert t.mul(2, 2.5).item() == 5.0


def test_scipy_is_named_where_it_is_missing() -> None:
    code = (
        "import sys; sys.modules['scipy'] = sys.modules['scipy.special'] = None\n"
        "import wengert as torch\n"
        "try: torch.special.airy_ai(torch.ones(2))\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert "SciPy" in shown and "wengert[science]" in shown
