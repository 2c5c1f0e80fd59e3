"""Compiled functions that write in place, and their derivatives."""

from __future__ import annotations

import pytest

import wengert as torch

from .support import close, data

# --- writing in place -----------------------------------------------------------------


def test_writes_and_views(backend):
    def change(x):
        x[0] = 5.0
        row = x[1]
        row.mul_(2)
        x.t()[2] += row[0]
        return x.sum(), row.clone()

    function = torch.compile(change, backend=backend, fullgraph=True)
    for seed in range(3):
        eager, compiled = data(3, 4, seed=seed), data(3, 4, seed=seed)
        expected, result = change(eager), function(compiled)
        close(compiled, eager)
        for a, b in zip(result, expected, strict=True):
            close(a, b)
        assert compiled._version == eager._version


def test_writes_are_differentiated(backend):
    def change(x):
        y = x * 2
        y[1:].mul_(y[:-1].detach() + x[1:])
        return (y * y).sum()

    function = torch.compile(change, backend=backend, fullgraph=True)
    x = data(4, requires_grad=True)
    for _ in range(2):
        (expected,) = torch.autograd.grad(change(x), x)
        (result,) = torch.autograd.grad(function(x), x)
        close(result, expected)


def test_buffers(backend):
    eager, other = torch.nn.BatchNorm1d(4), torch.nn.BatchNorm1d(4)
    compiled = torch.compile(other, backend=backend, fullgraph=True)
    for seed in range(3):
        close(compiled(data(8, 4, seed=seed)), eager(data(8, 4, seed=seed)))
    close(other.running_mean, eager.running_mean)
    close(other.running_var, eager.running_var)
    assert other.num_batches_tracked.item() == 3


def test_random_numbers(backend):
    def noisy(x):
        noise = torch.rand(3)
        return x * noise, torch.nn.functional.dropout(x, 0.5), torch.randn(2)

    function = torch.compile(noisy, backend=backend, fullgraph=True)
    torch.manual_seed(1)
    expected = [noisy(torch.ones(3)) for _ in range(3)]
    after = torch.rand(1)
    torch.manual_seed(1)
    for wanted in expected:
        for a, b in zip(function(torch.ones(3)), wanted, strict=True):
            close(a, b)
    close(torch.rand(1), after)


@pytest.mark.parametrize("dtype", ["complex64", "float16", "int16"])
def test_dtypes_without_kernels(backend, dtype):
    def add(x, y):
        return x + y

    function = torch.compile(add, backend=backend, fullgraph=True)
    kind = getattr(torch, dtype)
    x, y = torch.ones(3).to(kind), torch.arange(3).to(kind)
    close(function(x, y), x + y)
    if dtype != "int16":
        x.requires_grad_()
        (grad,) = torch.autograd.grad(function(x, y), x, torch.ones(3).to(kind))
        close(grad, torch.ones(3).to(kind))


# --- derivatives ----------------------------------------------------------------------


def test_gradients_of_results(backend):
    weight = data(4, requires_grad=True)

    def loss(x):
        return ((x @ weight).sin() ** 2).sum(), (weight * x).exp().mean(0)

    function = torch.compile(loss, backend=backend, fullgraph=True)
    x = data(3, 4, seed=1, requires_grad=True)
    for _ in range(2):
        results = []
        for call in (loss, function):
            weight.grad = x.grad = None
            first, second = call(x)
            (first + (second * second).sum()).backward()
            results.append((first, second, weight.grad, x.grad))
        for a, b in zip(*results, strict=True):
            close(a, b)


def test_gradient_of_what_was_changed(backend):
    weight = data(4, requires_grad=True)
    function = torch.compile(lambda x: (x * weight).sum(), backend=backend)
    result = function(data(4, requires_grad=True))
    with torch.no_grad():
        weight.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        result.backward()


def test_second_derivative_outside_is_refused(backend):
    function = torch.compile(lambda x: (x**3).sum(), backend=backend)
    x = data(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="inside of the compiled function"):
        torch.autograd.grad(function(x), x, create_graph=True)


def test_derivatives_inside(backend):
    def penalty(x):
        y = (x**3).sin().sum()
        (slope,) = torch.autograd.grad(y, x, create_graph=True)
        (curve,) = torch.autograd.grad((slope * slope).sum(), x)
        return slope.detach(), curve

    function = torch.compile(penalty, backend=backend, fullgraph=True)
    x = data(4, requires_grad=True)
    for _ in range(2):
        for a, b in zip(function(x), penalty(x), strict=True):
            close(a, b, 1e-4)


@pytest.mark.parametrize(
    "transform",
    [
        lambda f: torch.func.grad(f),
        lambda f: torch.func.hessian(f),
        lambda f: torch.func.vmap(torch.func.grad(lambda v: (v**3).sin())),
        lambda f: lambda x: torch.func.jvp(f, (x,), (x + 1,))[1],
    ],
)
def test_transformations(backend, transform):
    def polynomial(x):
        return (x[1:] * x[:-1] ** 2).sum() + x.exp().sum()

    plain = transform(polynomial)
    function = torch.compile(lambda x: plain(x), backend=backend, fullgraph=True)
    for seed in range(2):
        x = data(5, seed=seed)
        close(function(x), plain(x), 1e-4)


def test_inside_of_transformations():
    function = torch.compile(lambda x: x.sin().sum(), backend="numpy")
    x = data(3)
    close(torch.func.grad(function)(x), x.cos())
