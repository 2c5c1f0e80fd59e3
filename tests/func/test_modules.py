"""`functional_call` and `stack_module_state`, beside PyTorch."""

from __future__ import annotations

import pytest
import torch

import wengert
from tests.autograd.support import side_by_side


def tied(t):
    class Tied(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = t.nn.Parameter(t.zeros(2))
            self.v = self.w

        def forward(self, x):
            return self.w + 2 * self.v + x

    return Tied()


@side_by_side
def test_functional_call(t, log):
    layer, x = t.nn.Linear(2, 2), t.ones(1, 2)
    call = t.func.functional_call
    before = layer.weight
    tensors = {"weight": t.ones(2, 2), "bias": t.ones(2)}
    log(call(layer, tensors, x), call(layer, tensors, (x,)))
    log(call(layer, ({"weight": t.ones(2, 2)}, {"bias": t.ones(2)}), (x,)))
    log(layer.weight is before)
    log.error(lambda: call(layer, {"weigh": t.ones(2, 2)}, x, strict=True))
    log.error(lambda: call(layer, {"weight": t.ones(2, 2)}, x, strict=True))
    log.error(lambda: call(layer, ({"bias": t.ones(2)}, {"bias": t.ones(2)}), x))
    log.error(lambda: call(layer, 1, x))
    log.error(lambda: call(layer, {"weight": 1}, x))
    log(t.func.grad(lambda p: call(layer, p, x).sum())(tensors))


@side_by_side
def test_tied_weights(t, log):
    module, x, call = tied(t), t.ones(1, 2), t.func.functional_call
    log(call(module, {"w": t.ones(2)}, x))
    log(call(module, {"w": t.ones(2)}, x, tie_weights=False).detach())
    log.error(lambda: call(module, {"w": t.ones(2), "v": t.zeros(2)}, x))


@side_by_side
def test_buffers(t, log):
    norm = t.nn.BatchNorm1d(2)
    state = {key: value.clone() for key, value in norm.state_dict().items()}
    t.func.functional_call(norm, state, t.arange(8.0).reshape(4, 2))
    log(state["running_mean"], norm.running_mean, state["num_batches_tracked"])


@side_by_side
def test_stack_module_state_errors(t, log):
    stack, layer = t.func.stack_module_state, t.nn.Linear(2, 2)
    log.error(lambda: stack([]))
    log.error(lambda: stack([layer, t.nn.ReLU()]))
    log.error(lambda: stack([layer, t.nn.Linear(2, 2).eval()]))


@pytest.mark.parametrize("t", [wengert, torch], ids=["wengert", "torch"])
def test_ensemble(t):
    t.manual_seed(0)
    models = [t.nn.Sequential(t.nn.Linear(3, 4), t.nn.Tanh()) for _ in range(5)]
    parameters, buffers = t.func.stack_module_state(models)
    assert all(p.requires_grad and p.is_leaf for p in parameters.values())
    x = t.randn(7, 3)

    def call(parameters, buffers, x):
        return t.func.functional_call(models[0], (parameters, buffers), x)

    found = t.vmap(call, (0, 0, None))(parameters, buffers, x)
    expected = t.stack([model(x) for model in models])
    assert (found - expected).abs().max().item() < 1e-6
