"""`torch.autograd.functional`, beside PyTorch."""

from __future__ import annotations

import pytest
import torch

import wengert
from tests.autograd.support import Log, assert_same, side_by_side


def cube(x):
    return (x**3).sum()


def square(x):
    return x**2


CALLS = [
    "F.vjp(square,x)",
    "F.vjp(cube,x)",
    "F.vjp(square,x,x)",
    "F.vjp(square,x,t.ones(2))",
    "F.vjp(lambda x:1.,x)",
    "F.vjp(square,1.)",
    "F.vjp(lambda x:t.ones(3),x,x)",
    "F.vjp(lambda x:t.ones(3),x,x,strict=True)",
    "F.vjp(lambda x,y:x*1,(x,x),x,strict=True)",
    "F.vjp(lambda x:x*1,x,x,strict=True,create_graph=True)",
    "F.jvp(square,x)",
    "F.jvp(square,t.ones(1))",
    "F.jvp(square,x,x)",
    "F.jvp(square,x,t.ones(2))",
    "F.jvp(square,x,x,create_graph=True)",
    "F.jvp(lambda x:t.ones(3),x,x)",
    "F.jvp(lambda x:t.ones(3),x,x,strict=True)",
    "F.jvp(lambda x:x*1,x,x,strict=True,create_graph=True)",
    "F.jvp(square,(x,x),(x,))",
    "F.jacobian(square,x)",
    "F.jacobian(square,x,vectorize=True)",
    "F.jacobian(square,x,vectorize=True,strategy='forward-mode')",
    "F.jacobian(square,x,strategy='bla')",
    "F.jacobian(square,x,strict=True,vectorize=True)",
    "F.jacobian(lambda x:t.ones(3),x,strict=True)",
    "F.jacobian(lambda x:t.ones(3),x)",
    "F.jacobian(lambda x:x*1,x,strict=True,create_graph=True)",
    "F.jacobian(lambda x:x*1,x,create_graph=True)",
    "F.jacobian(square,x,strict=True,vectorize=True,strategy='forward-mode')",
    "F.jacobian(square,x,create_graph=True,vectorize=True,strategy='forward-mode')",
    "F.jacobian(lambda x,y:(x*y,x.sum()),(x,x))",
    "F.jacobian(lambda x,y:(x*y,x.sum()),(x,x),vectorize=True)",
    "F.jacobian(lambda x:(x*2,x.sum()),x,vectorize=True,strategy='forward-mode')",
    "F.hessian(cube,x)",
    "F.hessian(square,x)",
    "F.hessian(lambda x:x.sum(),x)",
    "F.hessian(lambda x:x.sum(),x,strict=True)",
    "F.hessian(cube,x,vectorize=True,outer_jacobian_strategy='forward-mode').detach()",
    "F.hessian(cube,x,outer_jacobian_strategy='bla')",
    "F.hessian(lambda x:(x,x),x)",
    "F.hessian(lambda x:(x.sum(),x.sum()),x)",
    "F.hessian(lambda x,y:(x*y).sum(),(x,x))",
    "F.hessian(cube,x,vectorize=True)",
    "F.hessian(cube,x,create_graph=True)",
    "F.vhp(cube,x,x)",
    "F.vhp(square,x,x)",
    "F.vhp(cube,x)",
    "F.vhp(lambda x:x.sum(),x,x)",
    "F.vhp(lambda x:x.sum(),x,x,strict=True)",
    "F.vhp(cube,x,x,create_graph=True)",
    "F.hvp(cube,x,x)",
    "F.hvp(square,x,x)",
    "F.hvp(cube,x)",
    "F.hvp(lambda x:x.sum(),x,x)",
    "F.hvp(lambda x:x.sum(),x,x,strict=True)",
    "F.hvp(cube,x,x,create_graph=True)",
    "F.hvp(lambda x:t.ones(()),x,x,strict=True)",
    "F.hvp(lambda x:t.ones(()),x,x)",
    "F.jacobian(lambda z:z**2*1j,z)",
    "F.jacobian(lambda z:z**2*1j,z,vectorize=True,strategy='forward-mode')",
    "F.jacobian(lambda z:z**2*1j,x)",
    "F.jacobian(lambda z:(z*z.conj()).real,z)",
    "F.jacobian(lambda z:z**2*1j,z,vectorize=True)",
    "F.vjp(lambda x:(x,1),x,x)",
    "F.vjp(lambda x:(x,x),x,x)",
    "F.vjp(lambda x,y:x,(x,1.),x)",
    "F.vjp(lambda x,y:x,[x,x],x)",
    "t.autograd.grad(F.vjp(cube,xr,create_graph=True)[1].sum(),xr)",
    "t.autograd.grad(F.jvp(square,xr,x,create_graph=True)[1].sum(),xr)",
    "t.autograd.grad(F.hvp(cube,xr,x,create_graph=True)[1].sum(),xr)",
    "t.autograd.grad(F.jacobian(square,xr,create_graph=True).sum(),xr)",
    "t.autograd.grad(F.jacobian(square,xr,create_graph=True,vectorize=True).sum(),xr)",
    "t.autograd.grad(F.hessian(cube,xr,create_graph=True,vectorize=True).sum(),xr)",
    "t.autograd.grad(xr**2, xr, t.eye(3), is_grads_batched=True)",
    "t.autograd.grad(xr**2, xr, t.eye(3), is_grads_batched=True,create_graph=True)[0]",
]


