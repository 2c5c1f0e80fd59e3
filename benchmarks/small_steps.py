"""Steps on small tensors, where the time is the library's own and not the arrays'."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.measure import Outcome, numbers, timed

Array = npt.NDArray[np.float32]

SHAPE = (3, 4)
CHAIN_LENGTH = 100


def operands() -> tuple[Array, Array]:
    values = np.linspace(-1, 1, 12, dtype=np.float32).reshape(SHAPE)
    return values, values + np.float32(0.3)


def recorded(
    library: str, bind: Callable[[Any, Any, Any], Callable[[], Any]]
) -> Outcome:
    """One op on tensors that require grad: what it costs to compute and record it."""
    torch = import_module(library)
    a, b = (torch.tensor(array, requires_grad=True) for array in operands())
    op = bind(torch, a, b)
    recorded_result = op()
    assert recorded_result.grad_fn is not None
    return timed(op, numbers(recorded_result.detach()))


def recorded_add(library: str) -> Outcome:
    return recorded(library, lambda _, a, b: lambda: a + b)


def recorded_mul(library: str) -> Outcome:
    return recorded(library, lambda _, a, b: lambda: a * b)


def recorded_exp(library: str) -> Outcome:
    return recorded(library, lambda torch, a, _: partial(torch.exp, a))


def numpy_add() -> Outcome:
    a, b = operands()
    return timed(lambda: a + b, numbers(a + b))


def numpy_mul() -> Outcome:
    a, b = operands()
    return timed(lambda: a * b, numbers(a * b))


def numpy_exp() -> Outcome:
    a, _ = operands()
    return timed(partial(np.exp, a), numbers(np.exp(a)))


def tutorial(library: str) -> Outcome:
    torch = import_module(library)
    x = torch.ones(9, 5, requires_grad=True)

    def step() -> tuple[Any, Any]:
        y = x + 2
        z = 3 * y * y
        out = z.mean()
        out.backward()
        grad, x.grad = x.grad, None
        return out, grad

    out, grad = step()
    return timed(step, numbers(out.detach(), grad))


def numpy_tutorial() -> Outcome:
    x = np.ones((9, 5), np.float32)

    def step() -> tuple[Any, Any]:
        y = x + 2
        scaled = 3 * y
        out = (scaled * y).mean()
        grad_z = np.full(x.shape, 1 / x.size, np.float32)
        return out, grad_z * scaled + grad_z * y * 3

    return timed(step, numbers(*step()))


def chain(library: str) -> Outcome:
    torch = import_module(library)
    start, factor = operands()
    x = torch.tensor(start, requires_grad=True)
    w = torch.tensor(1 + factor / 1000, requires_grad=True)
    seed = torch.ones(*SHAPE)

    def step() -> tuple[Any, Any, Any]:
        y = x
        for _ in range(CHAIN_LENGTH):
            y = y * w
        y.backward(seed)
        grads = x.grad, w.grad
        x.grad = w.grad = None
        return y, *grads

    y, *grads = step()
    return timed(step, numbers(y.detach(), *grads))


def numpy_chain() -> Outcome:
    x, factor = operands()
    w = np.float32(1) + factor / np.float32(1000)
    seed = np.ones(SHAPE, np.float32)

    def step() -> tuple[Array, Array, Array]:
        y: Array = x
        inputs = []
        for _ in range(CHAIN_LENGTH):
            inputs.append(y)
            y = y * w
        grad: Array = seed
        grad_w: Array = np.zeros_like(w)
        for saved in reversed(inputs):
            grad_w = grad_w + grad * saved
            grad = grad * w
        return y, grad, grad_w

    return timed(step, numbers(*step()))
