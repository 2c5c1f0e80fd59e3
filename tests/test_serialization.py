"""Saving to files and loading again."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path

import pytest

import wengert
from wengert import nn, optim
from wengert.serialization import MAGIC


def through_a_file(value: object, **kwargs: object) -> object:
    file = io.BytesIO()
    wengert.save(value, file)
    return wengert.load(io.BytesIO(file.getvalue()), **kwargs)


def test_model_and_optimizer_continue(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    optimizer = optim.Adam(model.parameters())
    inputs = wengert.randn(5, 3)
    model(inputs).sum().backward()
    optimizer.step()
    wengert.save([model.state_dict(), optimizer.state_dict()], tmp_path / "file.pt")

    again = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    other = optim.Adam(again.parameters())
    model_state, optimizer_state = wengert.load(tmp_path / "file.pt")
    again.load_state_dict(model_state)
    other.load_state_dict(optimizer_state)
    for one, two in zip(model.parameters(), again.parameters(), strict=True):
        two.grad = one.grad.clone()
    optimizer.step()
    other.step()
    for one, two in zip(model.parameters(), again.parameters(), strict=True):
        assert one.tolist() == two.tolist()


@pytest.mark.parametrize("dtype", ["float16", "float64", "int64", "bool", "complex64"])
def test_dtypes(dtype: str) -> None:
    tensor = wengert.ones(2, 3).to(getattr(wengert, dtype))
    loaded = through_a_file({"a": (tensor, 3)})
    assert loaded["a"][0].dtype is tensor.dtype
    assert loaded["a"][0].tolist() == tensor.tolist()


class Evil:
    def __reduce__(self):
        return os.getcwd, ()


def test_code_in_a_file_is_not_run() -> None:
    with pytest.raises(pickle.UnpicklingError, match="weights_only=False"):
        through_a_file(Evil())
    assert through_a_file(Evil(), weights_only=False) == str(Path.cwd())


def naming(module: str, name: str) -> bytes:
    """Return a pickle of what a module has under a name."""
    texts = [b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name)]
    return b"\x80\x04" + b"".join(texts) + b"\x93."


@pytest.mark.parametrize("name", ["np.fromfile", "weakref.sys.modules", "warnings"])
def test_names_do_not_lead_out_of_the_library(name: str) -> None:
    file = io.BytesIO(MAGIC + naming("wengert.tensor", name))
    with pytest.raises(pickle.UnpicklingError, match="weights_only=False"):
        wengert.load(file)


def test_what_describes_tensors() -> None:
    kinds = [wengert.float16, wengert.device("cpu"), wengert.Size([2, 3])]
    kinds += [wengert.strided, wengert.nn.Parameter(wengert.ones(1)).dtype]
    assert through_a_file(kinds) == kinds
    parameter = through_a_file(wengert.nn.Parameter(wengert.ones(1)))
    assert isinstance(parameter, wengert.nn.Parameter) and parameter.requires_grad


def test_views_share_memory_again() -> None:
    x = wengert.arange(6.0)
    views = [x, x[1:], x.view(2, 3).t(), x[::2]]
    loaded = through_a_file(views)
    assert [v.tolist() for v in loaded] == [v.tolist() for v in views]
    loaded[0][2] = 9
    assert loaded[1].tolist() == [1.0, 9.0, 3.0, 4.0, 5.0]
    assert loaded[2].tolist() == [[0.0, 3.0], [1.0, 4.0], [9.0, 5.0]]
    assert loaded[3].tolist() == [0.0, 9.0, 4.0]


def test_one_view_alone() -> None:
    x = wengert.arange(6.0).view(2, 3).t()
    assert through_a_file(x).tolist() == x.tolist()
    real = wengert.tensor([1 + 2j, 3j]).imag
    assert through_a_file(real).tolist() == [2.0, 3.0]
    assert through_a_file(wengert.ones(3).expand(2, 3)).tolist() == [[1.0] * 3] * 2


def test_tied_weights_stay_tied() -> None:
    table, head = nn.Embedding(3, 2), nn.Linear(2, 3, bias=False)
    head.weight = table.weight
    model = nn.ModuleDict({"table": table, "head": head})
    state = through_a_file(model.state_dict())
    state["table.weight"].zero_()
    assert state["head.weight"].sum() == 0


def test_what_is_computed_is_loaded_as_a_leaf() -> None:
    x = wengert.ones(2, requires_grad=True)
    loaded = through_a_file([x, x * 2])
    assert all(t.requires_grad and t.is_leaf for t in loaded)
    assert loaded[1].tolist() == [2.0, 2.0]


def test_other_files_are_refused() -> None:
    with pytest.raises(pickle.UnpicklingError, match="not a file that"):
        wengert.load(io.BytesIO(b"PK\x03\x04 something else"))
