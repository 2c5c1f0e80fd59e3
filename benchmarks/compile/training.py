"""Training steps: the same source for Wengert and PyTorch, as ``torch``.

Each makes its data and returns a function to call again and again, which returns
tensors to compare; what `compile` is to be applied to is passed through `wrap`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import data

Wrap = Callable[[Callable[..., Any]], Callable[..., Any]]


def tutorial(torch: Any, wrap: Wrap) -> Any:
    x = torch.ones(9, 5, requires_grad=True)

    def step(x: Any) -> Any:
        x.grad = None
        y = x + 2
        out = (3 * y * y).mean()
        out.backward()
        return x.grad

    compiled = wrap(step)
    return lambda: compiled(x)


def mlp(torch: Any, wrap: Wrap, sizes: Any, batch: int, optimizer: Any) -> Any:
    layers: list[Any] = []
    for weight, bias in data.layers(sizes):
        layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.from_numpy(bias))
        layers += [layer, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    stepper = optimizer(model.parameters())
    x = torch.from_numpy(data.normal(batch, sizes[0]))
    y = torch.from_numpy(data.labels(batch, sizes[-1]))

    def step(x: Any, y: Any) -> Any:
        stepper.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        stepper.step()
        return loss.detach()

    compiled = wrap(step)
    return lambda: compiled(x, y)


def digits(torch: Any, wrap: Wrap) -> Any:
    return mlp(torch, wrap, data.DIGITS, 64, lambda p: torch.optim.Adam(p, lr=1e-3))


def wide(torch: Any, wrap: Wrap) -> Any:
    return mlp(
        torch,
        wrap,
        data.WIDE,
        256,
        lambda p: torch.optim.SGD(p, lr=1e-2, momentum=0.9),
    )


def adam(torch: Any, wrap: Wrap) -> Any:
    params = [
        torch.from_numpy(data.normal(n, seed=i)).requires_grad_()
        for i, n in enumerate(data.ADAM_SIZES)
    ]
    for i, param in enumerate(params):
        param.grad = torch.from_numpy(data.normal(*param.shape, seed=i + 500))
    optimizer = torch.optim.Adam(params, lr=1e-3)

    def step() -> Any:
        optimizer.step()

    compiled = wrap(step)

    def run() -> Any:
        compiled()
        return params[:2]

    return run
