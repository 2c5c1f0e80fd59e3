"""Compiled modules are modules: names, modes, copies and containers as in PyTorch."""

import copy
import io
import pickle

import numpy as np
import pytest
import torch

import wengert

LIBRARIES = (wengert, torch)


def net(library):
    nn = library.nn
    return nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 2))


def optimized(library):
    """A compiled module; PyTorch's runs eagerly, which shows the same from outside."""
    backend = "eager" if library is torch else "llvm"
    return library.compile(net(library), backend=backend)


def test_names_are_those_of_pytorch():
    mine, theirs = map(optimized, LIBRARIES)
    for library, module in zip(LIBRARIES, (mine, theirs), strict=True):
        module.register_buffer("seen", library.zeros(1))
    assert list(mine.state_dict()) == list(theirs.state_dict())
    assert [n for n, _ in mine.named_modules()] == [
        n for n, _ in theirs.named_modules()
    ]
    assert repr(mine) == repr(theirs)
    assert isinstance(mine, wengert.nn.Module)


def test_attributes_are_those_of_the_module():
    module = net(wengert)
    compiled = wengert.compile(module)
    assert compiled._orig_mod is module
    assert compiled.append == module.append
    compiled.note = 3
    assert module.note == 3
    compiled.eval()
    assert not module.training
    assert not module[1].training
    module.train()
    assert compiled.training
    del compiled.note
    assert not hasattr(module, "note")
    with pytest.raises(AttributeError, match="nothing"):
        compiled.nothing


def test_a_compiled_module_is_trained_inside_of_others():
    wengert.manual_seed(0)
    module = net(wengert).eval()
    x = wengert.randn(5, 3)
    whole = wengert.nn.Sequential(wengert.compile(module), wengert.nn.Tanh())
    expected = module(x).tanh()
    np.testing.assert_allclose(
        whole(x).detach().numpy(), expected.detach().numpy(), rtol=1e-5
    )
    whole(x).sum().backward()
    found = [parameter.grad.clone() for parameter in whole.parameters()]
    whole.zero_grad()
    expected.sum().backward()
    for mine, parameter in zip(found, module.parameters(), strict=True):
        np.testing.assert_allclose(mine.numpy(), parameter.grad.numpy(), rtol=1e-4)
    assert "kernel" in whole[0].explain()


def test_hooks_run():
    module = wengert.nn.Linear(3, 2)
    compiled = wengert.compile(module)
    seen = []
    compiled.register_forward_hook(lambda *args: seen.append(args[0]))
    compiled(wengert.ones(1, 3))
    compiled(wengert.ones(1, 3))
    assert len(seen) == 2


@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_copies(again):
    compiled = wengert.compile(wengert.nn.Linear(3, 2))
    x = wengert.ones(2, 3)
    before = compiled(x)
    other = again(compiled)
    assert other._orig_mod is not compiled._orig_mod
    with wengert.no_grad():
        other.weight.zero_()
        other.bias.zero_()
    assert other(x).abs().sum() == 0
    assert wengert.equal(compiled(x), before)
    file = io.BytesIO()
    wengert.save(compiled.state_dict(), file)
    file.seek(0)
    other.load_state_dict(wengert.load(file))
    assert wengert.equal(other(x), before)


def test_compiled_in_place():
    module = net(wengert).eval()
    x = wengert.randn(4, 3)
    expected = module(x)
    names = list(module.state_dict())
    module.compile(fullgraph=True)
    np.testing.assert_allclose(
        module(x).detach().numpy(), expected.detach().numpy(), rtol=1e-5
    )
    assert len(module.forward.programs) == 1
    assert list(module.state_dict()) == names
    other = copy.deepcopy(module)
    with wengert.no_grad():
        other[0].weight.zero_()
    assert not wengert.equal(other(x), module(x))


def test_names_of_backends():
    function = abs
    for name in ("inductor", "eager", "aot_eager"):
        assert wengert.compile(function, backend=name)(wengert.tensor(-1.0)) == 1
    assert wengert.compile(function, backend="eager") is function
    with pytest.raises(ValueError, match="'inductor'"):
        wengert.compile(function, backend="fast")
