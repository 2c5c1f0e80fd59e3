"""Random compositions of transformations of random programs, beside PyTorch.

A program is a list of steps over an environment of vectors and matrices; it maps a
vector to a vector, and so does each transformation of one, so that they nest at will.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings, strategies as st

import wengert

pytestmark = pytest.mark.filterwarnings("ignore")

SIZE = 3
Function = Callable[[Any], Any]


def written(t: Any, x: Any, write: Callable[[Any], Any]) -> Any:
    """Return a copy of a tensor that something was written into."""
    copy = x.clone()
    write(copy)
    return copy


def masked_write(t: Any, x: Any, y: Any) -> Any:
    return written(t, x, lambda c: c.masked_fill_(y.detach() > 0, 0.25))


def accumulated(t: Any, x: Any, y: Any) -> Any:
    index = t.tensor([0, 0, 2])
    return written(t, x, lambda c: c.index_put_((index,), y, accumulate=True))


def through_view(t: Any, m: Any, v: Any) -> Any:
    """Write into a view of a view, and go on with the base."""
    return written(t, m, lambda c: c.t()[1:].mul_(v))


def through_unbound(t: Any, m: Any, v: Any) -> Any:
    base = m * 2
    base[0].copy_(v)
    base.select(1, 1).add_(v.sin())
    return base


def overlapping(t: Any, v: Any, w: Any) -> Any:
    rows = v.as_strided((2, 2), (1, 1))
    return t.cat([rows.sum(0), w[:1]])


def layer_norm(t: Any, x: Any) -> Any:
    """PyTorch takes the mean and deviation in its tangent for constants."""
    if t is torch:
        return (x - x.mean()) / (x.var(correction=0) + 1e-5).sqrt()
    return t.nn.functional.layer_norm(x, (SIZE,))


def solution(t: Any, m: Any, v: Any) -> Any:
    """PyTorch takes the factorisation in its tangent for a constant."""
    m = m.tanh()  # so that it is well conditioned
    a = m @ m.t() + t.eye(SIZE, dtype=t.float64)
    return t.linalg.inv(a) @ v if t is torch else t.linalg.solve(a, v)


VECTORS: dict[str, Function] = {
    "sin": lambda t, x: x.sin(),
    "tanh": lambda t, x: x.tanh(),
    "square": lambda t, x: x * x,
    "pow": lambda t, x: x**3,
    "bell": lambda t, x: (-x * x).exp(),
    "sigmoid": lambda t, x: x.sigmoid(),
    "relu": lambda t, x: x.relu(),
    "abs": lambda t, x: x.abs(),
    "clamp": lambda t, x: x.clamp(-0.5, 0.8),
    "gelu": lambda t, x: t.nn.functional.gelu(x),
    "softplus": lambda t, x: t.nn.functional.softplus(x),
    "cumsum": lambda t, x: x.cumsum(0),
    "cumprod": lambda t, x: x.cumprod(0),
    "flip": lambda t, x: x.flip(0),
    "roll": lambda t, x: x.roll(1, 0),
    "sort": lambda t, x: x.sort(descending=True)[0],
    "softmax": lambda t, x: x.softmax(0),
    "log_softmax": lambda t, x: x.log_softmax(-1),
    "layer_norm": layer_norm,
    "where": lambda t, x: t.where(x > 0, x.cos(), x * x),
    "take": lambda t, x: x[t.tensor([2, 0, 0])],
    "gather": lambda t, x: x.gather(0, t.tensor([1, 1, 2])),
    "mean": lambda t, x: x - x.mean(),
    "norm": lambda t, x: x / (x * x + 1).sum().sqrt(),
    "logsumexp": lambda t, x: x * x.logsumexp(0),
    "max": lambda t, x: x * x.max(),
    "prod": lambda t, x: x.prod() + x,
    "split": lambda t, x: t.cat([*x.split(2)][::-1]),
    "unbind": lambda t, x: x.unbind()[2] * x + x.unbind()[0],
    "pad": lambda t, x: t.nn.functional.pad(x, (1, 1)).unfold(0, 3, 1).sum(1),
    "expand": lambda t, x: x.unsqueeze(1).expand(SIZE, 2).reshape(-1)[1:4],
    "var": lambda t, x: x.var(0) * x,
    "sin_": lambda t, x: written(t, x, lambda c: c.sin_()),
    "halves": lambda t, x: written(t, x, lambda c: c[1:].exp_()),
    "setitem": lambda t, x: written(t, x, lambda c: c.__setitem__(0, x.sum())),
    "view in place": lambda t, x: written(t, x, lambda c: c.view(1, 3)[0].mul_(x)),
    "zeros": lambda t, x: x + t.zeros(SIZE, dtype=t.float64),
    "detached": lambda t, x: x * x.detach(),
}
PAIRS: dict[str, Function] = {
    "add": lambda t, x, y: x + 2 * y,
    "sub": lambda t, x, y: x - y,
    "mul": lambda t, x, y: x * y,
    "div": lambda t, x, y: x / (1 + y * y),
    "maximum": lambda t, x, y: t.maximum(x, y),
    "atan2": lambda t, x, y: t.atan2(x, y + 3),
    "dot": lambda t, x, y: x.dot(y) * x,
    "choose": lambda t, x, y: t.where(x > y, x, y.sin()),
    "stack": lambda t, x, y: t.stack([x, y]).prod(0),
    "cat": lambda t, x, y: t.cat([x[:1], y[1:]]),
    "add_": lambda t, x, y: written(t, x, lambda c: c.add_(y, alpha=2)),
    "tail": lambda t, x, y: written(t, x, lambda c: c[1:].mul_(y[:2])),
    "copy": lambda t, x, y: written(t, x, lambda c: c[::2].copy_(y[:2])),
    "index_add": lambda t, x, y: x.index_add(0, t.tensor([2, 0, 2]), y),
    "scatter": lambda t, x, y: x.scatter(0, t.tensor([1, 2]), y[:2]),
    "masked_fill_": masked_write,
    "index_put_": accumulated,
    "lerp": lambda t, x, y: t.lerp(x, y, 0.3),
}
MATRICES: dict[str, Function] = {
    "outer": lambda t, x, y: t.outer(x, y),
    "grid": lambda t, x, y: x[:, None] - y[None, :].sin(),
    "columns": lambda t, x, y: t.stack([x, y, x * y], 1),
    "diag": lambda t, x, y: t.diag(x) + y,
    "matmul": lambda t, x, y: x.unsqueeze(1) @ y.unsqueeze(0),
}
ENDS: dict[str, Function] = {
    "mv": lambda t, m, v: m @ v,
    "vm": lambda t, m, v: v @ m.tanh(),
    "mm": lambda t, m, v: (m @ m.t())[1] * v,
    "bmm": lambda t, m, v: t.einsum("ij,kj,k->i", m, m, v),
    "diagonal": lambda t, m, v: m.diagonal() + v,
    "row": lambda t, m, v: m[1] * v,
    "column": lambda t, m, v: m[:, -1] * v,
    "sum": lambda t, m, v: m.sum(0) - v,
    "amax": lambda t, m, v: m.amax(1) + v,
    "logsumexp": lambda t, m, v: m.logsumexp((0, 1)) * v,
    "softmax": lambda t, m, v: m.softmax(1).mul(v).sum(0),
    "tril": lambda t, m, v: m.tril() @ v,
    "transpose": lambda t, m, v: m.transpose(0, 1).reshape(9)[::3] + v,
    "permuted": lambda t, m, v: m.t().contiguous().view(9)[2:5] * v,
    "indexed": lambda t, m, v: m[t.tensor([0, 2, 1]), t.tensor([1, 1, 0])] + v,
    "view in place": lambda t, m, v: through_view(t, m, v).sum(1),
    "rows in place": lambda t, m, v: through_unbound(t, m, v) @ v,
    "norm": lambda t, m, v: v / (1 + m.pow(2).sum().sqrt()),
    "solve": solution,
}


@st.composite
def programs(draw: Any) -> list[tuple[Any, ...]]:
    """Draw the steps of a program: the kind of each, its op, its operands."""
    steps = []
    for vectors in range(1, draw(st.integers(1, 4)) + 1):
        operand = st.integers(0, vectors - 1)
        kind = draw(st.sampled_from(["vector", "vector", "pair", "matrix"]))
        if kind == "vector":
            steps.append((kind, draw(st.sampled_from([*VECTORS])), draw(operand)))
        elif kind == "pair":
            name = draw(st.sampled_from([*PAIRS]))
            steps.append((kind, name, draw(operand), draw(operand)))
        else:
            names = draw(st.sampled_from([*MATRICES])), draw(st.sampled_from([*ENDS]))
            steps.append((kind, names, draw(operand), draw(operand), draw(operand)))
    return steps


def program(t: Any, steps: list[tuple[Any, ...]]) -> Function:
    """Return the function from a vector to a vector that the steps describe."""

    def run(x: Any) -> Any:
        values = [x]
        for kind, name, *places in steps:
            operands = [values[place] for place in places]
            if kind == "matrix":
                made, end = name
                result = ENDS[end](t, MATRICES[made](t, *operands[:2]), operands[2])
            else:
                result = (VECTORS if kind == "vector" else PAIRS)[name](t, *operands)
            values.append(result)
        return values[-1]

    return run


def linearized(t: Any, f: Function, x: Any, direction: Any) -> Any:
    """PyTorch's linearize does not nest: its jvp gives the same."""
    if t is torch:
        return t.func.jvp(f, (x,), (direction,))[1]
    return t.func.linearize(f, x)[1](direction)


