"""Writing in place inside transformations, beside the same without writing."""

from __future__ import annotations

import copy

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


# --- tensors from outside -------------------------------------------------------------


def into(write):
    """Return a function of a library that writes into a tensor, and a value."""
    return lambda torch, captured, x: (write(torch, captured, x), x * 2)[1]


OUTSIDE = {
    "an element": lambda torch, o, x: o.__setitem__(0, x.sum()),
    "copy_": lambda torch, o, x: o.copy_(x),
    "add_": lambda torch, o, x: o.add_(x),
    "a view": lambda torch, o, x: o[1:].mul_(x[1:]),
    "rows": lambda torch, o, x: o.__setitem__(torch.tensor([0, 1]), x[:2]),
    "an alias": lambda torch, o, x: o.detach().copy_(x),
    "out": lambda torch, o, x: torch.mul(x, 2, out=o),
}
INSIDE = {
    "zeros": lambda torch, o, x: torch.zeros(3),
    "clone": lambda torch, o, x: o.clone(),
    "an op's result": lambda torch, o, x: o + 2,
    "like": lambda torch, o, x: torch.ones_like(o),
    "new": lambda torch, o, x: o.new_ones(3),
    "data": lambda torch, o, x: torch.tensor([1.0, 2.0, 3.0]),
    "a view": lambda torch, o, x: torch.zeros(2, 3)[1],
    "a deep copy": lambda torch, o, x: copy.deepcopy(o),
}


def over(torch, name, f):
    """Call a transformation of a function of the captured tensor and of rows."""
    func, x = torch.func, torch.arange(6.0).reshape(2, 3)
    captured = torch.zeros(3)

    def g(x):
        return f(torch, captured, x)

    calls = {
        "vmap": lambda: func.vmap(g)(x),
        "grad": lambda: func.grad(lambda x: g(x).sum())(x[1]),
        "jvp": lambda: func.jvp(g, (x[1],), (x[0],)),
        "jacfwd": lambda: func.jacfwd(g)(x[1]),
        "vmap grad": lambda: func.vmap(func.grad(lambda x: g(x).sum()))(x),
        "grad vmap": lambda: func.grad(lambda x: func.vmap(g)(x).sum())(x),
    }
    return calls[name], captured


@pytest.mark.parametrize("transform", ["vmap", "grad", "jvp", "jacfwd", "vmap grad"])
@pytest.mark.parametrize("write", OUTSIDE)
def test_a_tensor_from_outside_takes_no_values_of_the_inside(write, transform):
    messages = []
    for torch in (pytest.importorskip("torch"), wengert):
        call, captured = over(torch, transform, into(OUTSIDE[write]))
        with pytest.raises((RuntimeError, NotImplementedError)) as caught:
            call()
        messages.append(str(caught.value))
    assert captured.tolist() == [0, 0, 0]
    told = (
        *("vmap: inplace", "During a grad", "mul(): functions with out="),
        *("Batching rule not implemented for aten::mul.out", "Trying to use forward"),
    )
    assert messages[1].startswith(told)
    if write not in ("out", "add_", "rows"):
        assert messages[1][:25] == messages[0][:25]


@pytest.mark.parametrize("transform", ["grad", "jvp", "jacfwd", "vmap", "grad vmap"])
@pytest.mark.parametrize("make", INSIDE)
def test_a_tensor_made_inside_takes_them(make, transform):
    def f(torch, captured, x):
        made = INSIDE[make](torch, captured, x)
        made[:2] = x[1:]
        made.mul_(x)
        return made * x

    def pure(torch, captured, x):
        made = INSIDE[make](torch, captured, x)
        return torch.cat([x[1:], made[2:]]) * x * x

    torch = pytest.importorskip("torch")
    found, wanted = over(wengert, transform, f)[0](), over(torch, transform, pure)[0]()
    pairs = zip(found, wanted, strict=True) if transform == "jvp" else [(found, wanted)]
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours.numpy(), theirs.numpy())


def test_what_an_outer_function_made_is_outside_of_the_inner_one():
    def outer(x):
        made = wengert.zeros(3)
        made.copy_(x)
        with pytest.raises(RuntimeError, match="captured Tensor"):
            func.grad(lambda y: made.copy_(y).sum())(x)
        return made * x

    x = wengert.arange(6.0).reshape(2, 3)
    assert (func.vmap(outer)(x) == x * x).all()


def test_what_a_function_made_inside_of_another_is_written_to_later():
    def outer(x):
        kept = []
        func.grad(lambda y: (kept.append(wengert.zeros(3)), y.sum())[1])(x)
        return kept[0].copy_(x) * x

    x = wengert.arange(6.0).reshape(2, 3)
    assert (func.vmap(outer)(x) == x * x).all()
