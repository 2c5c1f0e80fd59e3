"""Dtypes without kernels of their own: eager ops between kernels that only copy."""

import numpy as np
import pytest

import wengert as torch

DTYPES = [torch.float16, torch.complex64, torch.complex128, torch.int16, torch.uint8]


def numbers(*shape, dtype, seed=0):
    values = np.random.default_rng(seed).integers(1, 5, (*shape, 2)).astype("d")
    array = values[..., 0] + (1j * values[..., 1] if dtype.is_complex else 0)
    return torch.from_numpy(array.astype(dtype.numpy))


def training(buffer, weight, x):
    """Writes, parts, constants, products, and a gradient where there is one."""
    buffer.copy_(x.t() * 2 + buffer)
    buffer[1:, ::2] = 3
    buffer[0].fill_(2)
    joined = torch.cat([buffer, x.t() @ x])
    if weight.requires_grad:
        (weight * joined[: len(weight)]).abs().sum().backward()
        with torch.no_grad():
            weight.sub_(weight.grad)
        weight.grad = None
    return joined, joined.t()[:, 1:], buffer.t()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("backend", ["numpy", "llvm"])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_what_has_no_kernels_is_copied(dtype, backend):
    outcomes = []
    for wrap in (lambda function: function, torch.compile):
        options = {"backend": backend} if wrap is torch.compile else {}
        step = wrap(training, **options)
        floating = dtype.is_complex or dtype.is_floating_point
        weight = numbers(3, 4, dtype=dtype).requires_grad_(floating)
        buffer = numbers(4, 4, dtype=dtype, seed=1)
        found = [
            tensor.clone()
            for i in range(3)
            for tensor in step(buffer, weight, numbers(4, 4, dtype=dtype, seed=2 + i))
        ]
        outcomes.append([*found, buffer, weight.detach()])
    for expected, found in zip(*outcomes, strict=True):
        assert found.dtype is expected.dtype
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-3)
    assert len(step.programs) == 1
    assert not step.eager
