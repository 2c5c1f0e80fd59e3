"""Printed tensors, compared with PyTorch's character by character."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from wengert import dtypes, printing

nan, inf = float("nan"), float("inf")
FLOATS = ["float16", "float32", "float64"]
INTEGERS = ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"]
COMPLEX = ["complex64", "complex128"]


@pytest.fixture(autouse=True)
def restore_options() -> Iterator[None]:
    yield
    set_both(profile="default")
    dtypes.set_default_dtype(dtypes.float32)
    torch.set_default_dtype(torch.float32)


def set_both(**choices: Any) -> None:
    printing.set_printoptions(**choices)
    torch.set_printoptions(**choices)


def assert_same(array: np.ndarray) -> None:
    assert printing.tensor_repr(array) == repr(torch.from_numpy(array))


LISTS = [
    *([], [1.0, 2], [1.5, 2], [-1.0, 10, 100], [0.0], [-0.0, 0], [0.5]),
    *([1e-5, 1], [1e-4, 1], [0.9999e-4, 1], [1e-4, 0.05], [9e-5, 0.05], [1e-7]),
    *([0.1, 99.99], [0.1, 100.1], [0.1, 1000.1], [0.1, 1e4], [1, 999.5], [1, 1e3]),
    *([1, 1001.0], [2, 2001.5], [1e8, 2e7], [1e8], [1.1e8], [1e9, 1], [123456.789]),
    *([1e30, 1e30], [3.4e38], [nan], [inf], [-inf], [nan, 1], [inf, 1.5], [nan, 0]),
    *([-inf, nan, 2.25, 1e-9], [nan, 1e10], [-inf, 123456], [inf, 0.0, -0.0]),
    *([0.99999, 1], [0.00005, 0.5], [9.99999], [99999.5], [-1.5, 1.5, 0]),
]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("values", LISTS, ids=str)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_floats(values: list[float], dtype: str) -> None:
    assert_same(np.array(values).astype(dtype))
    for value in values:
        assert_same(np.array(value).astype(dtype))


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("values", LISTS, ids=str)
def test_complex_numbers(values: list[float], dtype: str) -> None:
    parts = [complex(a, b) for a, b in zip(values, reversed(values), strict=True)]
    assert_same(np.array(parts).astype(dtype))
    assert_same(np.array([complex(a, 1) for a in values]).astype(dtype))
    assert_same(np.array([complex(-2.5, a) for a in values]).astype(dtype))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers(dtype: str) -> None:
    limits = np.iinfo(dtype)
    for values in ([limits.min, limits.max, 0], [1, 10, 100], [7], [], 3):
        assert_same(np.array(values, dtype))


def test_booleans() -> None:
    for values in ([True, False], [[True] * 3] * 2, True, False, [False]):
        assert_same(np.array(values))
    assert_same(np.zeros((0, 2), bool))


@pytest.mark.parametrize("dtype", ["bool", *FLOATS, *INTEGERS, *COMPLEX])
@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0), (1, 0, 4)])
def test_empty(shape: tuple[int, ...], dtype: str) -> None:
    assert_same(np.zeros(shape, dtype))


@pytest.mark.parametrize(
    "shape",
    [
        *((2, 3), (1, 1), (3, 1, 2), (2, 2, 2), (2, 2, 2, 2), (1, 2, 1, 2, 1)),
        *((30,), (3, 30), (2, 3, 30), (1000,), (1001,), (10, 100), (10, 101)),
        *((7, 200), (6, 200), (200, 6), (200, 7), (10, 10, 11), (6, 6, 6, 6)),
        *((1, 1001), (1001, 1), (2, 2, 2, 2, 2, 40), (7, 2, 7, 2, 7, 2)),
    ],
    ids=str,
)
def test_shapes(shape: tuple[int, ...]) -> None:
    counting = np.arange(np.prod(shape)).reshape(shape)
    assert_same(counting)
    assert_same(counting.astype(np.float32))
    assert_same((counting * 1.25 - 7).astype(np.float32))
    assert_same((counting * (1.5 - 2j)).astype(np.complex64))
    assert_same(counting.astype(np.float64).T)
    assert_same(counting % 3 == 0)


def test_only_what_is_shown_decides_the_style() -> None:
    array = np.ones(2000, np.float32)
    array[1000] = 1e20
    assert_same(array)
    array[-1] = 1e20
    assert_same(array)


def test_arrays_that_are_not_contiguous() -> None:
    array = np.arange(24, dtype=np.float32).reshape(4, 6)[::-1, ::2]
    assert printing.tensor_repr(array) == repr(torch.from_numpy(array.copy()))
    assert_same(np.broadcast_to(np.float32(2), (3, 4)).copy())


@pytest.mark.parametrize("elements", range(1, 24))
def test_suffixes_wrap(elements: int) -> None:
    for value in (1.0, 1.5, -12.25):
        for dtype in (torch.float32, torch.float64):
            tensor = torch.full((elements,), value, dtype=dtype, requires_grad=True)
            for t, suffix in (
                (tensor, "requires_grad=True"),
                (tensor + 0, "grad_fn=<AddBackward0>"),
                (tensor.prod(), "grad_fn=<ProdBackward0>"),
                (tensor.expand(2, -1), "grad_fn=<ExpandBackward0>"),
            ):
                array = t.detach().numpy()
                assert printing.tensor_repr(array, suffixes=[suffix]) == repr(t)


def test_size_dtype_and_requires_grad_of_an_empty_tensor() -> None:
    tensor = torch.zeros(0, 3, dtype=torch.float64, requires_grad=True)
    array = tensor.detach().numpy()
    mine = printing.tensor_repr(array, suffixes=["requires_grad=True"])
    assert mine == repr(tensor)


def test_prefix_of_a_subclass() -> None:
    class Masked(torch.Tensor):
        pass

    for size in (2, 13, 30):
        tensor = torch.full((size,), 1.5)
        mine = printing.tensor_repr(tensor.numpy(), prefix="Masked(")
        assert mine == repr(tensor.as_subclass(Masked))


def test_device() -> None:
    array = np.array([1.5, 2.0])
    expected = "tensor([1.5000, 2.0000], device='cuda:0', dtype=torch.float64)"
    assert printing.tensor_repr(array, device="cuda:0") == expected


@pytest.mark.parametrize("default", ["float16", "float32", "float64"])
def test_the_default_dtype_is_not_said(default: str) -> None:
    dtypes.set_default_dtype(getattr(dtypes, default))
    torch.set_default_dtype(getattr(torch, default))
    for dtype in ("bool", *FLOATS, *INTEGERS, *COMPLEX):
        for shape in ((), (2,), (0,), (0, 2)):
            assert_same(np.ones(shape, dtype))


OPTIONS = [
    *({"precision": 2}, {"precision": 8}, {"precision": 0}, {"sci_mode": True}),
    *({"sci_mode": False}, {"linewidth": 40}, {"linewidth": 5}, {"linewidth": 200}),
    *({"edgeitems": 1, "threshold": 5}, {"edgeitems": 2, "threshold": 5}),
    *({"edgeitems": 0}, {"edgeitems": 0, "threshold": 5}, {"threshold": 0}),
    *({"profile": "short"}, {"profile": "full"}, {"profile": "SHORT"}),
    *({"profile": "unknown"}, {"profile": "short", "precision": 6}),
    {"edgeitems": 2, "threshold": 5, "linewidth": 30},
]
ARRAYS = [
    *([1.2345678, 1e-5], [1.5, 1000.25], 1.5, [1.0, 2.0], [1e10, 2], [0.0], [nan, 0]),
    *([1 + 2.5j], [1 + 2j, 1e-5j], np.arange(30.0), np.arange(100).reshape(10, 10)),
    *(np.arange(60.0).reshape(3, 4, 5) / 8, np.zeros((0, 3)), np.zeros(0)),
    np.arange(1200.0),
]


@pytest.mark.parametrize("choices", OPTIONS, ids=str)
def test_options(choices: dict[str, Any]) -> None:
    set_both(**choices)
    for values in ARRAYS:
        assert_same(np.array(values))


def test_options_add_up() -> None:
    set_both(precision=2, sci_mode=True)
    set_both(linewidth=50)  # which forgets sci_mode, and nothing else
    for values in ARRAYS:
        assert_same(np.array(values))
    set_both(sci_mode=True, profile="default")
    assert_same(np.array([1.5]))


def choose_options(draw: Any) -> dict[str, Any]:
    return {
        "precision": draw(st.integers(0, 7)),
        "threshold": draw(st.sampled_from([0, 5, 1000])),
        "edgeitems": draw(st.integers(0, 4)),
        "linewidth": draw(st.integers(1, 120)),
        "sci_mode": draw(st.sampled_from([None, None, None, True, False])),
    }


def elements(dtype: str) -> st.SearchStrategy[Any]:
    """Numbers of all sizes, and those at which the style changes."""
    if dtype == "bool":
        return st.booleans()
    if dtype in INTEGERS:
        return hnp.from_dtype(np.dtype(dtype))
    width = {"float16": 16, "float32": 32, "complex64": 32}.get(dtype, 64)
    thresholds = [0.0, -0.0, 1.0, -1.0, 1000.0, 0.5, 0.125, 250.25, nan, inf, -inf]
    everyday = st.integers(-20, 20) | st.sampled_from(thresholds)
    parts = everyday.map(float) | st.floats(width=width)
    return st.builds(complex, parts, parts) if dtype in COMPLEX else parts


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_any_array_with_any_options(data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(["bool", *FLOATS, *INTEGERS, *COMPLEX]))
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9))
    array = data.draw(hnp.arrays(dtype, shape, elements=elements(dtype)))
    set_both(profile="default")
    assert_same(array)
    set_both(**choose_options(data.draw))
    assert_same(array)
