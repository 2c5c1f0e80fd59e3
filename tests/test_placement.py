"""Sizes, devices, memory formats and layouts, compared with PyTorch's."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch

from wengert import placement


def outcome(function: Any, module: Any) -> str:
    """The printed result, or the error with the first line of its message."""
    try:
        return repr(function(module))
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"


SIZES = {
    "list": lambda m: m.Size([2, 3]),
    "empty": lambda m: m.Size(),
    "tuple": lambda m: m.Size((1,)),
    "range": lambda m: m.Size(range(3)),
    "generator": lambda m: m.Size(i for i in (1, 2)),
    "index": lambda m: m.Size([torch.tensor(3)]),
    "numel": lambda m: m.Size([2, 3]).numel(),
    "numel of empty": lambda m: m.Size([]).numel(),
    "numel with zero": lambda m: m.Size([2, 0]).numel(),
    "item": lambda m: m.Size([2, 3])[1],
    "slice": lambda m: m.Size([2, 3, 4])[1:],
    "reversed": lambda m: m.Size([2, 3, 4])[::-1],
    "add": lambda m: m.Size([2, 3]) + (4,),
    "add sizes": lambda m: m.Size([2, 3]) + m.Size([4]),
    "add to tuple": lambda m: (4,) + m.Size([2, 3]),
    "multiply": lambda m: m.Size([2, 3]) * 2,
    "multiply left": lambda m: 2 * m.Size([2, 3]),
    "compare": lambda m: (m.Size([2]) == (2,), m.Size([2]) != m.Size([2])),
    "hash": lambda m: {(2,): 5}[m.Size([2])],
    "unpack": lambda m: [*m.Size([2, 3])],
    "str": lambda m: str(m.Size([2])),
    "float item": lambda m: m.Size([1, 2.5]),
    "str item": lambda m: m.Size(["a"]),
    "float tensor item": lambda m: m.Size([torch.tensor(1.5)]),
    "no iterable": lambda m: m.Size(3),
    "add list": lambda m: m.Size([2]) + [4],
    "add int": lambda m: m.Size([2]) + 4,
    "add float tuple": lambda m: m.Size([2]) + (2.5,),
    "out of range": lambda m: m.Size([2])[3],
    "pickle": lambda m: pickle.loads(pickle.dumps(m.Size([2]))),
    "deepcopy": lambda m: copy.deepcopy(m.Size([2, 3])),
}


@pytest.mark.parametrize("case", SIZES.values(), ids=SIZES.keys())
def test_size(case: Any) -> None:
    assert outcome(case, placement) == outcome(case, torch)


def test_size_to_the_right_of_a_list() -> None:
    with pytest.raises(TypeError, match="can only concatenate list"):
        [5] + placement.Size([2])


DEVICES = {
    "cpu": lambda m: m.device("cpu"),
    "cuda": lambda m: m.device("cuda"),
    "cuda:0": lambda m: m.device("cuda:0"),
    "index": lambda m: m.device("cuda", 1),
    "keywords": lambda m: m.device(type="cuda", index=1),
    "no index": lambda m: m.device("cpu", index=None),
    "meta": lambda m: m.device("meta"),
    "other kinds": lambda m: [m.device(t) for t in ("mps", "xla", "privateuseone")],
    "of a device": lambda m: m.device(m.device("cuda:1")),
    "attributes": lambda m: (m.device("cuda:2").type, m.device("cuda:2").index),
    "index of none": lambda m: m.device("cpu").index,
    "str": lambda m: [str(m.device("cpu")), str(m.device("cuda:1"))],
    "equal": lambda m: m.device("cuda:1") == m.device("cuda", 1),
    "index differs": lambda m: m.device("cpu") == m.device("cpu:0"),
    "not a string": lambda m: m.device("cpu") == "cpu",
    "hash": lambda m: {m.device("cuda:1"): 1}[m.device("cuda", 1)],
    "pickle": lambda m: pickle.loads(pickle.dumps(m.device("cuda:1"))),
    "deepcopy": lambda m: copy.deepcopy(m.device("cpu")),
    "unknown": lambda m: m.device("foo"),
    "unknown with index": lambda m: m.device("foo:1"),
    "upper case": lambda m: m.device("CPU"),
    "empty": lambda m: m.device(""),
    "colon alone": lambda m: m.device("cuda:"),
    "bad index": lambda m: m.device("cuda:x"),
    "negative index": lambda m: m.device("cuda:-1"),
    "leading zero": lambda m: m.device("cuda:01"),
    "two colons": lambda m: m.device("cuda:1:2"),
    "space": lambda m: m.device("cuda 0"),
    "no type": lambda m: m.device(":0"),
    "digits in type": lambda m: m.device("cuda0"),
    "two indices": lambda m: m.device("cuda:0", 1),
    "negative": lambda m: m.device("cuda", -1),
    "device and index": lambda m: m.device(m.device("cuda"), 1),
    "index of text": lambda m: m.device("cuda", "1"),
    "constant": lambda m: setattr(m.device("cpu"), "type", "cuda"),
}


@pytest.mark.parametrize("case", DEVICES.values(), ids=DEVICES.keys())
def test_device(case: Any) -> None:
    mine, torchs = outcome(case, placement), outcome(case, torch)
    assert mine == torchs.replace("'torch.device' (", "'device' (").replace(
        "not torch.device", "not device"
    )


def test_devices_that_are_no_string() -> None:
    assert placement.device(1) == placement.device("cuda", 1)
    for wrong in (None, 1.5):
        with pytest.raises(TypeError, match=r"device\(\): argument 'type'"):
            placement.device(wrong)


def test_default_device() -> None:
    def history(module: Any, get: Any, put: Any) -> list[Any]:
        seen = [get()]
        put("meta")
        seen.append(get())
        with module.device("cpu") as outer:
            seen.append(get())
            with module.device("meta"), outer:
                seen.append(get())
            seen.append(get())
        seen.append(get())
        put(None)
        return [*seen, get()]

    mine = history(
        placement, placement.get_default_device, placement.set_default_device
    )
    torchs = history(torch, torch.get_default_device, torch.set_default_device)
    assert repr(mine) == repr(torchs)


CONSTANTS = [
    *("contiguous_format", "legacy_contiguous_format", "channels_last"),
    *("channels_last_3d", "preserve_format", "strided", "sparse_coo", "sparse_csr"),
    *("sparse_csc", "sparse_bsr", "sparse_bsc", "jagged"),
]


@pytest.mark.parametrize("name", CONSTANTS)
def test_memory_formats_and_layouts(name: str) -> None:
    mine, torchs = getattr(placement, name), getattr(torch, name)
    assert repr(mine) == repr(torchs)
    assert type(mine).__name__ == type(torchs).__name__
    assert pickle.loads(pickle.dumps(mine)) is mine
    assert copy.deepcopy(mine) is mine


@pytest.mark.parametrize("kind", ["memory_format", "layout"])
def test_constants_cannot_be_made(kind: str) -> None:
    def make(module: Any) -> Any:
        return getattr(module, kind)()

    assert outcome(make, placement) == outcome(make, torch)
