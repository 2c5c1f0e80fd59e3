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


def test_other_files_are_refused() -> None:
    with pytest.raises(pickle.UnpicklingError, match="not a file that"):
        wengert.load(io.BytesIO(b"PK\x03\x04 something else"))
