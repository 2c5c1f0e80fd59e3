"""Function transformations: products, per-sample gradients, Jacobians, Hessians."""

from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.digits_mlp import batches, initial_parameters
from benchmarks.measure import Outcome, numbers, timed

ROSENBROCK_SIZE = 100


def prepared(library: str) -> tuple[Any, Any, tuple[Any, ...]]:
    """The library, its `func`, and the parameters of the digits MLP."""
    torch = import_module(library)
    func = import_module(f"{library}.func")
    import_module(f"{library}.nn.functional")
    parameters = tuple(torch.from_numpy(value) for value in initial_parameters())
    return torch, func, parameters


def digits_loss(torch: Any, parameters: Any, pixels: Any, labels: Any) -> Any:
    """The cross-entropy of the digits MLP."""
    linear = torch.nn.functional.linear
    w1, b1, w2, b2, w3, b3 = parameters
    hidden = linear(linear(pixels, w1, b1).relu(), w2, b2).relu()
    return torch.nn.functional.cross_entropy(linear(hidden, w3, b3), labels)


def hessian_vector_product(library: str) -> Outcome:
    torch, func, parameters = prepared(library)
    pixels, labels = (torch.from_numpy(array) for array in batches()[0])

    def gradient(parameters: Any) -> Any:
        return func.grad(lambda p: digits_loss(torch, p, pixels, labels))(parameters)

    def product() -> Any:
        return func.jvp(gradient, (parameters,), (parameters,))[1]

    return timed(product, numbers(*product()))


def per_sample_gradients(library: str) -> Outcome:
    torch, func, parameters = prepared(library)
    pixels, labels = (torch.from_numpy(array) for array in batches()[0])

    def loss(parameters: Any, pixels: Any, label: Any) -> Any:
        return digits_loss(torch, parameters, pixels, label)

    gradients = func.vmap(func.grad(loss), in_dims=(None, 0, 0))
    found = gradients(parameters, pixels, labels)
    return timed(
        lambda: gradients(parameters, pixels, labels),
        numbers(*[gradient[::16] for gradient in found]),
    )


def jacobian(library: str) -> Outcome:
    torch, func, _ = prepared(library)
    random = np.random.default_rng(0)
    weights = [
        torch.from_numpy(random.standard_normal((64, 64)).astype(np.float32) / 8)
        for _ in range(3)
    ]
    start = torch.from_numpy(random.standard_normal(64).astype(np.float32))

    def mlp(x: Any) -> Any:
        for weight in weights[:-1]:
            x = torch.nn.functional.linear(x, weight).tanh()
        return torch.nn.functional.linear(x, weights[-1])

    rows = func.jacrev(mlp)
    return timed(lambda: rows(start), numbers(rows(start)))


def hessian(library: str) -> Outcome:
    torch, func, _ = prepared(library)

    def rosenbrock(x: Any) -> Any:
        return ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum()

    start = torch.linspace(-1, 1, ROSENBROCK_SIZE, dtype=torch.float64)
    second = func.hessian(rosenbrock)
    return timed(lambda: second(start), numbers(second(start)))
