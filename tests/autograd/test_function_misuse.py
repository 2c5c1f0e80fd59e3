"""Custom functions that break their promises: PyTorch's errors."""

from __future__ import annotations

import pytest

from .support import side_by_side


def written(ctx, x):
    ctx.mark_dirty(x)
    return x.mul_(2)


def constant(ctx, x):
    y = x * 2
    ctx.mark_non_differentiable(y)
    return y


FORWARDS = {
    "a new tensor": lambda ctx, x: x * 2,
    "the input": lambda ctx, x: x,
    "a view": lambda ctx, x: x.view(2),
    "a part": lambda ctx, x: x[:1],
    "written in place": written,
    "without derivative": constant,
    "integers": lambda ctx, x: x.long(),
    "several": lambda ctx, x: (x * 2, x * 3),
    "a tensor and a number": lambda ctx, x: (x * 2, 3),
    "a constant": lambda ctx, x: x.detach() * 1,
}
RULES = {
    "a new tensor": lambda ctx, g: g * 2,
    "the tangent": lambda ctx, g: g,
    "a view": lambda ctx, g: g.view(2),
    "a part": lambda ctx, g: g[:1],
    "a view of another": lambda ctx, g: (g * 2).view(2),
    "written in place": lambda ctx, g: g.mul_(2),
    "a number": lambda ctx, g: 3,
    "a list": lambda ctx, g: [g],
    "several": lambda ctx, g: (g, g * 2),
    "none": lambda ctx, g: (),
}


def function(t, forward, jvp):
    members = {"forward": staticmethod(forward), "jvp": staticmethod(jvp)}
    return type("Custom", (t.autograd.Function,), members)


@pytest.mark.parametrize("forward", FORWARDS)
@pytest.mark.parametrize("rule", RULES)
@side_by_side
def test_what_jvp_returns(t, log, forward, rule):
    x, v = t.tensor([1.0, 2.0]), t.tensor([3.0, 4.0])
    custom = function(t, FORWARDS[forward], RULES[rule])

    def run():
        with t.autograd.forward_ad.dual_level():
            out = custom.apply(t.autograd.forward_ad.make_dual(x, v))
            outs = out if isinstance(out, tuple) else (out,)
            unpack = t.autograd.forward_ad.unpack_dual
            return [unpack(o) if isinstance(o, t.Tensor) else o for o in outs]

    log.error(run)
    log(v)


@side_by_side
def test_what_jvp_is_given(t, log):
    def rule(ctx, a, b, c, n):
        log(a, b, c, n, t.is_grad_enabled(), ctx.needs_input_grad)
        return a if b is None else b

    x, ones, whole = t.tensor([1.0, 2.0]), t.ones(2), t.ones(2, dtype=t.int64)
    for materialize in (True, False):

        def forward(ctx, x, y, z, n, materialize=materialize):
            ctx.set_materialize_grads(materialize)
            return x * y

        custom = function(t, forward, rule)
        with t.autograd.forward_ad.dual_level():
            dual = t.autograd.forward_ad.make_dual(x, ones)
            custom.apply(dual, ones, whole, 3)
            custom.apply(ones, dual, whole, 3)


@pytest.mark.parametrize("kept", [3, "a list", None])
@side_by_side
def test_what_save_for_forward_takes(t, log, kept):
    def forward(ctx, x):
        ctx.save_for_forward(x, [x] if kept == "a list" else kept)
        return x * x

    def rule(ctx, g):
        log(len(ctx.saved_tensors))
        return g * ctx.saved_tensors[0] * 2

    def run():
        with t.autograd.forward_ad.dual_level():
            dual = t.autograd.forward_ad.make_dual(t.ones(2), t.ones(2))
            return t.autograd.forward_ad.unpack_dual(
                function(t, forward, rule).apply(dual)
            )

    log.error(run)


@pytest.mark.filterwarnings("ignore:.*should not be instantiated")
@side_by_side
def test_instances(t, log):
    x = t.ones(2, requires_grad=True)
    custom = function(t, lambda ctx, x: x * 2, None)
    log(type(custom()).__name__, custom().apply(x).detach())
    with pytest.raises(RuntimeError, match="Legacy autograd function with non-static"):
        custom()(x)
    with pytest.warns(DeprecationWarning, match="should not be instantiated"):
        custom(x)


@side_by_side
def test_complex_gradients_of_real_inputs(t, log):
    class Custom(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * 1j

    x = t.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="input_is_complex == grad_is_complex"):
        Custom.apply(x).sum().backward()
    log(x.grad)


BATCH_RULES = {
    "a tensor": lambda info, dims, x: x * 2,
    "dims in a tuple": lambda info, dims, x: (x * 2, (0,)),
    "nothing": lambda info, dims, x: None,
    "three": lambda info, dims, x: (x, x, x),
    "a list": lambda info, dims, x: [x * 2, 0],
    "no dim": lambda info, dims, x: (x * 2, None),
    "a negative dim": lambda info, dims, x: (x * 2, -2),
    "two with dims": lambda info, dims, x: ((x * 2, x), (0, 0)),
    "two with one dim": lambda info, dims, x: ((x * 2, x), 0),
}


@pytest.mark.parametrize("rule", BATCH_RULES)
@side_by_side
def test_what_vmap_returns(t, log, rule):
    class Custom(t.autograd.Function):
        @staticmethod
        def forward(x):
            return x * 2

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def vmap(info, in_dims, x):
            log(info.batch_size, info.randomness, in_dims)
            return BATCH_RULES[rule](info, in_dims, x)

    x = t.arange(6.0).reshape(2, 3)

    def first_words(randomness):
        try:
            return t.func.vmap(Custom.apply, randomness=randomness)(x)
        except RuntimeError as error:
            return str(error).partition("out_dims has structure")[0]

    for randomness in ("error", "same", "different"):
        log(first_words(randomness))
