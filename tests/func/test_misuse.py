"""Transformations called wrongly, or nearly so: PyTorch's errors, or its results."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import wengert
from wengert import tree


def rows(torch):
    return torch.arange(6.0).reshape(2, 3)


def row(torch):
    return torch.arange(3.0)


def pair(a, b):
    return a.sum() + b.sum()


def tied(torch):
    """Return a module two of whose layers have one weight."""
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 3))
    module[1].weight = module[0].weight
    return module


def called(torch, *dicts, **options):
    call = torch.func.functional_call
    return call(
        tied(torch), dicts[0] if len(dicts) == 1 else dicts, rows(torch), **options
    )


def mapped(f, *args, **options):
    return lambda torch: torch.func.vmap(f, **options)(*[arg(torch) for arg in args])


def state_of(*modules):
    return lambda torch: torch.func.stack_module_state(modules_of(torch, modules))


def modules_of(torch, makers):
    torch.manual_seed(0)
    return [make(torch) for make in makers]


def by_argnum(argnums):
    return lambda torch: torch.func.grad(pair, argnums)(row(torch), row(torch) + 1)


def pulled(f, *cotangents):
    return lambda torch: torch.func.vjp(f, rows(torch))[1](
        *[make(torch) for make in cotangents]
    )


def pushed(*tangents):
    return lambda torch: torch.func.linearize(lambda v: v * v, rows(torch))[1](
        *[make(torch) for make in tangents]
    )


def pulled_twice(pull_back, cotangent):
    pull_back(cotangent, retain_graph=False)
    return pull_back(cotangent)


def same(v):
    return v * 2


CALLS = {
    "in_dims that are a list": mapped(lambda a, b: a * b, rows, rows, in_dims=[0, 0]),
    "a list for a tuple": mapped(lambda v: v[0], lambda t: (rows(t),), in_dims=([0],)),
    "a tuple for a list": mapped(lambda v: v[0], lambda t: [rows(t)], in_dims=((0,),)),
    "a tree of in_dims": mapped(
        lambda d, w: d["a"] * d["b"][0] + w,
        lambda t: {"a": rows(t), "b": (rows(t).t(),)},
        row,
        in_dims=({"a": 0, "b": (1,)}, None),
    ),
    "a part of a tree": mapped(
        lambda d, w: d["a"],
        lambda t: {"a": rows(t), "b": rows(t)},
        row,
        in_dims=({"a": 0}, None),
    ),
    "out_dims that are a list": mapped(lambda v: (v, v), rows, out_dims=[0, 1]),
    "out_dims that are a string": mapped(same, rows, out_dims="a"),
    "out_dims that are a float": mapped(same, rows, out_dims=1.0),
    "out_dims too large": mapped(same, rows, out_dims=2),
    "no int for argnums": by_argnum("0"),
    "a float for argnums": by_argnum(0.0),
    "a list for argnums": by_argnum([0]),
    "no int in argnums": by_argnum(("0",)),
    "one argument twice": by_argnum((0, -2)),
    "counted from the end": by_argnum((-1, 0)),
    "integers out of vjp": lambda t: t.func.vjp(lambda v: v.long(), rows(t)),
    "integers out of jacrev": lambda t: t.func.jacrev(lambda v: v.long())(row(t)),
    "nothing out of vjp": lambda t: t.func.vjp(lambda v: (), rows(t)),
    "no cotangent": pulled(same),
    "a number for a cotangent": pulled(same, lambda t: 1.0),
    "a wider cotangent": pulled(same, lambda t: rows(t).double()),
    "a complex cotangent": pulled(same, lambda t: rows(t) * 1j),
    "a cotangent of another shape": pulled(same, row),
    "no tensor into jvp": lambda t: t.func.jvp(same, (3.0,), (1.0,)),
    "a tangent of another shape": pushed(row),
    "a tangent of another dtype": pushed(lambda t: rows(t).double()),
    "no cotangent of one number": lambda t: t.func.vjp(t.sum, row(t))[1](None),
    "None for a cotangent": pulled(same, lambda t: None),
    "pulling twice": lambda t: pulled_twice(t.func.vjp(t.exp, row(t))[1], t.ones(3)),
    "None out of vjp": lambda t: t.func.vjp(lambda v: None, row(t)),
    "None out of jvp": lambda t: t.func.jvp(lambda v: None, (row(t),), (row(t),)),
    "nothing out of jvp": lambda t: t.func.jvp(lambda v: (), (row(t),), (row(t),)),
    "a list for one of out_dims": mapped(same, rows, out_dims=[0]),
    "data inside vmap": mapped(lambda v: v.data, rows),
    "setting data inside vmap": mapped(lambda v: setattr(v, "data", v * 2), rows),
    "one weight of two tied": lambda t: called(t, {"1.weight": t.ones(3, 3)}),
    "one weight of two, strictly": lambda t: called(
        t, dict(tied(t).named_parameters()), strict=True
    ),
    "missing names": lambda t: called(t, {"0.weight": t.ones(3, 3)}, strict=True),
    "two weights for tied ones": lambda t: called(
        t, {"0.weight": t.ones(3, 3)}, {"1.weight": t.zeros(3, 3)}
    ),
    "two weights, untied": lambda t: called(
        t,
        {"0.weight": t.ones(3, 3), "1.weight": t.zeros(3, 3)},
        tie_weights=False,
    ),
    "no bias": lambda t: called(t, {"0.bias": None}),
    "no tensor": lambda t: called(t, {"0.bias": 3.0}),
    "requiring grad or not": state_of(
        lambda t: t.nn.Linear(1, 1), lambda t: t.nn.Linear(1, 1).requires_grad_(False)
    ),
    "modules of several classes": state_of(
        lambda t: t.nn.Linear(1, 1), lambda t: t.nn.ReLU()
    ),
}


def outcome(torch, call):
    try:
        return None, call(torch)
    except Exception as error:
        return type(error), str(error)


@pytest.mark.parametrize("name", CALLS)
def test_the_outcome_is_pytorchs(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted_type, wanted = outcome(torch, CALLS[name])
    found_type, found = outcome(wengert, CALLS[name])
    assert found_type is wanted_type
    if wanted_type is TypeError:
        assert found[-40:] == wanted[-40:]
    elif wanted_type is not None:
        found, wanted = [text.replace("wengert", "torch") for text in (found, wanted)]
        assert found.split(" has structure")[0] == wanted.split(" has structure")[0]
    else:
        leaves = zip(
            tree.leaves(found),
            tree.leaves(wanted),
            strict=True,
        )
        for ours, theirs in leaves:
            assert str(ours.dtype).split(".")[1] == str(theirs.dtype).split(".")[1]
            np.testing.assert_allclose(
                ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-6
            )


WITH_AUX = {
    "grad": lambda t, f: t.func.grad(f, has_aux=True)(row(t)),
    "grad_and_value": lambda t, f: t.func.grad_and_value(f, has_aux=True)(row(t)),
    "vjp": lambda t, f: t.func.vjp(f, row(t), has_aux=True)[::2],
    "jvp": lambda t, f: t.func.jvp(f, (row(t),), (row(t),), has_aux=True),
    "jacrev": lambda t, f: t.func.jacrev(f, has_aux=True)(row(t)),
    "jacfwd": lambda t, f: t.func.jacfwd(f, has_aux=True)(row(t)),
}
AUX = {
    "a number": lambda t: 3,
    "nothing": lambda t: None,
    "a class": lambda t: int,
    "a tensor and a number": lambda t: (t.ones(1), 3),
    "a dictionary of strings": lambda t: {"a": "b"},
    "a tree": lambda t: {"a": [t.ones(1)], "b": ()},
}


@pytest.mark.parametrize("name", WITH_AUX)
@pytest.mark.parametrize("aux", AUX)
def test_what_goes_beside_the_output(name, aux):
    def call(torch):
        extra = AUX[aux](torch)
        return WITH_AUX[name](torch, lambda v: ((v * v).sum(), extra))

    wanted_type, wanted = outcome(torch, call)
    found_type, found = outcome(wengert, call)
    assert found_type is wanted_type
    if wanted_type is not None:
        assert found == wanted
    else:
        assert tree.flatten(found)[1] == tree.flatten(wanted)[1]


WRITES = {
    "zero_": lambda t, o, v: o.zero_(),
    "fill_": lambda t, o, v: o.fill_(2.0),
    "a number": lambda t, o, v: o.sub_(1),
    "an element": lambda t, o, v: o.__setitem__(0, 3.0),
    "sqrt_": lambda t, o, v: o.sqrt_(),
    "a constant": lambda t, o, v: o.add_(t.ones(3)),
    "a view": lambda t, o, v: o[1:].zero_(),
    "an alias": lambda t, o, v: o.detach().zero_(),
    "made inside": lambda t, o, v: t.zeros(3).add_(1).fill_(2.0),
    "a view of what was made inside": lambda t, o, v: t.zeros(3)[1:].zero_(),
    "the argument": lambda t, o, v: (v * 1).zero_(),
}
PURE = {
    "grad": lambda t, f: t.func.grad(f)(row(t)),
    "vjp": lambda t, f: t.func.vjp(f, row(t))[0],
    "jvp": lambda t, f: t.func.jvp(f, (row(t),), (row(t),)),
    "jacrev": lambda t, f: t.func.jacrev(f)(row(t)),
    "jacfwd": lambda t, f: t.func.jacfwd(f)(row(t)),
    "hessian": lambda t, f: t.func.hessian(f)(row(t)),
    "vmap": lambda t, f: t.func.vmap(f)(rows(t)),
    "grad of vmap": lambda t, f: t.func.grad(lambda v: t.func.vmap(f)(v).sum())(
        rows(t)
    ),
    "vmap of grad": lambda t, f: t.func.vmap(t.func.grad(f))(rows(t)),
    "grad of grad": lambda t, f: t.func.grad(lambda v: (t.func.grad(f)(v) * v).sum())(
        row(t)
    ),
}


@pytest.mark.parametrize("transform", PURE)
@pytest.mark.parametrize("write", WRITES)
def test_constants_written_into_what_is_from_outside(write, transform):
    outcomes = []
    for library in (torch, wengert):
        captured = library.ones(3)

        def call(t, captured=captured):
            def f(v):
                WRITES[write](t, captured, v)
                return (v * v).sum()

            return PURE[transform](t, f)

        outcomes.append((*outcome(library, call), captured.tolist()))
    (wanted_type, wanted, theirs), (found_type, found, ours) = outcomes
    assert (found_type, ours) == (wanted_type, theirs)
    if wanted_type is not None:
        assert found[:90] == wanted[:90]


def test_a_complex_tangent_of_a_real_primal_is_refused_and_not_cut():
    x = rows(wengert)
    with pytest.raises(RuntimeError, match="moves in a real direction only"):
        wengert.func.jvp(same, (x,), (x * 1j,))


def test_an_escaped_tensor_says_so_wherever_it_is_used():
    kept = []
    wengert.func.vmap(lambda v: (kept.append(v), v)[1])(rows(wengert))
    for use in (lambda v: v + 1, lambda v: v.numpy(), lambda v: v.sum().item()):
        with pytest.raises(RuntimeError, match="have escaped from inside a function"):
            use(kept[0])


def test_geqrf_goes_over_a_batch():
    x = wengert.randn(2, 4, 3, dtype=wengert.float64)
    found = wengert.func.vmap(wengert.geqrf)(x)
    wanted = torch.geqrf(torch.tensor(x.numpy()))
    np.testing.assert_allclose(found.a.numpy(), wanted.a.numpy(), atol=1e-12)
    np.testing.assert_allclose(found.tau.numpy(), wanted.tau.numpy(), atol=1e-12)


def test_a_module_made_inside_of_a_gradient_initialises_itself():
    def loss(torch):
        def f(x):
            return (torch.nn.BatchNorm1d(3)(x) ** 3).sum()

        return torch.func.grad(f)(rows(torch) ** 2)

    np.testing.assert_allclose(
        loss(wengert).detach().numpy(), loss(torch).detach().numpy(), atol=1e-4
    )
