"""dtypes, promotion and limits, compared with PyTorch's."""

from __future__ import annotations

import copy
import enum
import itertools
import pickle
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from wengert import dtypes, limits

NAMES = [
    *("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
    *("float16", "bfloat16", "float32", "float64"),
    *("complex32", "complex64", "complex128"),
    *("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz"),
    "float8_e8m0fnu",
]
NOT_IN_NUMPY = {"bfloat16", "complex32"} | {n for n in NAMES if "float8" in n}
NUMPY_NAMES = [name for name in NAMES if name not in NOT_IN_NUMPY]
ALIASES = {
    "half": "float16",
    "float_": "float32",
    "double": "float64",
    "short": "int16",
    "int_": "int32",
    "long": "int64",
    "chalf": "complex32",
    "cfloat": "complex64",
    "cdouble": "complex128",
}
NUMBERS = [True, 3, 2.5, 1j]


def ours(name: str) -> dtypes.dtype:
    return getattr(dtypes, "bool_" if name == "bool" else name)


def theirs(name: str) -> torch.dtype:
    return getattr(torch, name)


def outcome(function: Any, *arguments: Any) -> str:
    """The printed result, or the error with the first line of its message."""
    try:
        return repr(function(*arguments))
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"


@pytest.fixture
def restore_default() -> Iterator[None]:
    yield
    dtypes.set_default_dtype(dtypes.float32)
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("name", NAMES)
def test_a_dtype_describes_itself_as_in_torch(name: str) -> None:
    mine, torchs = ours(name), theirs(name)
    assert (repr(mine), str(mine)) == (repr(torchs), str(torchs))
    for attribute in ("is_floating_point", "is_complex", "is_signed", "itemsize"):
        assert getattr(mine, attribute) == getattr(torchs, attribute)
    for method in ("to_real", "to_complex"):
        assert outcome(getattr(mine, method)) == outcome(getattr(torchs, method))


@pytest.mark.parametrize("name", NAMES)
def test_a_dtype_exists_once(name: str) -> None:
    mine = ours(name)
    assert pickle.loads(pickle.dumps(mine)) is mine
    assert copy.deepcopy(mine) is copy.copy(mine) is mine
    assert {mine: 1}[ours(name)] == 1
    assert [mine == ours(other) for other in NAMES].count(True) == 1


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_aliases(alias: str, name: str) -> None:
    assert getattr(dtypes, alias) is ours(name)
    assert theirs(alias.rstrip("_")) is theirs(name)


def test_dtypes_are_constants() -> None:
    assert outcome(dtypes.dtype, "float32") == outcome(torch.dtype, "float32")
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = dtypes.float32.nonsense
    with pytest.raises(AttributeError, match="no attribute 'new'"):
        dtypes.float32.new = 1


@pytest.mark.parametrize("name", NUMPY_NAMES)
def test_numpy_and_back(name: str) -> None:
    array = torch.zeros(1, dtype=theirs(name)).numpy()
    assert ours(name).numpy == array.dtype == dtypes.to_numpy(ours(name))
    assert dtypes.from_numpy(array.dtype) is ours(name)


@pytest.mark.parametrize("name", sorted(NOT_IN_NUMPY))
def test_a_dtype_without_arrays_says_what_to_use(name: str) -> None:
    instead = "complex64" if name == "complex32" else "float32"
    for attempt in (dtypes.to_numpy, lambda dtype: dtype.numpy):
        with pytest.raises(NotImplementedError, match=f"{name}.*use torch.{instead}"):
            attempt(ours(name))


@pytest.mark.parametrize("kind", [bool, int, float, complex])
def test_python_types_as_dtype(kind: type) -> None:
    expected = torch.zeros(1, dtype=kind).numpy().dtype
    assert dtypes.to_numpy(kind) == expected


@pytest.mark.parametrize("wrong", [np.float32, "float32", [], None, 3])
def test_what_is_not_a_dtype_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"zeros\(\): argument 'dtype' must be torch.d"):
        dtypes.to_numpy(wrong, "zeros")


