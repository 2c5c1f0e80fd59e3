"""What programs ask the compiler, and tell it, by PyTorch's names."""

import pytest

import wengert as torch


def test_names():
    names = {"compile", "disable", "is_compiling", "is_exporting", "reset"}
    assert names <= set(dir(torch.compiler))
    assert torch.compiler.compile is torch.compile
    assert "inductor" in torch.compiler.list_backends()
    with pytest.raises(AttributeError, match="nothing"):
        torch.compiler.nothing


def test_code_knows_that_it_is_captured():
    seen = []

    def function(x):
        seen.append(torch.compiler.is_compiling())
        return x + 1

    compiled = torch.compile(function, fullgraph=True, backend="numpy")
    for _ in range(2):
        compiled(torch.zeros(2))
    function(torch.zeros(2))
    assert seen == [True, False]


def test_reset_captures_anew():
    calls = []
    factor = 2

    def function(x):
        calls.append(factor)
        return x * factor

    compiled = torch.compile(function, backend="numpy")
    compiled(torch.ones(2))
    compiled(torch.ones(2))
    torch.compiler.reset()
    assert compiled(torch.ones(2)).tolist() == [2, 2]
    assert len(calls) == 2


def test_what_is_not_to_be_compiled_runs_eagerly():
    seen = []

    @torch.compiler.disable(reason="it counts")
    def count(x):
        seen.append(x.sum().item())
        return x

    compiled = torch.compile(lambda x: count(x) + 1, backend="numpy")
    with pytest.warns(UserWarning, match="it counts"):
        compiled(torch.ones(2))
    compiled(torch.ones(2))
    assert seen == [2, 2]
    strict = torch.compile(lambda x: count(x) + 1, backend="numpy", fullgraph=True)
    with pytest.raises(RuntimeError, match="not to be compiled"):
        strict(torch.ones(2))
