"""The smaller parts of `torch.func`, beside PyTorch."""

from __future__ import annotations

import pytest

from tests.autograd.support import side_by_side


@side_by_side
def test_functionalize(t, log):
    x = t.zeros(2)
    log(t.func.functionalize(lambda v: v.clone().add_(1))(x), x)
    log(t.func.functionalize(lambda v: v.add_(1), remove="mutations_and_views")(x), x)
    with pytest.raises(RuntimeError, match="received invalid argument for remove=no"):
        t.func.functionalize(t.sin, remove="no")


@side_by_side
def test_debug_unwrap(t, log):
    unwrap, x = t.func.debug_unwrap, t.arange(6.0).reshape(2, 3)

    def look(v):
        log(unwrap(v))
        return v.sum()

    look(x)
    t.func.vmap(look)(x)
    t.func.grad(look)(x)
    t.func.jvp(look, (x,), (x,))
    t.func.vmap(t.func.grad(look))(x)
    t.func.vmap(lambda v: (log(unwrap(v, recurse=False)), v)[1])(x)


@side_by_side
def test_batch_norms_without_statistics(t, log):
    module = t.nn.Sequential(t.nn.BatchNorm1d(3), t.nn.ReLU())
    log(t.func.replace_all_batch_norm_modules_(module) is module)
    norm = module[0]
    log(norm.running_mean, norm.running_var, norm.num_batches_tracked)
    log(norm.track_running_stats, list(norm.state_dict()))
    log(t.func.vmap(module)(t.arange(24.0).reshape(2, 4, 3)).detach())