def scalar(f: Function) -> Function:
    return lambda x: f(x).sum()


def rows(t: Any, x: Any) -> Any:
    return t.stack([x, x * 2, x.sin(), x + 1])


TRANSFORMS: dict[str, Callable[[Any, Function], Function]] = {
    "grad": lambda t, f: t.func.grad(scalar(f)),
    "grad and value": lambda t, f: (
        lambda x: sum(t.func.grad_and_value(lambda y: (y * f(y)).sum())(x))
    ),
    "grad with closure": lambda t, f: (
        lambda x: t.func.grad(lambda y: (f(y) * x * y).sum())(x)
    ),
    "grad of two": lambda t, f: (
        lambda x: sum(t.func.grad(lambda a, b: (f(a) * b).sum(), (0, 1))(x, f(x)))
    ),
    "aux": lambda t, f: (
        lambda x: t.func.grad(lambda y: ((y * f(y)).sum(), f(y)), has_aux=True)(x)[1]
    ),
    "vjp": lambda t, f: lambda x: t.func.vjp(f, x)[1](x.cos())[0],
    "vjp of a constant": lambda t, f: (
        lambda x: t.func.vjp(f, x)[1](t.ones(SIZE, dtype=t.float64))[0] * x
    ),
    "vjp value": lambda t, f: lambda x: t.func.vjp(f, x)[0] * x,
    "vjp of vjp": lambda t, f: (
        lambda x: t.func.vjp(t.func.vjp(f, x)[1], x.sin())[1]((x,))[0]
    ),
    "jvp": lambda t, f: lambda x: t.func.jvp(f, (x,), (x.cos(),))[1],
    "jvp of a constant": lambda t, f: (
        lambda x: t.func.jvp(f, (x,), (t.ones(SIZE, dtype=t.float64),))[1]
    ),
    "jvp value": lambda t, f: lambda x: sum(t.func.jvp(f, (x.sin(),), (x,))),
    "jvp with closure": lambda t, f: (
        lambda x: t.func.jvp(lambda y: f(y) * x, (x,), (x,))[1]
    ),
    "jvp written": lambda t, f: (
        lambda x: t.func.jvp(
            lambda y: written(t, x, lambda c: c[1:].mul_(f(y)[:2])), (x,), (x,)
        )[1]
    ),
    "grad written": lambda t, f: (
        lambda x: t.func.grad(lambda y: written(t, x, lambda c: c.mul_(f(y))).sum())(x)
    ),
    "jvp into zeros": lambda t, f: (
        lambda x: t.func.jvp(
            lambda y: written(
                t, t.zeros(2, SIZE, dtype=t.float64), lambda c: c[0].add_(f(y))
            )[0],
            (x,),
            (x,),
        )[1]
    ),
    "vjp into zeros": lambda t, f: (
        lambda x: t.func.vjp(
            lambda y: written(
                t, t.zeros(2, SIZE, dtype=t.float64), lambda c: c.t()[:, 1].add_(f(y))
            )[1],
            x,
        )[1](x)[0]
    ),
    "linearize": lambda t, f: lambda x: linearized(t, f, x, x.cos()),
    "vmap": lambda t, f: lambda x: t.func.vmap(f)(rows(t, x)).sum(0),
    "vmap of columns": lambda t, f: (
        lambda x: t.func.vmap(f, 1, 1)(rows(t, x).t()).mean(1)
    ),
    "vmap with closure": lambda t, f: (
        lambda x: t.func.vmap(lambda a: f(x * a) * x)(x.detach()).sum(0)
    ),
    "vmap of one": lambda t, f: (
        lambda x: t.func.vmap(lambda a, y: f(y) * a, (0, None))(x, x)[1]
    ),
    "vmap in chunks": lambda t, f: (
        lambda x: t.func.vmap(f, chunk_size=3)(rows(t, x)).prod(0)
    ),
    "vmap grad": lambda t, f: (
        lambda x: t.func.vmap(t.func.grad(scalar(f)))(rows(t, x))[1:].sum(0)
    ),
    "jacrev": lambda t, f: lambda x: t.func.jacrev(f)(x) @ x,
    "jacfwd": lambda t, f: lambda x: t.func.jacfwd(f)(x).sum(0),
    "jacrev in chunks": lambda t, f: (
        lambda x: t.func.jacrev(f, chunk_size=2)(x).diagonal()
    ),
    "hessian": lambda t, f: lambda x: t.func.hessian(scalar(f))(x)[0],
    "hessian by jacrev": lambda t, f: (
        lambda x: t.func.jacrev(t.func.jacrev(lambda y: (f(y) * y).sum()))(x) @ x
    ),
    "product": lambda t, f: lambda x: f(x) * t.func.grad(scalar(f))(x),
}


