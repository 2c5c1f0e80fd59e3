"""Compiled training steps: optimizers, gradients, schedules."""

from __future__ import annotations

import numpy as np
import pytest

import wengert as torch

from .support import close, data

OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, 0.1),
    "momentum": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
    "dampening": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, dampening=0.1),
    "adam": lambda p: torch.optim.Adam(p, 0.01, weight_decay=0.1),
    "amsgrad": lambda p: torch.optim.Adam(p, 0.01, amsgrad=True, maximize=True),
    "adamw": lambda p: torch.optim.AdamW(p, 0.01),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 0.01, momentum=0.5, centered=True),
    "adagrad": lambda p: torch.optim.Adagrad(p, 0.1),
    "adamax": lambda p: torch.optim.Adamax(p, 0.01),
}


def training(kind, backend, steps=50):
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Linear(16, 4)
    )
    optimizer = OPTIMIZERS[kind](model.parameters())
    x, y = torch.randn(32, 8), torch.randint(0, 4, (32,))

    def step(x, y):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    run = torch.compile(step, backend=backend, fullgraph=True) if backend else step
    losses = []
    for i in range(steps):
        if i == steps // 2:
            optimizer.param_groups[0]["lr"] *= 0.5
        losses.append(run(x, y).item())
    if backend:
        assert len(run.programs) == 1
    state = [
        value
        for parameter in model.parameters()
        for value in optimizer.state[parameter].values()
    ]
    return losses, [*model.parameters(), *[p.grad for p in model.parameters()], *state]


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_training_steps(backend, kind):
    if not hasattr(
        torch.optim, {"adagrad": "Adagrad", "adamax": "Adamax"}.get(kind, "SGD")
    ):
        pytest.skip("no such optimizer")
    losses, compiled = training(kind, backend)
    expected, eager = training(kind, None)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    for a, b in zip(compiled, eager, strict=True):
        close(a, b, 2e-3)


def test_accumulating_gradients(backend):
    weight = data(3, requires_grad=True)
    other = data(3, requires_grad=True)

    def accumulate(w, x):
        (w * x).exp().sum().backward()

    function = torch.compile(lambda x: accumulate(weight, x), backend=backend)
    for seed in range(4):
        x = data(3, seed=seed)
        function(x)
        accumulate(other, x)
        close(weight.grad, other.grad)
    held = weight.grad
    function(x)
    assert weight.grad is held


def test_kept_results_are_refused():
    kept = []
    function = torch.compile(lambda x: kept.append(x * 2), backend="numpy")
    with pytest.warns(UserWarning, match="keeps a tensor"):
        function(torch.ones(2))
    kept.clear()
    function(torch.ones(2) * 3)
    assert kept[0].tolist() == [6, 6]


def test_schedules_belong_outside():
    weight = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=1.0)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)

    def step(x):
        optimizer.zero_grad()
        (weight * x).sum().backward()
        optimizer.step()
        scheduler.step()

    with pytest.raises(RuntimeError, match="outside of the compiled function"):
        torch.compile(step, backend="numpy", fullgraph=True)(torch.ones(2))
    assert scheduler.last_epoch == 0
    relaxed = torch.compile(step, backend="numpy")
    with pytest.warns(UserWarning, match="the scheduler's step"):
        relaxed(torch.ones(2))
    relaxed(torch.ones(2))
    assert scheduler.last_epoch == 2
    assert optimizer.param_groups[0]["lr"] == 0.25
    assert weight.tolist() == [-1.5, -1.5]


def test_options_that_change_are_as_eager_leaves_them():
    weight = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=1.0)

    def step(x):
        optimizer.zero_grad()
        (weight * x).sum().backward()
        optimizer.step()
        optimizer.param_groups[0]["lr"] *= 0.5

    relaxed = torch.compile(step, backend="numpy")
    with pytest.warns(UserWarning, match="options of an optimizer"):
        relaxed(torch.ones(2))
    relaxed(torch.ones(2))
    assert optimizer.param_groups[0]["lr"] == 0.25
    assert weight.tolist() == [-1.5, -1.5]


def test_gradient_through_what_was_computed_outside(backend):
    function = torch.compile(lambda x: (x * x).sum(), backend=backend, fullgraph=True)
    for view in (lambda x: x * 2, lambda x: x[1:], lambda x: x.t()):
        x = data(3, 4, requires_grad=True)
        (expected,) = torch.autograd.grad((view(x) ** 2).sum(), x)
        (result,) = torch.autograd.grad(function(view(x)), x)
        close(result, expected)


def test_backward_stops_at_the_boundary():
    def step(x):
        (x * x).sum().backward()

    x = data(3, requires_grad=True)
    function = torch.compile(step, backend="numpy", fullgraph=True)
    with pytest.raises(RuntimeError, match="outside of the compiled function"):
        function(x * 2)
    relaxed = torch.compile(step, backend="numpy")
    with pytest.warns(UserWarning, match="runs eagerly"):
        relaxed(x * 2)
    close(x.grad, 8 * x)