@pytest.mark.parametrize(
    "array",
    [
        np.array(["text"]),
        np.array([object()]),
        np.zeros(1, "M8[s]"),
        np.zeros(1, np.longdouble),
        np.zeros(1, ">f4"),
        np.zeros(1, [("field", "f4")]),
    ],
    ids=lambda array: str(array.dtype),
)
def test_arrays_that_tensors_cannot_hold(array: np.ndarray) -> None:
    mine = outcome(dtypes.from_numpy, array.dtype)
    assert mine == outcome(torch.from_numpy, array)
    assert "Error" in mine


# --- the default dtype ----------------------------------------------------------------


@pytest.mark.usefixtures("restore_default")
@pytest.mark.parametrize("name", ["float16", "float64", "float32"])
def test_default_dtype(name: str) -> None:
    dtypes.set_default_dtype(ours(name))
    torch.set_default_dtype(theirs(name))
    assert dtypes.get_default_dtype() is ours(name)
    for number in (1, 2.5):
        expected = torch.tensor(number).numpy().dtype
        assert dtypes.result_dtype(number) == expected
    expected_complex = torch.result_type(torch.tensor(1.0), 1j)
    assert repr(dtypes.get_default_complex_dtype()) == str(expected_complex)
    assert dtypes.result_dtype(np.ones(2, np.int8), 0.5) == ours(name).numpy


@pytest.mark.usefixtures("restore_default")
@pytest.mark.parametrize("wrong", ["int32", "complex64", "bool"])
def test_default_dtype_must_be_floating_point(wrong: str) -> None:
    mine = outcome(dtypes.set_default_dtype, ours(wrong))
    assert mine == outcome(torch.set_default_dtype, theirs(wrong))
    for other in (3, np.float32, float):
        mine = outcome(dtypes.set_default_dtype, other)
        assert mine == outcome(torch.set_default_dtype, other)


def test_default_dtype_must_have_arrays() -> None:
    with pytest.raises(NotImplementedError, match=r"use torch\.float32"):
        dtypes.set_default_dtype(dtypes.bfloat16)
    assert dtypes.get_default_dtype() is dtypes.float32


# --- promotion ------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_promote_types_and_can_cast(name: str) -> None:
    for other in NAMES:
        for mine, torchs in (
            (dtypes.promote_types, torch.promote_types),
            (dtypes.can_cast, torch.can_cast),
        ):
            expected = outcome(torchs, theirs(name), theirs(other))
            assert outcome(mine, ours(name), ours(other)) == expected, other


@pytest.mark.parametrize("function", ["promote_types", "can_cast"])
def test_promotion_of_what_is_not_a_dtype(function: str) -> None:
    mine = getattr(dtypes, function)
    torchs = getattr(torch, function)
    assert outcome(mine, dtypes.int8, 3) == outcome(torchs, torch.int8, 3)
    assert outcome(mine, "a", dtypes.int8) == outcome(torchs, "a", torch.int8)


def operand(name: str, ndim: int) -> tuple[np.ndarray, Any, torch.Tensor]:
    """The same operand as a raw array, as a Tensor's stand-in and as torch's tensor."""
    array = np.ones((1,) * ndim, name)
    stand_in = SimpleNamespace(dtype=ours(name), ndim=ndim)
    return array, stand_in, torch.ones((1,) * ndim).to(theirs(name))


def raw_result(*operands: Any) -> dtypes.dtype:
    return dtypes.from_numpy(dtypes.result_dtype(*operands))


OPERANDS = [operand(name, ndim) for name in NUMPY_NAMES for ndim in (0, 1)]
OPERANDS += [(number, number, number) for number in NUMBERS]


@pytest.mark.usefixtures("restore_default")
@pytest.mark.parametrize("default", ["float16", "float32", "float64"])
def test_result_type_of_two(default: str) -> None:
    dtypes.set_default_dtype(ours(default))
    torch.set_default_dtype(theirs(default))
    for a, b in itertools.product(OPERANDS, OPERANDS):
        expected = outcome(torch.result_type, a[2], b[2])
        assert outcome(dtypes.result_type, a[1], b[1]) == expected, (a[2], b[2])
        raw = outcome(raw_result, a[0], b[0])
        if expected == "torch.complex32":
            assert raw.startswith("NotImplementedError: torch.complex32 has no arrays")
        else:
            assert raw == expected, (a[2], b[2])


