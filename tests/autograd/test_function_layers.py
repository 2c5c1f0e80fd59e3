"""Custom functions under grad, vmap and forward mode, in any order and either style."""

from __future__ import annotations

import numpy as np
import pytest
import torch as oracle

import wengert as t
from tests.autograd.support import side_by_side
from wengert.func import grad, jacfwd, jacrev, jvp, vjp, vmap


def make(style, lib=t, with_jvp=False):
    """A function of two tensors and a number: x**2 * w * k, and w.sin()."""

    def compute(x, w, k):
        return x * x * w * k, w.sin()

    class Classic(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x, w, k):
            ctx.save_for_backward(x, w)
            ctx.k = k
            calls.append(type(x))
            return compute(x, w, k)

        @staticmethod
        def backward(ctx, a, b):
            x, w = ctx.saved_tensors
            k = ctx.k
            return a * 2 * x * w * k, a * x * x * k + b * w.cos(), None

    class Modern(lib.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x, w, k):
            calls.append(type(x))
            return compute(x, w, k)

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, w, ctx.k = inputs
            ctx.save_for_backward(x, w)
            ctx.save_for_forward(x, w)

        backward = staticmethod(Classic.backward)

    if with_jvp:

        def rule(ctx, x_t, w_t, none):
            x, w = ctx.saved_tensors
            k = ctx.k
            return 2 * x * w * k * x_t + x * x * k * w_t, w.cos() * w_t

        Modern.jvp = staticmethod(rule)
        Classic.jvp = staticmethod(rule)
    calls = []
    kind = {"classic": Classic, "modern": Modern}[style]
    kind.calls = calls
    return kind


def body(lib, kind):
    def f(x, w):
        a, b = kind.apply(x, w, 3.0)
        return (a * b).sum() + a.sum()

    return f


def plain(lib):
    def f(x, w):
        a, b = x * x * w * 3.0, w.sin()
        return (a * b).sum() + a.sum()

    return f


def arrays(*shapes):
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape) for shape in shapes]


# PyTorch's own forward mode warns of its own TorchScript.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit")

TRANSFORMS = {
    "grad": lambda F, f, x, w: F.grad(f, argnums=(0, 1))(x, w),
    "grad of grad": lambda F, f, x, w: F.grad(lambda x: F.grad(f)(x, w).pow(2).sum())(
        x
    ),
    "grad of grad by the other": lambda F, f, x, w: F.grad(
        lambda w: F.grad(f)(x, w).pow(2).sum()
    )(w),
    "third": lambda F, f, x, w: F.grad(
        lambda x: F.grad(lambda x: F.grad(f)(x, w).pow(2).sum())(x).pow(2).sum()
    )(x),
    "vmap": lambda F, f, x, w: F.vmap(f)(x, w),
    "vmap one": lambda F, f, x, w: F.vmap(f, in_dims=(0, None))(x, w[0]),
    "vmap last": lambda F, f, x, w: F.vmap(f, in_dims=(1, None))(x, w[0, 0]),
    "vmap of grad": lambda F, f, x, w: F.vmap(F.grad(f, argnums=(0, 1)))(x, w),
    "vmap of grad one": lambda F, f, x, w: F.vmap(
        F.grad(f, argnums=(0, 1)), in_dims=(0, None)
    )(x, w[0]),
    "grad of vmap": lambda F, f, x, w: F.grad(
        lambda x, w: F.vmap(f)(x, w).pow(2).sum(), argnums=(0, 1)
    )(x, w),
    "grad of vmap one": lambda F, f, x, w: F.grad(
        lambda x, w: F.vmap(f, in_dims=(0, None))(x, w).pow(2).sum(), argnums=(0, 1)
    )(x, w[0]),
    "vmap of vmap": lambda F, f, x, w: F.vmap(F.vmap(f, in_dims=(0, None)))(x, w[:, 0]),
    "grad of vmap of vmap": lambda F, f, x, w: F.grad(
        lambda x, w: F.vmap(F.vmap(f, in_dims=(0, None)))(x, w).sum(), argnums=(0, 1)
    )(x, w[:, 0]),
    "jvp": lambda F, f, x, w: F.jvp(f, (x, w), (w, x)),
    "jvp one": lambda F, f, x, w: F.jvp(lambda x: f(x, w), (x,), (w,)),
    "jvp of grad": lambda F, f, x, w: F.jvp(
        lambda x: F.grad(f, argnums=(0, 1))(x, w), (x,), (w,)
    ),
    "grad of jvp": lambda F, f, x, w: F.grad(
        lambda x: F.jvp(lambda x: f(x, w), (x,), (w,))[1]
    )(x),
    "jvp of jvp": lambda F, f, x, w: F.jvp(
        lambda x: F.jvp(lambda x: f(x, w), (x,), (w,))[1], (x,), (x,)
    ),
    "jvp of vmap": lambda F, f, x, w: F.jvp(F.vmap(f), (x, w), (w, x)),
    "vmap of jvp": lambda F, f, x, w: F.vmap(
        lambda x, w: F.jvp(lambda x: f(x, w), (x,), (w,))
    )(x, w),
    "hessian": lambda F, f, x, w: F.hessian(f)(x[0], w[0]),
    "jacrev": lambda F, f, x, w: F.jacrev(F.grad(f))(x[0], w[0]),
    "jacfwd": lambda F, f, x, w: F.jacfwd(F.grad(f))(x[0], w[0]),
    "vjp": lambda F, f, x, w: F.vjp(f, x, w)[1](x.sum()),
}


