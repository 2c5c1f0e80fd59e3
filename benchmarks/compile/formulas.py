"""Formulas and their derivatives: the same source for Wengert and PyTorch."""

from __future__ import annotations

from typing import Any

from . import data
from .training import Wrap


def greeks(torch: Any, wrap: Wrap, dtype: str = "float32") -> Any:
    arrays = data.options(dtype)
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
    inputs = [torch.from_numpy(data.normal(data.ELEMENTS, seed=i)) for i in range(4)]
    for tensor in inputs[:3]:
        tensor.requires_grad_()

    def step(a: Any, b: Any, c: Any, grad: Any) -> Any:
        y = (a * b + c).tanh() * (-a * a).exp()
        return y.detach(), *torch.autograd.grad(y, (a, b, c), grad)

    compiled = wrap(step)
    return lambda: compiled(*inputs)


def norm_gelu(torch: Any, wrap: Wrap) -> Any:
    shapes = (data.NORM, data.NORM, data.NORM[1:], data.NORM[1:])
    tensors = [
        torch.from_numpy(data.normal(*shape, seed=i)) for i, shape in enumerate(shapes)
    ]
    x, grad, w, b = tensors
    for tensor in (x, w, b):
        tensor.requires_grad_()

    def step(x: Any, w: Any, b: Any, grad: Any) -> Any:
        functional = torch.nn.functional
        y = functional.gelu(functional.layer_norm(x, x.shape[1:], w, b))
        return y.detach(), *torch.autograd.grad(y, (x, w, b), grad)

    compiled = wrap(step)
    return lambda: compiled(x, w, b, grad)


def classes(torch: Any, wrap: Wrap) -> Any:
    x = torch.from_numpy(data.normal(*data.CLASSES)).requires_grad_()
    y = torch.from_numpy(data.labels(*data.CLASSES))

    def step(x: Any, y: Any) -> Any:
        loss = torch.nn.functional.cross_entropy(x, y)
        return loss.detach(), *torch.autograd.grad(loss, x)

    compiled = wrap(step)
    return lambda: compiled(x, y)


def hessian(torch: Any, wrap: Wrap) -> Any:
    x = torch.from_numpy(data.normal(100))

    def rosenbrock(x: Any) -> Any:
        return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()

    def step(x: Any) -> Any:
        return torch.func.hessian(rosenbrock)(x)

    compiled = wrap(step)
    return lambda: compiled(x)


def hvp(torch: Any, wrap: Wrap) -> Any:
    layers = data.layers(data.DIGITS)
    weights = [torch.from_numpy(array) for layer in layers for array in layer]
    vectors = [
        torch.from_numpy(data.normal(*weight.shape, seed=i + 9))
        for i, weight in enumerate(weights)
    ]
    x = torch.from_numpy(data.normal(64, data.DIGITS[0]))
    y = torch.from_numpy(data.labels(64, data.DIGITS[-1]))

    def loss(weights: Any, x: Any, y: Any) -> Any:
        *pairs, (last, shift) = zip(weights[::2], weights[1::2], strict=True)
        for weight, bias in pairs:
            x = torch.tanh(x @ weight.T + bias)
        return torch.nn.functional.cross_entropy(x @ last.T + shift, y)

    def step(weights: Any, vectors: Any, x: Any, y: Any) -> Any:
        def gradient(weights: Any) -> Any:
            return torch.func.grad(loss)(weights, x, y)

        return torch.func.jvp(gradient, (weights,), (vectors,))[1]

    compiled = wrap(step)
    return lambda: compiled(weights, vectors, x, y)
