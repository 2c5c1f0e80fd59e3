"""What programs ask for around their computation: devices, flags, precision, tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.testing

import wengert

LIBRARIES = (wengert, torch)


def test_a_device_is_found():
    """As PyTorch's quickstart, and older programs, look for one."""
    t = wengert
    assert not t.accelerator.is_available() and t.accelerator.device_count() == 0
    assert t.accelerator.current_accelerator() is None
    assert not t.backends.mps.is_available() and not t.cuda.is_available()


def test_flags_are_kept():
    cudnn = wengert.backends.cudnn
    before = cudnn.benchmark
    cudnn.benchmark = True
    assert wengert.backends.cudnn.benchmark
    cudnn.benchmark = before


def test_mixed_precision_is_switched_off():
    weight = wengert.nn.Parameter(wengert.ones(2))
    optimizer = wengert.optim.SGD([weight], lr=0.5)
    with pytest.warns(UserWarning, match="CUDA is not available"):
        scaler = wengert.amp.GradScaler("cuda")
    with pytest.warns(UserWarning, match="CUDA is not available. Disabling"):
        context = wengert.amp.autocast("cuda", dtype=wengert.float16)
    with context:
        loss = (weight * 2).sum()
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert weight.tolist() == [0.0, 0.0]
    assert scaler.get_scale() == 1.0 and scaler.state_dict() == {}
    with pytest.raises(NotImplementedError, match="bfloat16"):
        wengert.amp.autocast("cpu")


def test_random_numbers_go_on_after_a_fork():
    found = []
    for library in LIBRARIES:
        library.manual_seed(0)
        with library.random.fork_rng():
            inside = library.rand(2).tolist()
        found.append((inside, library.rand(2).tolist()))
    assert found[0] == found[1] and found[0][0] == found[0][1]


@pytest.mark.parametrize("name", ["hann", "hamming", "blackman", "bartlett"])
@pytest.mark.parametrize("length", [0, 1, 2, 7])
@pytest.mark.parametrize("periodic", [True, False])
def test_windows(name, length, periodic):
    mine, theirs = [
        getattr(t, f"{name}_window")(length, periodic, dtype=t.float64).numpy()
        for t in LIBRARIES
    ]
    np.testing.assert_allclose(mine, theirs, atol=1e-15)


@pytest.mark.parametrize("options", [{}, {"invert": True}])
def test_isin(options):
    mine, theirs = [
        (
            t.isin(t.tensor([[1, 2], [3, 4]]), t.tensor([2, 5, 4]), **options).tolist(),
            t.isin(t.tensor([1.5, 2.0]), 2, **options).tolist(),
        )
        for t in LIBRARIES
    ]
    assert mine == theirs


# --- assert_close ---------------------------------------------------------------------

CLOSE = {
    "equal": lambda t: (t.ones(2), t.ones(2)),
    "near": lambda t: (t.ones(2), t.ones(2) + 1e-7),
    "near in double": lambda t: (t.ones(2).double(), t.ones(2).double() + 1e-6),
    "far": lambda t: (t.tensor([[1.0, 2], [3, 4]]), t.tensor([[1.0, 2.5], [3, 8]])),
    "scalars": lambda t: (t.tensor(1.0), t.tensor(1.5)),
    "numbers": lambda t: (1.0, 1.0 + 1e-9),
    "integers": lambda t: (t.tensor([1, 2, 3]), t.tensor([1, 5, 3])),
    "shapes": lambda t: (t.ones(2), t.ones(3)),
    "dtypes": lambda t: (t.ones(2), t.ones(2).double()),
    "nan": lambda t: (t.tensor([float("nan")]), t.tensor([float("nan")])),
    "lists": lambda t: ([t.ones(2), t.ones(2)], [t.ones(2), t.zeros(2)]),
    "dicts": lambda t: ({"a": t.ones(2)}, {"a": t.ones(2)}),
}


def complaint(library: Any, pair: Any, **options: Any) -> str | None:
    try:
        library.testing.assert_close(*pair(library), **options)
    except AssertionError as error:
        return str(error)
    return None


@pytest.mark.parametrize("pair", CLOSE.values(), ids=CLOSE)
@pytest.mark.parametrize(
    "options",
    [{}, {"rtol": 0.5, "atol": 0}, {"equal_nan": True}, {"check_dtype": False}],
    ids=["plain", "tolerant", "nan", "dtype"],
)
def test_assert_close(pair, options):
    mine, theirs = [complaint(t, pair, **options) for t in LIBRARIES]
    assert mine == theirs


def test_one_tolerance_alone():
    with pytest.raises(ValueError, match="must be either specified or unspecified"):
        wengert.testing.assert_close(1.0, 1.0, rtol=1)
    with pytest.raises(AssertionError, match="too far"):
        wengert.testing.assert_close(1.0, 2.0, msg="too far")
