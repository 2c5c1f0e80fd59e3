"""Every op in a compiled function: which have kernels, and what `explain` says."""

from __future__ import annotations

import importlib.util

import pytest

import wengert as torch
from tests.samples import Sample, families

from .support import close, data

SAMPLES = list(families())


CORE = {
    "arithmetic": lambda x, y: (x + y * 2 - x / (y.abs() + 1)) ** 2,
    "functions": lambda x, y: x.exp().log() + y.tanh() * x.sigmoid() + y.sin().cos(),
    "activations": lambda x, y: torch.nn.functional.gelu(x) + torch.relu(y),
    "reductions": lambda x, y: x.sum(0) + y.mean(0) + x.amax(0) + x.logsumexp(0),
    "variance": lambda x, y: x.var(1) + y.std(1),
    "softmax": lambda x, y: x.softmax(-1) + y.log_softmax(-1),
    "products": lambda x, y: (x @ y.T) @ y,
    "shapes": lambda x, y: torch.cat([x.T, y.reshape(4, 3)]).unsqueeze(0).squeeze(),
    "choices": lambda x, y: torch.where(x > y, x, y).clamp(-1, 1),
    "norm": lambda x, y: torch.nn.functional.layer_norm(x, (4,), y[0], y[1]),
    "loss": lambda x, y: torch.nn.functional.mse_loss(x, y),
}


@pytest.mark.parametrize("name", CORE)
def test_core_ops_have_kernels(name):
    function = torch.compile(CORE[name], backend="numpy", fullgraph=True)
    x, y = data(3, 4, requires_grad=True), data(3, 4, seed=1, requires_grad=True)
    (expected,) = torch.autograd.grad(CORE[name](x, y).sum(), x)
    (result,) = torch.autograd.grad(function(x, y).sum(), x)
    close(result, expected, 1e-4)
    assert function.programs[0].opaque == {}


def test_explain(backend):
    function = torch.compile(lambda x: x.tanh().cumsum(0), backend=backend)
    assert function.explain() == "not called yet"
    function(data(3))
    assert "cumsum" in function.explain()
    assert "no kernel" in function.explain()


EAGER = {
    "convolution": lambda x: torch.conv1d(x[None], x[:, None], padding=1, groups=3),
    "max_pool2d_with_indices": lambda x: torch.nn.functional.max_pool2d(x[None], 2),
    "avg_pool2d": lambda x: torch.nn.functional.avg_pool2d(x[None], 2),
    "cumsum": lambda x: x.cumsum(1),
    "sort": lambda x: x.sort(1)[0],
    "abs": lambda x: torch.complex(x, x).abs(),
    "random numbers": lambda x: torch.dropout(x, 0.5, True) + torch.rand(3, 4),
    "linalg_inv": lambda x: torch.linalg.inv(x[:, :3]),
}


@pytest.mark.parametrize("name", EAGER)
def test_explain_says_what_runs_in_python(name):
    function = torch.compile(lambda x: EAGER[name](x * 2) + 1, fullgraph=True)
    for _ in range(2):
        function(data(3, 4))
    lines = [line for line in function.explain().splitlines() if "no kernel:" in line]
    assert any(f"call    {name}(" in line and " µs " in line for line in lines)
    assert not any("result" in line for line in lines)


INDICES = [
    (slice(1, 4),),
    (2,),
    (slice(None), -1),
    (..., slice(0, 5, 2)),
    (slice(0, 0),),
    (slice(None, None, 2), slice(1, None, 3)),
    (None, slice(1, 2), ..., None, 3),
]


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_slices_are_differentiated_and_written_to(backend, index):
    def gradient(x):
        part = x[index].sin()
        weights = torch.arange(part.numel()).reshape(part.shape)
        return torch.autograd.grad((part * weights).sum(), x)[0]

    def write(x):
        y = x.clone()
        y[index] = y[index] * 3 + 1
        y[index].mul_(2)
        return y

    x = data(5, 6, 4, requires_grad=True)
    for function in (gradient, write):
        compiled = torch.compile(function, backend=backend, fullgraph=True)
        for _ in range(2):
            close(compiled(x), function(x))


ARRANGEMENTS = {
    "cat": lambda x, y: torch.cat([x, y * 2, x], 1),
    "stack": lambda x, y: torch.stack([x, x * 2], 1),
    "roll": lambda x, y: x.roll((1, -2), (0, 1)),
    "repeat": lambda x, y: x.repeat(2, 1, 3),
    "tril": lambda x, y: x.tril(-1) + x.triu(2),
    "pad": lambda x, y: torch.nn.functional.pad(x, (1, 2, 0, 1), value=0.5),
    "chunk": lambda x, y: x.chunk(2, 1)[1] * x.split(3, 1)[0],
}


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_arrangements_have_kernels(backend, name):
    def function(x, y):
        result = ARRANGEMENTS[name](x, y)
        weights = torch.arange(result.numel()).reshape(result.shape)
        grad = torch.autograd.grad((result.sin() * weights).sum(), x)[0]
        return result.detach(), grad

    compiled = torch.compile(function, backend=backend, fullgraph=True)
    x, y = data(4, 6, requires_grad=True), data(4, 3, seed=1)
    for _ in range(2):
        for a, b in zip(compiled(x, y), function(x, y), strict=True):
            close(a, b)
    assert "call" not in compiled.explain()


# --- every op -------------------------------------------------------------------------


def results(sample: Sample, call, seed=0):
    """Return values, gradients, and the inputs after the call."""
    dtype = sample.names_of_dtypes()[-1]
    inputs = [torch.from_numpy(array.copy()) for array in sample.arrays(dtype)]
    if sample.grad:
        for x in inputs:
            if x.dtype.is_floating_point or x.dtype.is_complex:
                x.requires_grad_()
    torch.manual_seed(seed)
    found = torch_leaves(call(*inputs))
    grads = ()
    recorded = [x for x in found if x.requires_grad]
    if sample.grad and recorded:
        seeds = [torch.ones_like(x) * (i + 0.5) for i, x in enumerate(recorded)]
        leaves = [x for x in inputs if x.requires_grad]
        grads = torch.autograd.grad(recorded, leaves, seeds, allow_unused=True)
    return [*found, *grads, *inputs]


def torch_leaves(result):
    from wengert import tree

    plain = tuple(result) if isinstance(result, tuple) else result
    return [x for x in tree.leaves(plain) if isinstance(x, torch.Tensor)]


@pytest.mark.parametrize(
    ("family", "sample"), SAMPLES, ids=lambda x: getattr(x, "name", x)
)
@pytest.mark.filterwarnings("ignore:wengert.compile")
def test_every_op(family, sample):
    backend = "llvm" if importlib.util.find_spec("llvmlite") else "numpy"

    def call(*inputs):
        return sample.call(torch, *inputs)

    expected = results(sample, call)
    function = torch.compile(call, backend=backend)
    for _ in range(2):
        found = results(sample, function)
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            if b is None:
                assert a is None
                continue
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            close(a, b, 1e-4 if b.dtype.itemsize < 8 else 1e-8)
    assert not any("replay failed" in reason for reason in function.reasons)
