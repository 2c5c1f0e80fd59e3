"""Results with names are those of PyTorch: their text, their items, their kind."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch

import wengert

CALLS: dict[str, Any] = {
    "max": lambda t, x: x.max(0),
    "min": lambda t, x: t.min(x, 1, keepdim=True),
    "sort": lambda t, x: x.sort(),
    "topk": lambda t, x: x.topk(1),
    "median": lambda t, x: x.median(0),
    "mode": lambda t, x: x.mode(),
    "kthvalue": lambda t, x: x.kthvalue(1),
    "cummax": lambda t, x: x.cummax(0),
    "aminmax": lambda t, x: x.aminmax(),
    "linalg_qr": lambda t, x: t.linalg.qr(x),
    "linalg_svd": lambda t, x: t.linalg.svd(x),
    "linalg_eigh": lambda t, x: t.linalg.eigh(x @ x.T),
    "linalg_slogdet": lambda t, x: t.linalg.slogdet(x @ x.T),
    "histogram": lambda t, x: t.histogram(x, 2),
}


def result(library: Any, name: str) -> Any:
    return CALLS[name](library, library.tensor([[1.0, 5.0, 2.0], [4.0, 3.0, 6.0]]))


@pytest.mark.parametrize("name", CALLS)
def test_fields_and_name(name: str) -> None:
    ours, theirs = result(wengert, name), result(torch, name)
    assert isinstance(ours, tuple)
    assert type(ours).__name__ == type(theirs).__name__ == name
    assert type(ours) is getattr(wengert.return_types, name)
    assert len(ours) == len(theirs)
    for i, field in enumerate(ours._fields):
        assert getattr(ours, field) is ours[i]
        assert getattr(theirs, field) is theirs[i]


@pytest.mark.parametrize("name", ["max", "sort", "aminmax", "cummax"])
def test_text(name: str) -> None:
    assert repr(result(wengert, name)) == repr(result(torch, name))


def test_made_of_a_sequence_or_of_values() -> None:
    kind = wengert.return_types.max
    assert kind((1, 2)) == kind(1, 2) == (1, 2)
    with pytest.raises(TypeError, match="takes a 2-sequence"):
        kind((1, 2, 3))
    with pytest.raises(TypeError, match="takes a 2-sequence"):
        kind(1, 2, 3)


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))]
)
def test_copies_are_of_the_same_kind(copied: Any) -> None:
    original = result(wengert, "max")
    again = copied(original)
    assert type(again) is type(original)
    assert again.values.tolist() == original.values.tolist()


def test_out_takes_a_result() -> None:
    x = wengert.tensor([[1.0, 5.0], [4.0, 3.0]])
    values, indices = wengert.empty(2), wengert.empty(2, dtype=wengert.int64)
    written = wengert.max(x, 0, out=(values, indices))
    assert type(written) is wengert.return_types.max
    assert written.values is values
    assert values.tolist() == [4.0, 5.0]


@pytest.mark.parametrize("name", ["unique", "unique_consecutive"])
@pytest.mark.parametrize(
    ("shape", "dim"), [((0,), None), ((0, 3), None), ((0, 3), 0), ((3, 0), 1)]
)
def test_unique_of_nothing(name: str, shape: tuple[int, ...], dim: Any) -> None:
    options = {"return_inverse": True, "return_counts": True, "dim": dim}
    ours, theirs = [
        [tuple(x.shape) for x in getattr(library, name)(library.ones(shape), **options)]
        for library in (wengert, torch)
    ]
    assert ours == theirs


def test_unique_refuses_what_is_empty_elsewhere() -> None:
    for library in (wengert, torch):
        with pytest.raises(RuntimeError, match="0 sized dimensions"):
            library.unique(library.ones(3, 0), dim=0)