def test_result_of_three_tensors() -> None:
    tensors_only = [
        o for o in OPERANDS if not isinstance(o[0], bool | int | float | complex)
    ]
    choices = np.random.default_rng(0).choice(len(tensors_only), (500, 3))
    skipped = ("not implemented", "ComplexHalf", "complex32")
    compared = 0
    for row in choices:
        arrays, _, tensors = zip(*(tensors_only[i] for i in row), strict=True)
        expected = outcome(lambda t: torch.addcmul(*t).dtype, tensors)
        if any(word in expected for word in skipped):
            continue
        mine = outcome(raw_result, *arrays)
        assert mine == expected, tensors
        compared += 1
    assert compared > 100


def test_result_of_all_three_ranks() -> None:
    array, zero_dim = np.ones(1, np.int8), np.ones((), np.int64)
    assert dtypes.result_dtype(array, zero_dim, 3) == np.int8
    assert dtypes.result_dtype(array, zero_dim, 0.5) == np.float32
    assert dtypes.result_dtype(array, np.ones(()), 1j) == np.complex128
    assert dtypes.result_dtype(True, zero_dim, np.ones(1, np.bool_)) == np.int64
    with pytest.raises(TypeError, match="at least one operand"):
        dtypes.result_dtype()


def test_result_type_takes_numpy_scalars_as_numbers() -> None:
    array, stand_in, tensor = operand("int8", 1)
    for number in (np.float64(2.5), np.float32(2.5), np.int64(1)):
        expected = outcome(torch.result_type, tensor, number)
        assert outcome(dtypes.result_type, stand_in, number) == expected
    # Below the tensors, a NumPy scalar is what NumPy makes of an array without
    # dimensions, so it keeps its dtype where that counts.
    assert dtypes.result_dtype(array, np.float64(2.5)) == np.float64


def test_subclasses_of_numbers_are_numbers() -> None:
    class Color(enum.IntEnum):
        RED = 3

    assert dtypes.result_dtype(np.ones(2, np.int8), Color.RED) == np.int8


@pytest.mark.parametrize("wrong", ["text", None, [1]])
def test_result_type_of_what_is_no_operand(wrong: Any) -> None:
    for function in (dtypes.result_type, dtypes.result_dtype):
        with pytest.raises(TypeError, match="an operand must be a Tensor or a number"):
            function(wrong, 2)
    with pytest.raises(TypeError, match="not ndarray"):
        dtypes.result_type(np.ones(2), 2)


# --- limits ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", NUMPY_NAMES)
@pytest.mark.parametrize("kind", ["finfo", "iinfo"])
def test_limits(kind: str, name: str) -> None:
    mine, torchs = getattr(limits, kind), getattr(torch, kind)
    attributes = ["min", "max", "bits", "dtype"]
    if kind == "finfo":
        attributes += ["eps", "resolution", "smallest_normal", "tiny"]
    expected = outcome(torchs, theirs(name))
    assert outcome(mine, ours(name)) == expected
    if "Error" not in expected:
        for attribute in attributes:
            value = getattr(mine(ours(name)), attribute)
            other = getattr(torchs(theirs(name)), attribute)
            assert value == other
            assert type(value) is type(other)


@pytest.mark.usefixtures("restore_default")
def test_limits_of_the_default_dtype() -> None:
    assert repr(limits.finfo()) == repr(torch.finfo())
    dtypes.set_default_dtype(dtypes.float64)
    assert limits.finfo().dtype == "float64"


def test_limits_compare_and_are_constant() -> None:
    assert limits.finfo(dtypes.complex64) == limits.finfo(dtypes.float32)
    assert limits.finfo(dtypes.float64) != limits.finfo(dtypes.float32)
    assert limits.iinfo(dtypes.int8) != limits.finfo(dtypes.float32)
    mine = outcome(lambda: setattr(limits.finfo(), "eps", 3))
    assert mine == outcome(lambda: setattr(torch.finfo(), "eps", 3))
    assert outcome(limits.finfo, 3) == outcome(torch.finfo, 3)
    assert outcome(hash, limits.finfo()).startswith("TypeError: unhashable")
