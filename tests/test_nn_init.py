"""`nn.init` draws PyTorch's numbers."""

import math

import numpy as np
import pytest
import torch

import wengert

LIBRARIES = (wengert, torch)

CALLS = {
    "uniform_": lambda i, t: i.uniform_(t, -1, 2),
    "normal_": lambda i, t: i.normal_(t, 1, 2),
    "constant_": lambda i, t: i.constant_(t, 3),
    "ones_": lambda i, t: i.ones_(t),
    "zeros_": lambda i, t: i.zeros_(t),
    "xavier_uniform_": lambda i, t: i.xavier_uniform_(t, gain=2),
    "xavier_normal_": lambda i, t: i.xavier_normal_(t),
    "kaiming_uniform_": lambda i, t: i.kaiming_uniform_(t, a=0.1),
    "kaiming_uniform_, relu": lambda i, t: i.kaiming_uniform_(
        t, mode="fan_out", nonlinearity="relu"
    ),
    "kaiming_normal_": lambda i, t: i.kaiming_normal_(t, nonlinearity="linear"),
    "orthogonal_": lambda i, t: i.orthogonal_(t, gain=2),
    "trunc_normal_": lambda i, t: i.trunc_normal_(t),
    "trunc_normal_, narrow": lambda i, t: i.trunc_normal_(t, std=0.02, a=-0.03, b=0.04),
    "trunc_normal_, few": lambda i, t: i.trunc_normal_(t, a=-0.2, b=0.3),
    "trunc_normal_, tail": lambda i, t: i.trunc_normal_(t, mean=1, a=2, b=4),
    "trunc_normal_, lower tail": lambda i, t: i.trunc_normal_(t, std=2, a=-9, b=-3),
}
MATRICES = {
    "eye_": lambda i, t: i.eye_(t),
    "sparse_": lambda i, t: i.sparse_(t, 0.4, std=1.0),
}
KERNELS = {
    "dirac_": lambda i, t: i.dirac_(t),
    "dirac_, groups": lambda i, t: i.dirac_(t, groups=2),
}
CASES = [(name, call, (6, 4)) for name, call in (CALLS | MATRICES).items()]
CASES += [(name, call, (4, 6)) for name, call in (CALLS | MATRICES).items()]
CASES += [(name, call, (4, 3, 2, 5)) for name, call in (CALLS | KERNELS).items()]
IDS = [f"{name} {shape}" for name, _, shape in CASES]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "call", "shape"), CASES, ids=IDS)
def test_numbers_are_pytorchs(name, call, shape, dtype):
    found = []
    for library in LIBRARIES:
        tensor = library.empty(shape, dtype=getattr(library, dtype), requires_grad=True)
        library.manual_seed(3)
        assert call(library.nn.init, tensor) is tensor
        assert tensor.is_leaf
        assert tensor.grad_fn is None
        found.append((tensor.detach().numpy(), library.rand(1).item()))
    (mine, after), (theirs, reference) = found
    assert after == reference, "drew another number of times"
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance)


def test_orthogonal_is_orthogonal():
    matrix = wengert.nn.init.orthogonal_(wengert.empty(5, 3, 2)).numpy().reshape(5, 6)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(5), atol=1e-6)


@pytest.mark.parametrize(
    "name", ["uniform_", "normal_", "trunc_normal_", "orthogonal_"]
)
def test_generators(name):
    found = []
    for library in LIBRARIES:
        generator = library.Generator().manual_seed(9)
        tensor = getattr(library.nn.init, name)(
            library.empty(3, 4), generator=generator
        )
        found.append(tensor.numpy())
    np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-6)


GAINS = ["linear", "conv1d", "conv_transpose3d", "sigmoid", "tanh", "relu", "selu"]


@pytest.mark.parametrize(
    "args",
    [(name,) for name in GAINS]
    + [("leaky_relu",), ("leaky_relu", 0.2), ("leaky_relu", "a"), ("gelu",)],
    ids=str,
)
def test_gain(args):
    found = []
    for library in LIBRARIES:
        try:
            found.append(library.nn.init.calculate_gain(*args))
        except ValueError as error:
            found.append(str(error))
    assert found[0] == found[1]


MISTAKES = {
    "vector": lambda i, t: i.xavier_uniform_(t.empty(3)),
    "mode": lambda i, t: i.kaiming_uniform_(t.empty(3, 3), mode="x"),
    "nonlinearity": lambda i, t: i.kaiming_normal_(t.empty(3, 3), nonlinearity="x"),
    "eye": lambda i, t: i.eye_(t.empty(3)),
    "dirac": lambda i, t: i.dirac_(t.empty(3)),
    "dirac's groups": lambda i, t: i.dirac_(t.empty(3, 2, 2), groups=2),
    "orthogonal": lambda i, t: i.orthogonal_(t.empty(3)),
    "sparse": lambda i, t: i.sparse_(t.empty(3), 0.1),
}


@pytest.mark.parametrize("call", MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_told_as_pytorch_tells_them(call):
    told = []
    for library in LIBRARIES:
        with pytest.raises(ValueError) as caught:
            call(library.nn.init, library)
        told.append(str(caught.value))
    assert told[0] == told[1]


def test_warnings():
    init = wengert.nn.init
    with pytest.warns(UserWarning, match="no-op"):
        init.kaiming_uniform_(wengert.empty(0, 3))
    with pytest.warns(UserWarning, match="more than 2 std"):
        init.trunc_normal_(wengert.empty(3), mean=10)
    with pytest.warns(
        FutureWarning, match=r"deprecated in favor of `nn\.init\.normal_`"
    ):
        init.normal(wengert.empty(3))


def test_filling_is_noticed_by_saved_tensors():
    w = wengert.ones(3, requires_grad=True)
    loss = (w * w).sum()
    wengert.nn.init.trunc_normal_(w)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_scale_of_kaiming():
    weight = wengert.nn.init.kaiming_normal_(
        wengert.empty(400, 300), nonlinearity="relu"
    )
    assert weight.std().item() == pytest.approx(math.sqrt(2 / 300), rel=0.02)
