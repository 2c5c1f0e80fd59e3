"""The workloads: the same source for Wengert and PyTorch, as ``torch``.

Each makes its data and returns a function to call again and again, which returns
tensors to compare, and what `compile` is to be applied to is passed through `wrap`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

Wrap = Callable[[Callable[..., Any]], Callable[..., Any]]


def normal(torch: Any, *shape: int, seed: int = 0, dtype: str = "float32") -> Any:
    array = np.random.default_rng(seed).standard_normal(shape).astype(dtype)
    return torch.from_numpy(array)


def mlp(torch: Any, wrap: Wrap, sizes: Any, batch: int, optimizer: Any) -> Any:
    layers: list[Any] = []
    for i, (n, m) in enumerate(pairwise(sizes)):
        layer = torch.nn.Linear(n, m)
        with torch.no_grad():
            layer.weight.copy_(normal(torch, m, n, seed=i) * n**-0.5)
            layer.bias.zero_()
        layers += [layer, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    stepper = optimizer(model.parameters())
    x = normal(torch, batch, sizes[0])
    labels = np.random.default_rng(1).integers(0, sizes[-1], batch)
    y = torch.from_numpy(labels)

    def step(x: Any, y: Any) -> Any:
        stepper.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        stepper.step()
        return loss

    compiled = wrap(step)
    return lambda: [compiled(x, y)]


def digits(torch: Any, wrap: Wrap) -> Any:
    return mlp(
        torch, wrap, (64, 128, 128, 10), 64, lambda p: torch.optim.Adam(p, lr=1e-3)
    )


def wide(torch: Any, wrap: Wrap) -> Any:
    return mlp(
        torch,
        wrap,
        (784, 1024, 1024, 10),
        256,
        lambda p: torch.optim.SGD(p, lr=1e-2, momentum=0.9),
    )


def greeks(torch: Any, wrap: Wrap, dtype: str = "float32") -> Any:
    rng = np.random.default_rng(0)
    bounds = [(50, 150), (50, 150), (0.1, 2), (0.1, 0.5), (0, 0.05)]
    arrays = [rng.uniform(*b, 1_000_000).astype(dtype) for b in bounds]
    inputs = [torch.from_numpy(array).requires_grad_() for array in arrays]

    def cdf(x: Any) -> Any:
        return (torch.erf(x * 0.5**0.5) + 1) * 0.5

    def step(s: Any, k: Any, t: Any, v: Any, r: Any) -> Any:
        spread = v * t.sqrt()
        d1 = ((s / k).log() + (r + v * v * 0.5) * t) / spread
        price = s * cdf(d1) - k * (-r * t).exp() * cdf(d1 - spread)
        return price.detach(), *torch.autograd.grad(price.sum(), (s, k, t, v, r))

    compiled = wrap(step)
    return lambda: compiled(*inputs)


def greeks64(torch: Any, wrap: Wrap) -> Any:
    return greeks(torch, wrap, "float64")


def elementwise(torch: Any, wrap: Wrap) -> Any:
    inputs = [normal(torch, 10_000_000, seed=i).requires_grad_(i < 3) for i in range(4)]

    def step(a: Any, b: Any, c: Any, grad: Any) -> Any:
        y = (a * b + c).tanh() * (-a * a).exp()
        return y.detach(), *torch.autograd.grad(y, (a, b, c), grad)

    compiled = wrap(step)
    return lambda: compiled(*inputs)


def norm_gelu(torch: Any, wrap: Wrap) -> Any:
    x, grad = [normal(torch, 4096, 1024, seed=i) for i in range(2)]
    w, b = [normal(torch, 1024, seed=i) for i in (2, 3)]
    inputs = [x.requires_grad_(), w.requires_grad_(), b.requires_grad_()]

    def step(x: Any, w: Any, b: Any, grad: Any) -> Any:
        functional = torch.nn.functional
        y = functional.gelu(functional.layer_norm(x, (1024,), w, b))
        return y.detach(), *torch.autograd.grad(y, (x, w, b), grad)

    compiled = wrap(step)
    return lambda: compiled(*inputs, grad)


def classes(torch: Any, wrap: Wrap) -> Any:
    x = normal(torch, 64, 50_000).requires_grad_()
    y = torch.from_numpy(np.random.default_rng(1).integers(0, 50_000, 64))

    def step(x: Any, y: Any) -> Any:
        loss = torch.nn.functional.cross_entropy(x, y)
        return loss.detach(), *torch.autograd.grad(loss, x)

    compiled = wrap(step)
    return lambda: compiled(x, y)


def adam(torch: Any, wrap: Wrap) -> Any:
    sizes = [int(50_000 * (0.5 + i / 199)) for i in range(200)]
    params = [normal(torch, n, seed=i).requires_grad_() for i, n in enumerate(sizes)]
    for i, param in enumerate(params):
        param.grad = normal(torch, *param.shape, seed=i + 500)
    optimizer = torch.optim.Adam(params, lr=1e-3)

    def step() -> Any:
        optimizer.step()

    compiled = wrap(step)

    def run() -> Any:
        compiled()
        return params[:2]

    return run


WORKLOADS = {
    function.__name__: function
    for function in (
        *(digits, wide, greeks, greeks64),
        *(elementwise, norm_gelu, classes, adam),
    )
}
