"""Creating and converting tensors, compared with PyTorch by what is printed."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import wengert

Program = Callable[[Any], Any]


def outcome(program: Program, library: Any) -> str:
    """What a program gives: the text of its result, or its error's type and words."""
    try:
        return repr(program(library))
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:40]}"


PROGRAMS: dict[str, Program] = {
    "floats": lambda t: t.tensor([1, 2.5]),
    "integers": lambda t: t.tensor([[1, 2], [3, 4]]),
    "bools": lambda t: t.tensor([True, False]),
    "bool and integer": lambda t: t.tensor([True, 2]),
    "complex": lambda t: t.tensor(1 + 2j),
    "empty": lambda t: t.tensor([]),
    "empty rows": lambda t: t.tensor([[], []]).shape,
    "ragged": lambda t: t.tensor([[1, 2], [3]]),
    "text": lambda t: t.tensor("a"),
    "text inside": lambda t: t.tensor([1, "a"]),
    "none": lambda t: t.tensor(None),
    "tensors inside": lambda t: t.tensor([t.tensor(1.0), t.tensor(2)]),
    "long tensors inside": lambda t: t.tensor([t.ones(2), t.ones(2)]),
    "numpy float": lambda t: t.tensor(np.float32(3)),
    "numpy keeps double": lambda t: t.tensor(np.ones(2)),
    "dtype": lambda t: t.tensor([1.7, -1.7], dtype=t.int32),
    "integers that require grad": lambda t: t.tensor([1, 2], requires_grad=True),
    "requires grad": lambda t: t.tensor([1.0], requires_grad=True),
    "unknown argument": lambda t: t.tensor([1.0], foo=1),
    "arange": lambda t: t.arange(5),
    "arange float": lambda t: t.arange(0, 1, 0.25),
    "arange down": lambda t: t.arange(5, 0, -2),
    "arange wrong": lambda t: t.arange(5, 0),
    "arange zero step": lambda t: t.arange(0, 5, 0),
    "arange named": lambda t: t.arange(start=2, end=6),
    "linspace": lambda t: t.linspace(0, 1, 5),
    "linspace of one": lambda t: t.linspace(3, 4, 1),
    "logspace": lambda t: t.logspace(0, 2, 3),
    "zeros": lambda t: t.zeros(2, 3, dtype=t.int),
    "zeros of tuple": lambda t: t.zeros((2, 3)),
    "zeros of size": lambda t: t.zeros(size=(1, 2)),
    "zeros of negative": lambda t: t.zeros((2, -1)),
    "zeros of dimensionless": lambda t: t.zeros(()),
    "ones unknown": lambda t: t.ones(2, foo=1),
    "full of integer": lambda t: t.full((2,), 1),
    "full of float": lambda t: t.full((2,), 1.5),
    "full of bool": lambda t: t.full((2,), True),
    "eye": lambda t: t.eye(2, 3),
    "like": lambda t: t.ones_like(t.zeros(2, dtype=t.float64)),
    "full like": lambda t: t.full_like(t.zeros(2), 3),
    "new": lambda t: t.zeros(1, dtype=t.float64).new_ones(2),
    "new tensor": lambda t: t.zeros(1, dtype=t.int64).new_tensor([1.7]),
    "Tensor of data": lambda t: t.Tensor([1, 2]),
    "Tensor of sizes": lambda t: t.Tensor(2, 3).shape,
    "LongTensor": lambda t: t.LongTensor([1, 2]),
    "FloatTensor": lambda t: t.FloatTensor([[1, 2]]),
    "isinstance of FloatTensor": lambda t: isinstance(t.ones(1), t.FloatTensor),
    "as_tensor": lambda t: t.as_tensor(np.arange(3)),
    "from_numpy reversed": lambda t: t.from_numpy(np.arange(3)[::-1]),
    "from_numpy of list": lambda t: t.from_numpy([1]),
    "cuda": lambda t: t.ones(2).to("cuda"),
    "on cuda": lambda t: t.ones(2, device="cuda"),
    "type": lambda t: t.ones(2).type(),
    "type long": lambda t: t.ones(2).type(t.int64),
    "type by name": lambda t: t.ones(2).type("torch.IntTensor"),
    "numpy of recorded": lambda t: t.zeros(2, requires_grad=True).numpy(),
    "item of many": lambda t: t.ones(2).item(),
    "float of many": lambda t: float(t.ones(2)),
    "bool of many": lambda t: bool(t.ones(2)),
    "bool of none": lambda t: bool(t.ones(0)),
    "int": lambda t: int(t.tensor(2.7)),
    "index": lambda t: [1, 2, 3][t.tensor(1)],
    "index of float": lambda t: [1, 2, 3][t.tensor(1.0)],
    "format": lambda t: f"{t.tensor(2.5):.3f}",
    "format of many": lambda t: f"{t.ones(2)}",
    "format of many with a spec": lambda t: f"{t.ones(2):.2f}",
    "clone": lambda t: t.ones(2, requires_grad=True).clone(),
    "double": lambda t: t.ones(2, requires_grad=True).double(),
    "to the same": lambda t: t.ones(2, requires_grad=True).to(t.float32),
    "to dtype of other": lambda t: t.ones(2).to(t.zeros(1, dtype=t.int64)),
    "to bool": lambda t: t.tensor([0.0, -0.0, 0.5, float("nan")]).bool(),
    "to byte": lambda t: t.tensor([300.0, -1.0]).byte(),
    "complex to real": lambda t: t.tensor([1.0]).to(t.complex64),
    "data": lambda t: t.ones(2, requires_grad=True).data,
    "detach": lambda t: (t.ones(2, requires_grad=True) * 2).detach(),
    "parameter": lambda t: t.nn.Parameter(t.ones(2)),
    "fill": lambda t: (t.ones(2, requires_grad=True) * 2).fill_(1),
    "zero": lambda t: (t.ones(2, requires_grad=True) * 2).zero_(),
    "copy": lambda t: (t.ones(2, requires_grad=True) * 2).copy_(t.zeros(2)),
    "copy of recorded": lambda t: t.ones(2).copy_(t.ones(2, requires_grad=True)),
    "copy that does not fit": lambda t: t.ones(2).copy_(t.ones(3)),
    "copy casts": lambda t: t.zeros(2, dtype=t.int64).copy_(t.tensor([1.9, -1.9])),
    "leaf filled": lambda t: t.ones(2, requires_grad=True).fill_(1),
    "grad of another shape": lambda t: setattr(t.ones(2), "grad", t.ones(3)),
    "grad of another dtype": lambda t: setattr(t.ones(2), "grad", t.ones(2).double()),
    "grad of no tensor": lambda t: setattr(t.ones(2), "grad", 1.0),
    "requires_grad of integers": lambda t: t.arange(3).requires_grad_(),
    "requires_grad of computed": lambda t: (
        t.ones(2, requires_grad=True) * 2
    ).requires_grad_(False),
    "backward of nothing": lambda t: t.ones(1).backward(),
    "backward of many": lambda t: (t.ones(2, requires_grad=True) * 2).backward(),
    "backward of another shape": lambda t: (t.ones(2, requires_grad=True) * 2).backward(
        t.ones(3)
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.filterwarnings("ignore")
def test_as_pytorch(name: str) -> None:
    program = PROGRAMS[name]
    expected = outcome(program, torch)
    assert outcome(program, wengert)[: len(expected)] == expected


def test_from_numpy_shares_memory() -> None:
    array = np.zeros(3)
    tensor = wengert.from_numpy(array)
    array[0] = 5
    tensor[1] = 7
    assert tensor.tolist() == [5, 7, 0] == array.tolist()


def test_tensor_copies() -> None:
    array = np.zeros(2)
    tensor = wengert.tensor(array)
    array[0] = 5
    assert tensor.tolist() == [0, 0]


def test_a_failed_write_changes_nothing() -> None:
    tensor = wengert.ones(2)
    with pytest.raises(RuntimeError):
        tensor.copy_(wengert.ones(3))
    assert tensor.tolist() == [1, 1]
    assert tensor._version == 0


@pytest.mark.parametrize("shape", [(), (3,), (0, 2)])
def test_pickle_and_deepcopy(shape: tuple[int, ...]) -> None:
    tensor = wengert.randn(shape, requires_grad=True)
    tensor.grad = wengert.ones(shape)
    for again in (pickle.loads(pickle.dumps(tensor)), copy.deepcopy(tensor)):
        assert again.tolist() == tensor.tolist()
        assert again.shape == tensor.shape
        assert again.requires_grad
        assert again is not tensor


def test_deepcopy_of_a_computed_tensor_is_refused() -> None:
    with pytest.raises(RuntimeError, match="graph leaves"):
        copy.deepcopy(wengert.ones(2, requires_grad=True) * 2)


@pytest.mark.parametrize(
    "array", [pickle.loads(pickle.dumps(np.ones(3, "f"))), np.ones(3, np.longlong)]
)
def test_dtypes_are_the_common_objects(array):
    """NumPy has other objects for a dtype, which are equal and not the same."""
    for make in (wengert.from_numpy, wengert.as_tensor, wengert.tensor):
        tensor = make(array)
        assert tensor.numpy().dtype is np.dtype(array.dtype.str)
        tensor[0] = 5
        assert (array[0] == 5) == (make is not wengert.tensor)
        array[0] = 1
        again = pickle.loads(pickle.dumps(tensor))
        assert again.numpy().dtype is tensor.numpy().dtype
    compiled = wengert.compile(lambda x: x * 2, fullgraph=True)
    assert compiled(wengert.from_numpy(array)).tolist() == [2, 2, 2]
