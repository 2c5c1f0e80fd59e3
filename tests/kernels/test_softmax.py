import math

import numpy as np
import pytest
import torch

from wengert.kernels import softmax, windows

EXACT = {"rtol": 1e-12, "atol": 1e-13}
FORMS = {
    "softmax": (softmax.softmax, softmax.softmax_vjp, torch.softmax),
    "log_softmax": (softmax.log_softmax, softmax.log_softmax_vjp, torch.log_softmax),
}
SHAPES = [
    ((7,), 0),
    ((5, 10), 1),
    ((5, 50), -1),
    ((5, 10), 0),
    ((2, 3, 4), 1),
    ((2, 3, 40), 2),
    ((0, 4), 1),
    ((3, 1), 1),
    ((), 0),
]


def array(tensor):
    return tensor.detach().numpy()


@pytest.fixture(params=["one block", "many blocks"])
def block_size(request, monkeypatch):
    if request.param == "many blocks":
        monkeypatch.setattr(windows, "BLOCK_BYTES", 1000)
        monkeypatch.setattr(softmax, "SMALL", 0)


@pytest.mark.usefixtures("block_size")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("shape", "dim"), SHAPES)
@pytest.mark.parametrize("scale", [1, 100])
def test_softmax_equals_torch(form, shape, dim, scale):
    forward, vjp, theirs = FORMS[form]
    x = (scale * torch.randn(shape, dtype=torch.float64)).requires_grad_()
    out = theirs(x, dim)
    grad = torch.randn_like(out)
    (expected,) = torch.autograd.grad(out, x, grad)
    ours = forward(array(x), dim)
    np.testing.assert_allclose(ours, array(out), strict=True, **EXACT)
    ours = vjp(array(grad), ours, dim)
    np.testing.assert_allclose(ours, expected, strict=True, **EXACT)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("columns", [4, 40])
def test_rows_with_infinities_and_nan(form, columns):
    forward, _, theirs = FORMS[form]
    x = torch.randn(7, columns)
    x[0], x[1, :2], x[2, 1] = -math.inf, -math.inf, math.inf
    x[3, 0], x[4], x[5] = math.nan, -1e30, x[5] - 500
    ours = forward(x.numpy(), 1)
    np.testing.assert_allclose(ours, theirs(x, 1), rtol=1e-5, atol=1e-6, strict=True)


@pytest.mark.parametrize("form", FORMS)
def test_transposed_and_half(form):
    forward, _, theirs = FORMS[form]
    x = torch.randn(6, 5, 4).permute(2, 0, 1)
    ours = forward(x.numpy(), 1)
    np.testing.assert_allclose(ours, theirs(x, 1), rtol=1e-5, atol=1e-6, strict=True)
    ours = forward(x.half().numpy(), 1)
    expected = theirs(x.half(), 1)
    np.testing.assert_allclose(ours, expected, rtol=2e-3, atol=1e-3, strict=True)


def test_log_softmax_is_exact_close_to_zero():
    x = np.array([[50.0, 0.0], [0.0, 50.0]], np.float32)
    exact = softmax.log_softmax(x.astype(np.float64), 1)
    np.testing.assert_allclose(softmax.log_softmax(x, 1), exact, rtol=1e-6)
