"""Random small programs: compiled, eager and PyTorch agree, values and gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch as oracle
from hypothesis import given, settings, strategies as st

import wengert

UNARY = {
    "sin": lambda t, x: x.sin(),
    "tanh": lambda t, x: x.tanh(),
    "exp": lambda t, x: (x * 0.1).exp(),
    "sigmoid": lambda t, x: x.sigmoid(),
    "square": lambda t, x: x**2 * 0.1,
    "relu": lambda t, x: t.relu(x),
    "mean": lambda t, x: x.mean(1, keepdim=True) + x,
    "sum": lambda t, x: x.sum(0) * 0.1 + x,
    "amax": lambda t, x: x - x.amax(1, keepdim=True),
    "softmax": lambda t, x: x.softmax(1),
    "transposed": lambda t, x: x.t().contiguous().t() * 2,
    "reshaped": lambda t, x: x.reshape(2, 6).reshape(3, 4),
    "flipped": lambda t, x: t.cat([x[1:], x[:1]]),
    "where": lambda t, x: t.where(x > 0, x, x * 0.1),
    "detached": lambda t, x: x * x.detach().tanh(),
}
BINARY = {
    "add": lambda t, x, y: x + y,
    "mul": lambda t, x, y: (x * y).tanh(),
    "sub": lambda t, x, y: x - y * 0.5,
    "div": lambda t, x, y: x / (y.abs() + 1),
    "maximum": lambda t, x, y: t.maximum(x, y),
    "matmul": lambda t, x, y: (x @ y.t()) @ y * 0.1,
}
IN_PLACE = {
    "add_": lambda t, x, y: x.add_(y),
    "row": lambda t, x, y: x[0].mul_(y[1]),
    "column": lambda t, x, y: x[:, 1:3].add_(y[:, :2]),
    "transposed": lambda t, x, y: x.t()[2].copy_(y[:, 0]),
    "assigned": lambda t, x, y: x.__setitem__((slice(None), 0), y[:, 3]),
}

# what has no kernel: it runs in Python at each replay
CALLS = {
    "conv": lambda t, x: t.conv1d(x[None], x[:, None, :3], padding=1, groups=3)[0],
    "max_pool": lambda t, x: t.max_pool1d(x[None], 3, 1, 1)[0],
    "avg_pool": lambda t, x: t.avg_pool1d(x[None], 3, 1, 1)[0],
    "cumsum": lambda t, x: x.cumsum(1),
    "cumprod": lambda t, x: x.t().cumprod(0).t(),
    "sort": lambda t, x: x.sort(0)[0],
    "complex": lambda t, x: (t.complex(x, x.cos()) * (1 + 2j)).abs(),
    "complex view": lambda t, x: t.view_as_real(t.complex(x, x * 2)).sum(-1),
    "half": lambda t, x: x + (x.detach().half() * 2).to(x.dtype),
    "rand": lambda t, x: x + t.rand(3, 4, dtype=x.dtype),
    "randn": lambda t, x: x * t.randn(4, dtype=x.dtype),
    "permuted": lambda t, x: x[t.randperm(3)],
    "dropout": lambda t, x: t.dropout(x, 0.5, True),
    "dropout of a transpose": lambda t, x: t.dropout(x.t(), 0.5, True).t(),
    "masked": lambda t, x: x * t.empty_like(x).bernoulli_(0.5),
    "filled": lambda t, x: x + t.zeros_like(x.t()).uniform_(-1, 1).t(),
    "noise in place": lambda t, x: (x * 1.0).add_(t.randn_like(x.detach())),
    "dropped in place": lambda t, x: t.nn.functional.dropout(x * 1.0, 0.5, True, True),
    "cumsum in place": lambda t, x: (x * 1.0).cumsum_(1),
    "row in place": lambda t, x: written(x, lambda c: c[1].copy_(c[0].cumsum(0))),
    "column in place": lambda t, x: written(x, lambda c: c[:, 1:3].cumsum_(0)),
}

names = st.one_of(
    st.tuples(st.just("unary"), st.sampled_from(sorted(UNARY))),
    st.tuples(st.just("binary"), st.sampled_from(sorted(BINARY))),
    st.tuples(st.just("in place"), st.sampled_from(sorted(IN_PLACE))),
)
programs = st.lists(
    st.tuples(names, st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=8
)


mixed = st.lists(
    st.tuples(
        st.one_of(st.tuples(st.just("call"), st.sampled_from(sorted(CALLS))), names),
        st.integers(0, 30),
        st.integers(0, 30),
    ),
    min_size=1,
    max_size=6,
)


def written(x, write):
    copy = x * 1.0
    write(copy)
    return copy


def run(t, program, x, y):
    """Run a program; in-place ops work on copies, so that leaves stay leaves."""
    values = [x, y]
    for (kind, name), first, second in program:
        a, b = values[first % len(values)], values[second % len(values)]
        if kind == "unary":
            values.append(UNARY[name](t, a))
        elif kind == "binary":
            values.append(BINARY[name](t, a, b))
        elif kind == "call":
            values.append(CALLS[name](t, a))
        else:
            copy = a * 1.0
            IN_PLACE[name](t, copy, b)
            values.append(copy)
    return values[-1], sum((value * value).mean() for value in values)


def arrays(seed):
    generator = np.random.default_rng(seed)
    return [generator.standard_normal((3, 4)) for _ in range(2)]


def outcome(t, function, seed):
    x, y = [t.from_numpy(array).requires_grad_() for array in arrays(seed)]
    value, loss = function(x, y)
    grads = t.autograd.grad(loss, [x, y], allow_unused=True)
    return [None if g is None else g.detach().numpy() for g in (value, loss, *grads)]


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
@settings(max_examples=40, deadline=None)
@given(program=programs)
def test_programs(backend, program):
    def function(x, y):
        return run(wengert, program, x, y)

    compiled = wengert.compile(function, backend=backend, fullgraph=True)
    for seed in (0, 1):
        expected = outcome(oracle, lambda x, y: run(oracle, program, x, y), seed)
        for found in (
            outcome(wengert, function, seed),
            outcome(wengert, compiled, seed),
        ):
            for a, b in zip(found, expected, strict=True):
                if b is None:
                    assert a is None or not a.any()
                else:
                    np.testing.assert_allclose(a, b, 1e-8, 1e-10)
    assert len(compiled.programs) == 1


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
@settings(max_examples=30, deadline=None)
@given(program=programs)
def test_second_derivatives_inside(backend, program):
    """Gradients of gradients, taken inside of the compiled function."""

    def curvature(t):
        def function(x, y):
            _, loss = run(t, program, x, y)
            grads = t.autograd.grad(loss, [x, y], create_graph=True, allow_unused=True)
            total = sum((g * g).sum() for g in grads if g is not None)
            return t.autograd.grad(
                total, [x], allow_unused=True, materialize_grads=True
            )

        return function

    x, y = arrays(2)
    expected = curvature(oracle)(
        oracle.from_numpy(x).requires_grad_(), oracle.from_numpy(y).requires_grad_()
    )
    compiled = wengert.compile(curvature(wengert), backend=backend, fullgraph=True)
    for _ in range(2):
        found = compiled(
            wengert.from_numpy(x).requires_grad_(),
            wengert.from_numpy(y).requires_grad_(),
        )
        np.testing.assert_allclose(
            found[0].detach().numpy(), expected[0].detach().numpy(), 1e-7, 1e-9
        )


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
@settings(max_examples=60, deadline=None)
@given(program=mixed, transposed=st.booleans())
def test_programs_with_calls(backend, program, transposed):
    """Eager ops between kernels, the same random numbers, and writes to arguments."""

    def function(x, y, total):
        value, loss = run(wengert, program, x, y)
        with wengert.no_grad():
            total.add_(value.t().cumsum(0).t())
            total[:, 1:3].copy_(total.sort(1)[0][:, :2])
        return value, loss

    def outcomes(function):
        wengert.manual_seed(3)
        total, found = wengert.zeros(3, 4, dtype=wengert.float64), []
        for seed in (0, 1):
            x, y = map(wengert.from_numpy, arrays(seed))
            x = x.t().contiguous().t() if transposed else x
            x, y = x.requires_grad_(), y.requires_grad_()
            value, loss = function(x, y, total)
            grads = wengert.autograd.grad(loss, [x, y], materialize_grads=True)
            found += [value, loss, *grads, total.clone(), wengert.rand(2)]
        return [tensor.detach().numpy() for tensor in found]

    compiled = wengert.compile(function, backend=backend, fullgraph=True)
    for a, b in zip(outcomes(compiled), outcomes(function), strict=True):
        np.testing.assert_allclose(a, b, 1e-8, 1e-10)
    assert len(compiled.programs) == 1


LAYOUTS = {
    "contiguous": lambda x: x * 2,
    "transposed": lambda x: x.transpose(0, 2),
    "computed": lambda x: (x.transpose(0, 2) * 2).exp(),
    "of two": lambda x: x.transpose(0, 2) * x,
    "broadcast": lambda x: x.transpose(0, 2) + x.sum(1, keepdim=True),
    "sliced": lambda x: x.permute(1, 2, 0)[1:, ::2],
    "reduced": lambda x: x.transpose(0, 1).sum(0),
    "reshaped": lambda x: x.transpose(1, 2).reshape(4, 16),
    "of size one": lambda x: x.permute(2, 0, 1)[:, None] * 1,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_dropout_draws_in_the_order_of_memory(layout):
    def function(x):
        return wengert.dropout(LAYOUTS[layout](x), 0.5, True)

    compiled = wengert.compile(function, fullgraph=True)
    for dims in ((0, 1, 2), (2, 1, 0), (0, 1, 2), (1, 0, 2)):
        x = wengert.rand(4, 4, 4).permute(dims)
        found = []
        for f in (function, compiled):
            wengert.manual_seed(0)
            found.append(f(x).numpy())
        np.testing.assert_allclose(*found, rtol=1e-5)