@pytest.mark.parametrize("call", CALLS)
def test_call(call):
    logs = []
    for t in (wengert, torch):
        names = {
            "t": t,
            "F": t.autograd.functional,
            "x": t.ones(3),
            "xr": t.ones(3, requires_grad=True),
            "z": t.ones(3) + 1j,
            "square": square,
            "cube": cube,
        }
        log = Log()
        log.error(eval, call, names)
        logs.append(log.entries)
    assert_same(*logs)


def test_forward_mode_needs_vectorize():
    with pytest.raises(NotImplementedError, match="vectorize=True"):
        wengert.autograd.functional.jacobian(
            square, wengert.ones(2), strategy="forward-mode"
        )


PRODUCTS = ("vjp", "jvp", "vhp", "hvp")
VECTORS = {
    "another shape": lambda t: t.ones(3),
    "a number": lambda t: 1.0,
    "a list": lambda t: [t.ones(2)],
    "a tuple": lambda t: (t.ones(2),),
    "two": lambda t: (t.ones(2), t.ones(2)),
    "a scalar": lambda t: t.tensor(1.0),
    "nothing": lambda t: None,
}


@pytest.mark.parametrize("vector", VECTORS)
@side_by_side
def test_wrong_vectors(t, log, vector):
    x, v = t.tensor([1.0, 2.0]), VECTORS[vector](t)
    for name in PRODUCTS:
        call = getattr(t.autograd.functional, name)
        for inputs in (x, (x,), (x, x), x * 1j):
            log.error(lambda c=call, i=inputs: c(lambda *a: sum(a).pow(3).sum(), i, v))


RESULTS = {
    "a number": lambda t, x: 3.0,
    "nothing": lambda t, x: None,
    "a list": lambda t, x: [x],
    "two": lambda t, x: (x, x * 2),
    "nested": lambda t, x: ((x,), x),
    "a tensor and a number": lambda t, x: (x, 3),
    "a vector": lambda t, x: x * x * x,
    "one in a vector": lambda t, x: (x * x * x).sum().reshape(1),
    "integers": lambda t, x: x.long(),
    "a constant": lambda t, x: t.ones(2),
    "a constant number": lambda t, x: t.ones(()),
}


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("result", RESULTS)
@side_by_side
def test_wrong_results(t, log, result, strict):
    functional, x = t.autograd.functional, t.tensor([1.0, 2.0])

    def f(x):
        return RESULTS[result](t, x)

    for name in PRODUCTS:
        call = getattr(functional, name)
        log.error(lambda call=call: call(f, x, t.ones(2), strict=strict))
    log.error(lambda: functional.jacobian(f, x, strict=strict))
    log.error(lambda: functional.hessian(f, x, strict=strict))
    forward = {"strategy": "forward-mode", "vectorize": True}
    log.error(lambda: functional.jacobian(f, x, **forward))
