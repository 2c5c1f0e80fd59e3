import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from wengert.kernels import activations

FORMS = ["none", "tanh"]
# 1 - tanh² is what both lose digits by
TOLERANCE = {
    torch.float64: {"rtol": 1e-13, "atol": 1e-13},
    torch.float32: {"rtol": 2e-6, "atol": 1e-5},
    torch.float16: {"rtol": 2e-3, "atol": 1e-3},
}


def check(function, vjp, x, expected):
    """Compare values and gradients of `function` with torch's `expected`."""
    x.requires_grad_()
    out = expected(x)
    grad = torch.randn_like(out)
    (slope,) = torch.autograd.grad(out, x, grad)
    array, tolerance = x.detach().numpy(), TOLERANCE[x.dtype]
    ours = function(array)
    np.testing.assert_allclose(ours, out.detach(), strict=True, **tolerance)
    np.testing.assert_allclose(
        vjp(grad.numpy(), array), slope, strict=True, **tolerance
    )


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("form", FORMS)
def test_gelu_equals_torch(form, dtype):
    torch.manual_seed(0)
    check(
        lambda x: activations.gelu(x, approximate=form),
        lambda grad, x: activations.gelu_vjp(grad, x, approximate=form),
        (3 * torch.randn(7, 11, 3000, dtype=dtype)).permute(2, 0, 1),
        lambda x: F.gelu(x, approximate=form),
    )


def test_gelu_in_single_precision_is_close_to_double():
    x = np.linspace(-10, 10, 100_001).astype(np.float32)
    exact = activations.gelu(x.astype(np.float64), approximate="none")
    error = np.abs(activations.gelu(x, approximate="none") - exact)
    assert error.max() < np.spacing(np.float32(10))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("form", FORMS)
def test_gelu_of_extremes(form, dtype):
    x = torch.tensor([0.0, -0.0, 1e-30, 40.0, -40.0, 1e25, -math.inf, math.nan])
    x = x.to(dtype)
    ours = activations.gelu(x.numpy(), approximate=form)
    np.testing.assert_allclose(ours, F.gelu(x, approximate=form), strict=True)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("beta", "threshold"), [(1, 20), (0.5, 3), (-2, 20)])
def test_softplus_equals_torch(beta, threshold, dtype):
    torch.manual_seed(0)
    check(
        lambda x: activations.softplus(x, beta=beta, threshold=threshold),
        lambda g, x: activations.softplus_vjp(g, x, beta=beta, threshold=threshold),
        10 * torch.randn(5, 40, dtype=dtype),
        lambda x: F.softplus(x, beta, threshold),
    )


def test_softplus_does_not_overflow():
    x = np.array([-1e4, 1e4, np.inf, -np.inf], np.float32)
    value = activations.softplus(x, beta=1, threshold=1e9)
    np.testing.assert_array_equal(value, np.maximum(x, 0), strict=True)
    slope = activations.softplus_vjp(np.ones_like(x), x, beta=1, threshold=1e9)
    np.testing.assert_array_equal(slope, [0, 1, 1, 0])
