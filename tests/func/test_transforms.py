"""`torch.func`: values, trees, nesting, and what is refused, beside PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import wengert
from tests.autograd.support import Log, assert_same, side_by_side

# PyTorch's linearize warns of its own graph
pytestmark = pytest.mark.filterwarnings("ignore")


def both(program):
    """Return what a program gives with either library, as plain values."""
    logs = []
    for library in (wengert, torch):
        log = Log()
        log(program(library))
        logs.append(log.entries)
    return logs


def vector(t):
    return t.tensor([0.5, -1.0, 2.0], dtype=t.float64)


def matrix(t):
    return t.arange(12.0, dtype=t.float64).reshape(4, 3) / 5 - 1


VALUES = {
    "grad": lambda t: t.func.grad(lambda x: (x.sin() * x).sum())(vector(t)),
    "grad of argnums": lambda t: t.func.grad(
        lambda x, y: (x * y * y).sum(), argnums=(1, 0)
    )(vector(t), vector(t) + 1),
    "grad with aux": lambda t: t.func.grad(
        lambda x: ((x * x).sum(), {"twice": x * 2}), has_aux=True
    )(vector(t)),
    "grad of trees": lambda t: t.func.grad(
        lambda d: (d["a"] ** 2).sum() * d["b"][0].exp().sum()
    )({"a": vector(t), "b": [vector(t)]}),
    "grad of complex": lambda t: t.func.grad(lambda z: (z * z.conj()).real.sum())(
        vector(t) + 1j
    ),
    "grad_and_value": lambda t: t.func.grad_and_value(
        lambda x: (x.exp().sum(), x + 1), has_aux=True
    )(vector(t)),
    "vjp": lambda t: t.func.vjp(lambda x: {"o": x.exp(), "p": x.sum()}, vector(t))[1](
        {"o": vector(t), "p": t.tensor(2.0, dtype=t.float64)}
    ),
    "jvp": lambda t: t.func.jvp(
        lambda x, y: (x * y, y.sum()), (vector(t),) * 2, (vector(t), vector(t) * 2)
    ),
    "jvp with aux": lambda t: t.func.jvp(
        lambda x: (x.sin(), x + 1), (vector(t),), (vector(t),), has_aux=True
    ),
    "linearize": lambda t: t.func.linearize(lambda x: x.sin() * x.sum(), vector(t))[1](
        vector(t)
    ),
    "jacrev of trees": lambda t: t.func.jacrev(
        lambda d: {"s": d["x"].sum(), "v": d["x"] ** 2}
    )({"x": vector(t)}),
    "jacfwd of trees": lambda t: t.func.jacfwd(
        lambda d: {"s": d["x"].sum(), "v": d["x"] ** 2}
    )({"x": vector(t)}),
    "jacrev of argnums": lambda t: t.func.jacrev(
        lambda x, y: (x * y, x.sum()), argnums=(0, 1)
    )(vector(t), vector(t)),
    "jacrev with aux": lambda t: t.func.jacrev(lambda x: (x**3, x), has_aux=True)(
        vector(t)
    ),
    "jacrev in chunks": lambda t: t.func.jacrev(
        lambda x: x.cumsum(0) ** 2, chunk_size=2
    )(vector(t)),
    "jacfwd with aux": lambda t: t.func.jacfwd(lambda x: (x**3, x), has_aux=True)(
        vector(t)
    ),
    "hessian": lambda t: t.func.hessian(lambda x: (x.sin() * x.prod()).sum())(
        vector(t)
    ),
    "vmap": lambda t: t.func.vmap(t.dot)(matrix(t), matrix(t)),
    "vmap None": lambda t: t.func.vmap(t.dot, (0, None))(matrix(t), vector(t)),
    "vmap negative": lambda t: t.func.vmap(lambda x: x.sum(), -1)(matrix(t)),
    "vmap out_dims": lambda t: t.func.vmap(lambda x: (x, x.sum()), 0, (1, 0))(
        matrix(t)
    ),
    "vmap out_dims None": lambda t: t.func.vmap(
        lambda x: (x * 2, t.ones(2)), 0, (-1, None)
    )(matrix(t)),
    "vmap of trees": lambda t: t.func.vmap(
        lambda d, y: {"r": d["a"].sum() + y, "s": d["b"]},
        ({"a": -1, "b": None}, None),
        {"r": 0, "s": None},
    )({"a": matrix(t), "b": vector(t)}, t.ones(2)),
    "vmap in chunks": lambda t: t.func.vmap(
        lambda x, y: x @ y, (1, None), 1, chunk_size=2
    )(matrix(t), t.ones(4, 2, dtype=t.float64)),
    "top-level vmap": lambda t: t.vmap(lambda x: x.flip(0))(matrix(t)),
    "vmap without tensors of its own": lambda t: t.vmap(lambda x: t.ones(2))(matrix(t)),
    "vmap of kwargs": lambda t: t.vmap(lambda x, k: x * k)(matrix(t), k=2),
}


@pytest.mark.parametrize("name", VALUES)
def test_values(name):
    ours, theirs = both(VALUES[name])
    assert_same(ours, theirs)


def scalar(x):
    return (x.sin() * x.prod() + (x * x).cumsum(0).exp().sum()).sum()


NESTED = {
    "grad grad": lambda f, x: f.grad(lambda x: f.grad(scalar)(x).pow(2).sum())(x),
    "grad jvp": lambda f, x: f.grad(lambda x: f.jvp(scalar, (x,), (x * x,))[1])(x),
    "jvp grad": lambda f, x: f.jvp(f.grad(scalar), (x,), (x,)),
    "jvp jvp": lambda f, x: f.jvp(lambda x: f.jvp(scalar, (x,), (x,))[1], (x,), (x,)),
    "vjp vjp": lambda f, x: f.vjp(lambda x: f.vjp(scalar, x)[1](x.sum())[0], x)[1](x),
    "jacrev jacfwd": lambda f, x: f.jacrev(f.jacfwd(scalar))(x),
    "jacfwd jacrev": lambda f, x: f.jacfwd(f.jacrev(scalar))(x),
    "jacrev jacrev": lambda f, x: f.jacrev(f.jacrev(scalar))(x),
    "jacfwd jacfwd": lambda f, x: f.jacfwd(f.jacfwd(scalar))(x),
    "vmap grad": lambda f, x: f.vmap(f.grad(scalar))(x.outer(x)),
    "grad vmap": lambda f, x: f.grad(lambda x: f.vmap(scalar)(x.outer(x)).sum())(x),
    "vmap hessian": lambda f, x: f.vmap(f.hessian(scalar))(x.outer(x)),
    "vmap vmap": lambda f, x: f.vmap(f.vmap(scalar))(
        x.outer(x)[None] * x[:, None, None]
    ),
    "vmap vjp": lambda f, x: f.vmap(lambda u: f.vjp(f.grad(scalar), x)[1](u)[0])(
        x.outer(x)
    ),
    "vjp vmap": lambda f, x: f.vjp(f.vmap(scalar), x.outer(x))[1](x),
    "jvp vmap grad": lambda f, x: f.jvp(
        f.vmap(f.grad(scalar)), (x.outer(x),), (x.outer(x),)
    ),
    "third order": lambda f, x: f.jacfwd(f.jacrev(f.grad(scalar)))(x),
    "linearize grad": lambda f, x: f.linearize(f.grad(scalar), x)[1](x),
    "perturbations apart": lambda f, x: f.grad(
        lambda x: (x * f.grad(lambda y: (x * y).sum())(x)).sum()
    )(x),
    "detached at all levels": lambda f, x: f.grad(
        lambda x: f.grad(lambda y: (x.detach() * y * x).sum())(x).sum()
    )(x),
}


@pytest.mark.parametrize("name", NESTED)
def test_nesting(name):
    ours, theirs = both(lambda t: NESTED[name](t.func, vector(t) / 2))
    assert_same(ours, theirs)


# PyTorch's linear map is a constant there, and what is detached has an empty record.
@pytest.mark.parametrize(
    "name", [n for n in NESTED if n not in ("linearize grad", "detached at all levels")]
)
def test_nesting_inside_the_ordinary_record(name):
    def program(t):
        x = (vector(t) / 2).requires_grad_()
        results = NESTED[name](t.func, x)
        while isinstance(results, tuple):
            results = results[-1]
        return t.autograd.grad((results * results).sum(), x, allow_unused=True)

    ours, theirs = both(program)
    assert_same(ours, theirs)


def test_linearized_maps_have_derivatives():
    func = wengert.func
    x = (vector(wengert) / 2).requires_grad_()
    found = func.linearize(func.grad(scalar), x)[1](x.detach())
    expected = func.jvp(func.grad(scalar), (x,), (x.detach(),))[1]
    ours, theirs = (wengert.autograd.grad(y.sum(), x)[0] for y in (found, expected))
    np.testing.assert_allclose(ours.numpy(), theirs.numpy())


@side_by_side
def test_grad_modes(t, log):
    x = t.ones(3, requires_grad=True)

    def with_constant(x):
        with t.no_grad():
            constant = x**2
        return (x - constant).sum()

    log(t.func.grad(with_constant)(x), t.func.jvp(with_constant, (x,), (x,)))
    with t.no_grad():
        log(t.func.grad(lambda x: (x * x).sum())(x))
        log(t.func.vjp(lambda x: x * x, x)[1](t.ones(3)))
        log(t.func.jvp(lambda x: x * x, (x,), (x,)))


@side_by_side
def test_closures(t, log):
    z = t.ones(3, requires_grad=True)
    found = t.func.grad(lambda x: (x * x * z).sum())(t.ones(3))
    log(found, t.autograd.grad(found.sum(), z))
    found = t.func.vmap(lambda x: (x * z).sum())(t.ones(2, 3))
    log(found, t.autograd.grad(found.sum(), z))


REFUSED = {
    "grad of vector": lambda t, x: t.func.grad(lambda x: x)(x),
    "grad of number": lambda t, x: t.func.grad(lambda x: 1.0)(x),
    "grad of complex": lambda t, x: t.func.grad(lambda x: x.sum() * 1j)(x),
    "grad aux": lambda t, x: t.func.grad(lambda x: (x, 1, 2), has_aux=True)(x),
    "grad by number": lambda t, x: t.func.grad(lambda x: x.sum())(1.0),
    "grad by integers": lambda t, x: t.func.grad(lambda x: x.sum())(t.arange(3)),
    "argnum": lambda t, x: t.func.grad(lambda x: x.sum(), argnums=2)(x),
    "argnums empty": lambda t, x: t.func.jacrev(lambda x: x, argnums=())(x),
    "argnums twice": lambda t, x: t.func.jacrev(lambda x: x, argnums=(0, 0))(x),
    "vjp of number": lambda t, x: t.func.vjp(lambda x: 1.0, x),
    "vjp cotangent": lambda t, x: t.func.vjp(lambda x: x, x)[1](t.ones(2)),
    "vjp aux": lambda t, x: t.func.vjp(lambda x: x, x, has_aux=True),
    "jvp primals": lambda t, x: t.func.jvp(lambda x: x, x, x),
    "jvp sizes": lambda t, x: t.func.jvp(lambda x: x, (x,), (t.ones(2),)),
    "jvp empty": lambda t, x: t.func.jvp(lambda x: x, (), ()),
    "jvp of number": lambda t, x: t.func.jvp(lambda x: 1.0, (x,), (x,)),
    "jvp strict": lambda t, x: t.func.jvp(lambda x: t.ones(2), (x,), (x,), strict=True),
    "jvp integers": lambda t, x: t.func.jvp(lambda x: x, (t.arange(3),), (x,)),
    "jacrev chunk": lambda t, x: t.func.jacrev(lambda x: x, chunk_size=-1)(x),
    "vmap number": lambda t, x: t.vmap(lambda x: x)(1.0),
    "vmap dim": lambda t, x: t.vmap(lambda x: x, 1)(x),
    "vmap None": lambda t, x: t.vmap(lambda x: x, None)(x),
    "vmap text": lambda t, x: t.vmap(lambda x: x, "a")(x),
    "vmap sizes": lambda t, x: t.vmap(lambda x, y: x)(x, t.ones(2)),
    "vmap nothing": lambda t, x: t.vmap(lambda x: x)(),
    "vmap no tensor": lambda t, x: t.vmap(lambda x: x)({}),
    "vmap returns number": lambda t, x: t.vmap(lambda x: 1.0)(x),
    "vmap out_dim": lambda t, x: t.vmap(lambda x: x, 0, 1)(x),
    "vmap out_dim None": lambda t, x: t.vmap(lambda x: x, 0, None)(x),
    "vmap random": lambda t, x: t.vmap(lambda x: t.rand(2))(x),
    "vmap randomness": lambda t, x: t.vmap(lambda x: x, 0, 0, "other"),
    "vmap chunk": lambda t, x: t.vmap(lambda x: x, chunk_size=0),
    "requires_grad_": lambda t, x: t.func.grad(lambda x: x.requires_grad_().sum())(x),
    "backward": lambda t, x: t.func.grad(lambda x: x.sum().backward())(x),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    messages = []
    for t in (wengert, torch):
        with pytest.raises(Exception) as caught:
            REFUSED[name](t, t.ones(3))
        messages.append((caught.type.__name__, str(caught.value)))
    assert messages[0] == messages[1]


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda x: x.item(), r"\.item\(\).*use ops on tensors"),
        (lambda x: x if x > 0 else -x, r"control flow.*torch\.where"),
        (lambda x: x.tolist(), r"\.tolist\(\)"),
        (lambda x: x.nonzero(), "dynamic shape.*torch.where"),
        (lambda x: (x, x), "out_dims is not compatible"),
    ],
)
def test_refusals_of_our_own(function, says):
    with pytest.raises((RuntimeError, ValueError), match=says):
        wengert.vmap(function, out_dims=(0, 0, 0))(wengert.ones(3))


def test_values_of_other_transformations_are_known():
    x = wengert.tensor([1.0, 2.0])
    assert wengert.func.grad(lambda x: x.sum() * x.sum().item())(x).tolist() == [
        3.0,
        3.0,
    ]
    found = wengert.func.jvp(lambda x: x.sum() if x.sum() > 0 else -x.sum(), (x,), (x,))
    assert found[1].item() == 3.0


def test_escaped_tensors():
    kept = []
    wengert.vmap(lambda x: (kept.append(x), x.sum())[1])(wengert.ones(3, 2))
    with pytest.raises(RuntimeError, match="used after vmap has finished"):
        kept[0] + 1
    wengert.func.jvp(
        lambda x: (kept.append(x), x)[1], (wengert.ones(2),), (wengert.ones(2),)
    )
    assert (kept[1] + 1).tolist() == [2.0, 2.0]


@side_by_side
def test_text(t, log):
    def shows(x):
        log(repr(x))
        return t.vmap(lambda y: (log(repr(y)), y.sum())[1])(x[None]).sum()

    t.func.grad(shows)(t.ones(2))
    t.func.jvp(shows, (t.ones(2),), (t.ones(2),))


# --- complex Jacobians, which PyTorch refuses
# -------------------------------------------


def holomorphic(z):
    return z.exp() * z.sum()


@pytest.mark.parametrize("jacobian", [wengert.func.jacrev, wengert.func.jacfwd])
def test_complex_jacobians(jacobian):
    z = wengert.tensor([0.5 + 1j, -1.0 + 0.25j], dtype=wengert.complex128)
    x = wengert.tensor([0.5, -1.0], dtype=wengert.float64)
    e, total = np.exp(z.numpy()), z.numpy().sum()
    np.testing.assert_allclose(
        jacobian(holomorphic)(z).numpy(), np.diag(e * total) + e[:, None]
    )
    by_real = jacobian(lambda x: (x * 1j).exp())(x)
    np.testing.assert_allclose(by_real.numpy(), np.diag(1j * np.exp(1j * x.numpy())))
    of_real = jacobian(lambda z: (z * z.conj()).real)(z)
    np.testing.assert_allclose(of_real.numpy(), np.diag(2 * z.numpy()))


def test_an_op_that_loops_goes_over_an_empty_batch():
    batch = wengert.zeros(0, 3, 3)
    assert wengert.func.vmap(wengert.rot90)(batch).shape == (0, 3, 3)
    values, places = wengert.func.vmap(lambda x: x.kthvalue(2))(batch)
    assert values.shape == places.shape == (0, 3)


@pytest.mark.parametrize("name", ["linspace", "logspace"])
@pytest.mark.parametrize("steps", [0, 1, 4, 5])
def test_ends_that_differ_in_a_batch(name, steps):
    def both(torch):
        make, ends = getattr(torch, name), torch.tensor([[0.0, 1.0], [3.0, -2.0]])
        return [
            torch.func.vmap(lambda a, b: make(a, b, steps))(ends[:, 0], ends[:, 1]),
            torch.func.vmap(lambda a: make(a, 2, steps))(ends[:, 0]),
            torch.func.vmap(lambda b: make(1, b, steps))(ends[:, 1]),
        ]

    for ours, theirs in zip(both(wengert), both(torch), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=2e-6, atol=1e-6)


def test_resizing_to_the_same_size_changes_nothing_in_a_batch():
    x = wengert.arange(6.0).reshape(2, 3)
    found = wengert.func.vmap(lambda v: v.clone().resize_as_(wengert.zeros(3)))(x)
    assert (found == x).all()
    with pytest.raises(RuntimeError, match="no memory of its own"):
        wengert.func.vmap(lambda v: v.clone().resize_(2))(x)
