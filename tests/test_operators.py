"""Operators in place: memory, versions and histories, as in PyTorch."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest
import torch

import wengert

IN_PLACE = {
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": operator.imul,
    "/=": operator.itruediv,
    "**=": operator.ipow,
    "%=": operator.imod,
    "//=": operator.ifloordiv,
}


def plain(t: Any, change: Any) -> list[Any]:
    x = t.tensor([1.0, 2.0, 5.0])
    same = x
    x = change(x, 2)
    x = change(x, t.tensor([1.0, 3.0, 2.0]))
    return [x, same, x is same, x._version]


def itself(t: Any, change: Any) -> list[Any]:
    x = t.tensor([1.0, 2.0, 5.0])
    x = change(x, x)
    return [x, x._version]


def view(t: Any, change: Any) -> list[Any]:
    x = t.tensor([[1.0, 2.0], [5.0, 3.0]])
    change(x[0], 2)
    change(x.t(), t.tensor([3.0, 4.0]))
    return [x, x._version]


def broadcast(t: Any, change: Any) -> list[Any]:
    x = t.tensor([[1.0, 2.0], [5.0, 3.0]])
    return [change(x, t.tensor([2.0, 3.0])), change(x, t.tensor(2.0))]


def widened(t: Any, change: Any) -> list[Any]:
    x = t.tensor([1.0, 2.0])
    return [change(x, t.tensor([1, 2])), change(x, t.tensor([2.0], dtype=t.float64))]


def unrecorded_leaf(t: Any, change: Any) -> list[Any]:
    x = t.tensor([1.0, 2.0], requires_grad=True)
    with t.no_grad():
        change(x, t.tensor([3.0, 4.0]))
        change(x, 2)
    return [x, x.is_leaf, x.requires_grad, x._version]


def recorded(t: Any, change: Any) -> list[Any]:
    leaf = t.tensor([1.0, 2.0], requires_grad=True)
    x = leaf * 3
    y = change(x, leaf)
    y.sum().backward()
    return [y, leaf.grad, y is x]


def other_recorded(t: Any, change: Any) -> list[Any]:
    leaf = t.tensor([1.0, 2.0], requires_grad=True)
    x = t.tensor([3.0, 5.0])
    change(x, leaf)
    x.sum().backward()
    return [x, leaf.grad]


def saved_before(t: Any, change: Any) -> list[Any]:
    leaf = t.tensor([1.0, 2.0], requires_grad=True)
    x = leaf.exp()
    with t.no_grad():
        change(x, 2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        x.sum().backward()
    return [x]


CASES = [
    plain,
    itself,
    view,
    broadcast,
    widened,
    unrecorded_leaf,
    recorded,
    other_recorded,
    saved_before,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
@pytest.mark.parametrize("symbol", IN_PLACE)
def test_in_place(symbol: str, case: Any) -> None:
    if symbol == "//=" and "recorded" in case.__name__ and "un" not in case.__name__:
        pytest.skip("floor division has no derivative")
    ours, theirs = case(wengert, IN_PLACE[symbol]), case(torch, IN_PLACE[symbol])
    for our, their in zip(ours, theirs, strict=True):
        if isinstance(their, torch.Tensor):
            np.testing.assert_allclose(our.tolist(), their.tolist(), rtol=1e-6)
            assert str(our.dtype) == str(their.dtype)
        else:
            assert our == their