def result(library: Any, steps: Any, names: list[str], x: np.ndarray) -> np.ndarray:
    """Return what the transformed program gives, and its gradient, in one array."""
    f = program(library, steps)
    for name in names:
        f = TRANSFORMS[name](library, f)
    leaf = library.from_numpy(x.copy()).requires_grad_()
    value = f(leaf)
    found = [value.detach().numpy(force=True)]
    if value.requires_grad:
        gradient, *_ = library.autograd.grad(value.sum(), leaf, allow_unused=True)
        found.append(np.zeros(SIZE) if gradient is None else gradient.numpy(force=True))
    else:
        found.append(np.zeros(SIZE))
    return np.stack(found)


def expected(steps: Any, names: list[str], x: np.ndarray) -> np.ndarray | None:
    """Return what PyTorch gives; None if it refuses."""
    try:
        return result(torch, steps, names, x)
    except (RuntimeError, NotImplementedError):
        return None


@settings(max_examples=int(os.environ.get("WENGERT_EXAMPLES", "60")))
@given(
    programs(),
    st.lists(st.sampled_from([*TRANSFORMS]), max_size=3),
    st.integers(0, 2**16),
)
@example([("vector", "gelu", 0)], ["jacrev"], 0)
@example([("vector", "softplus", 0)], ["jacfwd"], 0)
@example([("vector", "sin", 0)], ["jvp written"], 0)
@example(
    [("vector", "sort", 0), ("pair", "copy", 1, 0), ("pair", "stack", 0, 2)],
    ["jvp of a constant", "jvp value", "vmap"],
    1,
)
@example(
    [("pair", "maximum", 0, 0), ("pair", "tail", 1, 1), ("vector", "view in place", 2)],
    ["hessian", "jvp"],
    1,
)
def test_compositions(steps: Any, names: list[str], seed: int) -> None:
    x = np.random.default_rng(seed).uniform(-1, 1, SIZE)
    theirs = expected(steps, names, x)
    assume(theirs is not None and np.isfinite(theirs).all())
    ours = result(wengert, steps, names, x)
    scale = max(1.0, float(np.abs(theirs).max()))
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8 * scale)
