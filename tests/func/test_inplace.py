"""Writing in place inside transformations, beside the same without writing."""

from __future__ import annotations

import numpy as np
import pytest

import wengert

stack = wengert.stack


def scaled(x):
    y = x.clone()
    y.mul_(2)
    return y * x


def rows(x):
    y = x * 1
    y[0] = y[1] * 3
    y[1:].mul_(x[1:])
    return y * y


def rows_pure(x):
    return stack([x[1] * 3, x[1] * x[1], x[2] * x[2]]) ** 2


def filled(x):
    y = wengert.zeros(3, dtype=x.dtype)
    y[0] = x[0]
    y[1:] += x[1] * x[2]
    return y * x


def filled_pure(x):
    return stack([x[0], x[1] * x[2], x[1] * x[2]]) * x


def older_view(x):
    y = wengert.zeros(3, dtype=x.dtype)
    view = y[1]
    y.copy_(x * x)
    view += 1
    return y * x


def older_view_pure(x):
    return (x * x + wengert.tensor([0.0, 1.0, 0.0], dtype=x.dtype)) * x


def activations(x):
    y = x * 1
    y.exp_().add_(x).clamp_(max=3)
    y[y > 2] = 0.5
    return y * x


def activations_pure(x):
    y = (x.exp() + x).clamp(max=3)
    return wengert.where(y > 2, 0.5, y) * x


PAIRS = {
    "scaled": (scaled, lambda x: 2 * x * x),
    "rows": (rows, rows_pure),
    "filled": (filled, filled_pure),
    "older view": (older_view, older_view_pure),
}
func = wengert.func
TRANSFORMS = {
    "grad": lambda f, x: func.grad(lambda x: f(x).sum())(x[0]),
    "jvp": lambda f, x: func.jvp(f, (x[0],), (x[1],))[1],
    "vmap": lambda f, x: func.vmap(f)(x),
    "jacrev": lambda f, x: func.jacrev(f)(x[0]),
    "jacfwd": lambda f, x: func.jacfwd(f)(x[0]),
    "hessian": lambda f, x: func.hessian(lambda x: f(x).sum())(x[0]),
    "vmap grad": lambda f, x: func.vmap(func.grad(lambda x: f(x).sum()))(x),
    "grad vmap": lambda f, x: func.grad(lambda x: func.vmap(f)(x).pow(2).sum())(x),
    "grad jvp": lambda f, x: func.grad(lambda v: func.jvp(f, (v,), (v * v,))[1].sum())(
        x[0]
    ),
    "jvp jvp": lambda f, x: func.jvp(
        lambda v: func.jvp(f, (v,), (v,))[1], (x[0],), (x[1],)
    )[1],
    "vmap jvp": lambda f, x: func.vmap(lambda x: func.jvp(f, (x,), (x * x,))[1])(x),
}


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("name", PAIRS)
def test_writing_is_the_same_as_not_writing(name, transform):
    written, pure = PAIRS[name]
    x = wengert.arange(12.0, dtype=wengert.float64).reshape(4, 3) / 7 + 0.1
    before = x.tolist()
    ours = TRANSFORMS[transform](written, x)
    np.testing.assert_allclose(ours.numpy(), TRANSFORMS[transform](pure, x).numpy())
    assert x.tolist() == before