@pytest.mark.parametrize("with_jvp", [False, True])
@pytest.mark.parametrize("style", ["classic", "modern"])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_as_if_the_body_were_differentiated(name, style, with_jvp):
    """A right backward gives what differentiating the body gives (in PyTorch)."""
    x, w = arrays((2, 3), (2, 3))
    kind = make(style, with_jvp=with_jvp)
    found = TRANSFORMS[name](t.func, body(t, kind), t.tensor(x), t.tensor(w))
    expected = TRANSFORMS[name](
        oracle.func, plain(oracle), oracle.tensor(x), oracle.tensor(w)
    )
    compare(found, expected)


def compare(found, expected):
    if isinstance(expected, tuple):
        assert len(found) == len(expected)
        for ours, theirs in zip(found, expected, strict=True):
            compare(ours, theirs)
    else:
        np.testing.assert_allclose(
            found.detach().numpy(), expected.detach().numpy(), rtol=1e-9, atol=1e-9
        )


def wrong(lib, style):
    """A function whose rules are not its derivative: so one sees which was used."""

    class Classic(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 10 * x

    class Modern(lib.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x * x

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        backward = staticmethod(Classic.backward)

    return Classic if style == "classic" else Modern


@pytest.mark.parametrize("style", ["classic", "modern"])
def test_the_rule_is_used_and_not_the_body(style):
    kind = wrong(t, style)
    x = t.tensor([1.0, 2.0])

    def f(x):
        return kind.apply(x).sum()

    assert grad(f)(x).tolist() == [10, 20]
    assert grad(lambda x: grad(f)(x).sum())(x).tolist() == [10, 10]
    assert vmap(grad(f))(x).tolist() == [10, 20]
    assert grad(lambda x: vmap(f)(x).sum())(x).tolist() == [10, 20]
    assert jvp(f, (x,), (t.ones(2),))[1].item() == 30
    assert jacrev(kind.apply)(x).tolist() == [[10, 0], [0, 20]]
    assert jacfwd(kind.apply)(x).tolist() == [[10, 0], [0, 20]]
    assert vjp(kind.apply, x)[1](t.ones(2))[0].tolist() == [10, 20]
    leaf = t.tensor([1.0, 2.0], requires_grad=True)
    grad(f)(leaf).sum().backward()
    assert leaf.grad.tolist() == [10, 10]
    leaf.grad = None
    vmap(f)(leaf).sum().backward()
    assert leaf.grad.tolist() == [10, 20]
    leaf.grad = None
    jvp(f, (leaf,), (t.ones(2),))[1].backward()
    assert leaf.grad.tolist() == [10, 10]


def test_forward_runs_once_on_the_lowest_level():
    kind = make("classic")
    x = t.ones(2)
    grad(lambda x: grad(lambda x: body(t, kind)(x, x))(x).sum())(x)
    assert len(kind.calls) == 1


@side_by_side
def test_own_vmap(lib, log):
    class Mine(lib.autograd.Function):
        @staticmethod
        def forward(x, w):
            return x * w

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, g):
            x, w = ctx.saved_tensors
            return g * w, g * x

        @staticmethod
        def vmap(info, in_dims, x, w):
            log(info.batch_size, in_dims)
            return Mine.apply(x * 2, w), 0

    x, w = lib.ones(3), lib.full((), 2.0)
    log(lib.func.vmap(Mine.apply, in_dims=(0, None))(x, w))
    x.requires_grad_()
    lib.func.vmap(Mine.apply, in_dims=(0, None))(x, w).sum().backward()
    log(x.grad)
    Mine.generate_vmap_rule = True
    try:
        lib.func.vmap(Mine.apply, in_dims=(0, None))(x, w)
    except RuntimeError as error:
        log("both" in str(error))


def test_intermediates_and_containers_on_the_context():
    class Classic(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.pair = [x, {"y": y}]
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            (y,) = ctx.saved_tensors
            return g * y * ctx.pair[1]["y"] / y + 0 * ctx.pair[0]

    x = t.tensor([0.5, 1.0])
    expected = x.exp()
    for function in (
        grad(lambda x: Classic.apply(x).sum()),
        grad(lambda x: grad(lambda x: Classic.apply(x).sum())(x).sum()),
        vmap(grad(lambda x: Classic.apply(x).sum())),
        grad(lambda x: vmap(Classic.apply)(x).sum()),
        grad(lambda x: vmap(grad(Classic.apply))(x).sum()),
    ):
        np.testing.assert_allclose(function(x).numpy(), expected.numpy(), rtol=1e-6)


def test_no_way_forward():
    class Nothing(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

    class Opaque(Nothing):
        @staticmethod
        def backward(ctx, g):
            return t.tensor(np.ones(2, np.float32))

    x = t.ones(2)
    with pytest.raises(NotImplementedError, match="implement the jvp"):
        jvp(Nothing.apply, (x,), (x,))
    with pytest.raises(NotImplementedError, match="Write a jvp"):
        jvp(Opaque.apply, (x,), (x,))
    with pytest.raises(NotImplementedError, match="either the backward or vjp"):
        grad(lambda x: Nothing.apply(x).sum())(x)


def test_marks_under_transformations():
    class Classic(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            index = x.argsort()
            mask = x * 0 + 1
            ctx.mark_non_differentiable(index, mask)
            ctx.set_materialize_grads(False)
            return x * 2, index, mask

        @staticmethod
        def backward(ctx, g, none, nothing):
            assert none is None
            assert nothing is None
            return g * 3

    x = t.tensor([[3.0, 1.0], [1.0, 2.0]])

    def f(x):
        y, index, mask = Classic.apply(x)
        return (y * mask).sum() + index.sum() * 0

    assert grad(f)(x).tolist() == [[3, 3], [3, 3]]
    assert vmap(grad(f))(x).tolist() == [[3, 3], [3, 3]]
    assert grad(lambda x: vmap(f)(x).sum())(x).tolist() == [[3, 3], [3, 3]]
    assert vmap(lambda x: Classic.apply(x)[1])(x).tolist() == [[1, 0], [0, 1]]


def test_writing_in_place_under_grad():
    class Twice(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx, g):
            return g * 2

    def f(x):
        y = x * 1
        Twice.apply(y)
        return (y * y).sum()

    x = t.tensor([1.0, 2.0])
    assert grad(f)(x).tolist() == [8, 16]
    assert x.tolist() == [1, 2]
    assert jvp(f, (x,), (t.ones(2),))[1].item() == 24
