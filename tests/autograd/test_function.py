"""Custom functions, in both styles, and what they may return, save, mark and raise."""

from __future__ import annotations

import gc
import weakref

import pytest

import wengert
from tests.autograd.support import side_by_side

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*reference cycle", "ignore:.*not a leaf"
)


def function(t, forward, backward=None, **methods):
    """Return a Function of a library with these static methods."""
    members = {"forward": forward, "backward": backward, **methods}
    return type(
        "Mine",
        (t.autograd.Function,),
        {key: staticmethod(value) for key, value in members.items() if value},
    )


def leaf(t, *values):
    return t.tensor([float(v) for v in values], requires_grad=True)


@side_by_side
def test_saving_inputs_and_outputs(t, log):
    def forward(ctx, x, w, scale):
        y = x * w * scale
        ctx.save_for_backward(x, w, y)
        ctx.scale = scale
        return y

    def backward(ctx, grad):
        x, w, y = ctx.saved_tensors
        log(x, w, y, y.grad_fn is None, ctx.needs_input_grad)
        return grad * w * ctx.scale, grad * x * ctx.scale, None

    mine = function(t, forward, backward)
    x, w = leaf(t, 1, 2), leaf(t, 3, 4)
    y = mine.apply(x, w, 2.0)
    log(y, y.grad_fn, y.grad_fn.name(), y.grad_fn.scale, y.grad_fn.saved_tensors)
    log([(n, i) for n, i in y.grad_fn.next_functions])
    y.sum().backward()
    log(x.grad, w.grad)
    log.error(lambda: y.sum().backward())
    log.error(lambda: y.grad_fn.saved_tensors)
    log(mine.apply(x.detach(), w.detach(), 2.0))
    with t.no_grad():
        log(mine.apply(x, w, 2.0))


@side_by_side
def test_setup_context(t, log):
    def forward(x, w):
        return x * w, (x * w).sum()

    def setup(ctx, inputs, output):
        x, w = inputs
        log(len(output), output[0].requires_grad)
        ctx.save_for_backward(x, w)

    def backward(ctx, grad, total):
        x, w = ctx.saved_tensors
        return (grad + total) * w, (grad + total) * x

    mine = function(t, forward, backward, setup_context=setup)
    x, w = leaf(t, 1, 2), leaf(t, 3, 4)
    y, total = mine.apply(x, w)
    (y.sum() * 2 + total).backward()
    log(x.grad, w.grad, y.grad_fn is total.grad_fn, y.output_nr, total.output_nr)


@side_by_side
def test_double_backward(t, log):
    def forward(ctx, x):
        y = x**3
        ctx.save_for_backward(x, y)
        return y

    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return grad * 3 * y / x

    mine = function(t, forward, backward)
    x = leaf(t, 1, 2)
    (g,) = t.autograd.grad(mine.apply(x).sum(), x, create_graph=True)
    (h,) = t.autograd.grad(g.sum(), x, create_graph=True)
    (k,) = t.autograd.grad(h.sum(), x)
    log(g, h, k)


@side_by_side
def test_double_backward_with_several_outputs_saved(t, log):
    def forward(ctx, x):
        a, b = x.exp(), x.sin()
        ctx.save_for_backward(x, a, b)
        return a, b

    def backward(ctx, ga, gb):
        x, a, b = ctx.saved_tensors
        return ga * a + gb * x.cos() + gb * 0 * b

    mine = function(t, forward, backward)
    x = leaf(t, 1, 2)
    a, b = mine.apply(x)
    (g,) = t.autograd.grad((a * b).sum(), x, create_graph=True)
    (h,) = t.autograd.grad(g.sum(), x)
    log(g, h)


@side_by_side
def test_materialised_gradients(t, log):
    def forward(ctx, x):
        ctx.set_materialize_grads(materialize)
        return x * 2, x * 3

    def backward(ctx, a, b):
        log(a, b)
        return None if a is None else a * 2

    x = leaf(t, 1, 2)
    for materialize in (True, False):  # noqa: B007 (forward reads it)
        mine = function(t, forward, backward)
        a, b = mine.apply(x)
        a.sum().backward()
        a, b = mine.apply(x)
        b.sum().backward()
        log(x.grad)


@side_by_side
def test_outputs_without_gradient(t, log):
    def forward(ctx, x):
        indices = x.argmax()
        mask = x * 0 + 1
        ctx.mark_non_differentiable(mask)
        return x * 2, indices, mask, "text", None, 3

    def backward(ctx, *grads):
        log(grads)
        return grads[0] * 2

    mine = function(t, forward, backward)
    x = leaf(t, 1, 2)
    outputs = mine.apply(x)
    log(outputs)
    log([o.grad_fn for o in outputs[:3]])
    outputs[0].sum().backward()
    log(x.grad)


@side_by_side
def test_integer_outputs_get_gradients_of_zeros(t, log):
    def forward(ctx, x):
        y, index = x.sort()
        ctx.mark_non_differentiable(index)
        ctx.save_for_backward(index)
        return y, index

    def backward(ctx, grad, none):
        (index,) = ctx.saved_tensors
        log(none)
        return t.zeros(3).scatter(0, index, grad)

    mine = function(t, forward, backward)
    x = leaf(t, 3, 1, 2)
    y, index = mine.apply(x)
    log(y, index)
    (y * t.arange(3.0)).sum().backward()
    log(x.grad)


COUNTS = {
    "too few": lambda g: (g,),
    "too many": lambda g: (g, g, g),
    "none more": lambda g: (g, g, None, None),
    "one": lambda g: g,
    "list": lambda g: [g, g],
    "number": lambda g: (g, 3.0),
    "nothing": lambda g: None,
    "nones": lambda g: (None, None),
    "wrong shape": lambda g: (g[:1].expand(3), g),
    "broadcast": lambda g: (g.expand(4, 2), g),
    "cast": lambda g: (g.double(), g),
    "smaller": lambda g: (g[:1], g),
    "scalar": lambda g: (g.sum(), g),
}


@pytest.mark.parametrize("returned", COUNTS)
@side_by_side
def test_what_backward_returns(t, log, returned):
    mine = function(t, lambda ctx, x, w: x + w, lambda ctx, g: COUNTS[returned](g))
    x, w = leaf(t, 1, 2), leaf(t, 3, 4)
    log.error(lambda: mine.apply(x, w).sum().backward())
    log(x.grad, w.grad)


@side_by_side
def test_gradients_for_what_is_no_tensor(t, log):
    mine = function(t, lambda ctx, x, k: x * k, lambda ctx, g: (g * 3, g))
    x = leaf(t, 1, 2)
    log.error(lambda: mine.apply(x, 3.0).sum().backward())
    w = t.ones(2)
    mine.apply(x, w).sum().backward()
    log(x.grad, w.grad)


@side_by_side
def test_returning_an_input(t, log):
    mine = function(t, lambda ctx, x: x, lambda ctx, g: g * 5)
    x = leaf(t, 1, 2)
    y = mine.apply(x)
    log(y is x, y._is_view(), y._base is x, y.grad_fn)
    y.sum().backward()
    log(x.grad)
    log.error(lambda: mine.apply(x).mul_(2))
    z = x * 1
    log.error(lambda: mine.apply(z).mul_(2))
    w = t.ones(2)
    y = mine.apply(w)
    log(y is w, y.requires_grad, y._is_view())
    with t.no_grad():
        y = mine.apply(x)
        log(y is x, y.requires_grad, y._is_view())


@side_by_side
def test_returning_a_view_of_an_input(t, log):
    mine = function(t, lambda ctx, x: x.view(-1)[:1], lambda ctx, g: g.expand(2) * 3)
    x = leaf(t, 1, 2)
    z = x * 1
    y = mine.apply(z)
    log(y, y._is_view(), y.grad_fn)
    y.sum().backward()
    log(x.grad)
    log.error(lambda: y.mul_(2))
    z.mul_(2)
    log.error(lambda: y.grad_fn)


@side_by_side
def test_mark_dirty(t, log):
    def forward(ctx, x, k):
        ctx.mark_dirty(x)
        x.mul_(k)
        ctx.k = k
        return x

    mine = function(t, forward, lambda ctx, g: (g * ctx.k, None))
    x = leaf(t, 1, 2)
    log.error(lambda: mine.apply(x, 3.0))
    z = x * 1
    w = mine.apply(z, 3.0)
    log(w is z, z.grad_fn, z)
    (z * z).sum().backward()
    log(x.grad)
    plain = t.ones(2)
    log(mine.apply(plain, 2.0) is plain, plain)


@side_by_side
def test_mark_dirty_on_a_view(t, log):
    def forward(ctx, x, w):
        ctx.mark_dirty(x)
        ctx.save_for_backward(x.clone(), w)
        x.mul_(w)
        return x

    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g * w, g * x

    mine = function(t, forward, backward)
    x, w = leaf(t, 1, 2, 3), leaf(t, 5, 7)
    z = x * 1
    view = z[1:]
    out = mine.apply(view, w)
    log(out is view, z, z.grad_fn, view)
    (z * z).sum().backward()
    log(x.grad, w.grad)
    log.error(lambda: mine.apply(x[1:], w))
    with t.no_grad():
        mine.apply(x[1:], w)
    log(x)


@side_by_side
def test_saved_tensors_are_checked(t, log):
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x * w

    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g * w, g * x

    mine = function(t, forward, backward)
    x, c = leaf(t, 1, 2), t.ones(2)
    z = x * 1
    y = mine.apply(z, c)
    c.add_(1)
    log.error(lambda: y.sum().backward())
    y = mine.apply(z, c)
    z.add_(1)
    log.error(lambda: y.sum().backward())

    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    mine = function(t, forward, lambda ctx, g: g * ctx.saved_tensors[0])
    y = mine.apply(x)
    y.mul_(2)
    log.error(lambda: y.sum().backward())


@side_by_side
def test_what_save_for_backward_takes(t, log):
    def run(*saved):
        def forward(ctx, x):
            ctx.save_for_backward(*saved)
            return x * 1

        def backward(ctx, g):
            log(ctx.saved_tensors)
            return g

        x = leaf(t, 1)
        function(t, forward, backward).apply(x).sum().backward()

    log.error(lambda: run(3.0))
    log.error(lambda: run(None, t.ones(1), None))
    log.error(lambda: run())


@side_by_side
def test_saved_under_hooks(t, log):
    def forward(ctx, x, w):
        y = x * w
        ctx.save_for_backward(x, w, y, None)
        return y

    def backward(ctx, g):
        x, w, y, none = ctx.saved_tensors
        log(x, w, y, none, y.requires_grad)
        return g * w, g * x

    mine = function(t, forward, backward)
    x, w = leaf(t, 1, 2), leaf(t, 3, 4)
    packed = []

    def pack(tensor):
        log("pack", tensor.detach())
        packed.append(tensor)
        return len(packed) - 1

    def unpack(index):
        log("unpack", index)
        return packed[index]

    with t.autograd.graph.saved_tensors_hooks(pack, unpack):
        y = mine.apply(x, w)
    y.sum().backward()
    log(x.grad, w.grad)


@side_by_side
def test_once_differentiable(t, log):
    once = t.autograd.function.once_differentiable
    mine = function(t, lambda ctx, x: x * x, once(lambda ctx, g: g * 2))
    x = leaf(t, 1, 2)
    (g,) = t.autograd.grad(mine.apply(x).sum(), x, create_graph=True)
    log(g)
    (g,) = t.autograd.grad((mine.apply(x) ** 2).sum(), x, create_graph=True)
    log(g)
    log.error(lambda: g.sum().backward())


@side_by_side
def test_missing_methods(t, log):
    x = leaf(t, 1)
    log.error(lambda: function(t, None, lambda ctx, g: g).apply(x))
    log.error(lambda: function(t, lambda ctx, x: x * 1).apply(x).sum().backward())
    both = function(t, lambda ctx, x: x * 1, lambda ctx, g: g)
    both.vjp = staticmethod(lambda ctx, g: g)
    log.error(lambda: both.apply(x).sum().backward())
    only = function(t, lambda ctx, x: x * 1)
    only.vjp = staticmethod(lambda ctx, g: g * 2)
    only.apply(x).sum().backward()
    log(x.grad)


@side_by_side
def test_containers_are_not_looked_into(t, log):
    def forward(ctx, x, pair, options):
        ctx.w = pair[0]
        return x * pair[0] + options["b"]

    mine = function(t, forward, lambda ctx, g: (g * ctx.w, None, None))
    x, w, b = leaf(t, 1, 2), leaf(t, 3, 4), leaf(t, 5, 6)
    y = mine.apply(x, (w, 3), {"b": b})
    log(y)
    y.sum().backward()
    log(x.grad, w.grad, b.grad)


@side_by_side
def test_returning_containers(t, log):
    x = leaf(t, 1, 2)
    log.error(lambda: function(t, lambda c, x: [x * 2, 3], lambda c, *g: g[0]).apply(x))
    log.error(lambda: function(t, lambda c, x: {"a": x}, lambda c, *g: g[0]).apply(x))
    log.error(lambda: function(t, lambda c, x: (x * 2,), lambda c, g: g).apply(x))
    log.error(lambda: function(t, lambda c, x: (), lambda c: None).apply(x))
    log.error(lambda: function(t, lambda c, x: None, lambda c, g: None).apply(x))


@side_by_side
def test_unused_inputs_of_backward(t, log):
    def backward(ctx, g):
        log(ctx.needs_input_grad)
        return g if ctx.needs_input_grad[0] else None, g

    mine = function(t, lambda ctx, x, w: x + w, backward)
    x, w = leaf(t, 1), leaf(t, 2)
    mine.apply(x, w).sum().backward()
    mine.apply(x.detach(), w).sum().backward()
    y = mine.apply(x, w)
    log(t.autograd.grad(y, w, t.ones(1)))


@side_by_side
def test_exceptions(t, log):
    def fail(*args):
        raise KeyError("mine")

    x = leaf(t, 1)
    log.error(lambda: function(t, fail, None).apply(x))
    log(t.is_grad_enabled())
    y = function(t, lambda ctx, x: x * 1, fail).apply(x)
    log.error(lambda: y.sum().backward())
    log(t.is_grad_enabled())


@side_by_side
def test_grad_mode_inside(t, log):
    def forward(ctx, x):
        log(t.is_grad_enabled(), (x * 2).requires_grad, x.requires_grad)
        return x * 2

    def backward(ctx, g):
        log(t.is_grad_enabled(), g.requires_grad)
        return g * 2

    mine = function(t, forward, backward)
    x = leaf(t, 1)
    mine.apply(x).sum().backward()
    (mine.apply(x) ** 2).sum().backward(create_graph=True)


@side_by_side
def test_the_same_tensor_twice(t, log):
    mine = function(t, lambda ctx, x, w: x * w, lambda ctx, g: (g * 2, g * 3))
    x = leaf(t, 1, 2)
    mine.apply(x, x).sum().backward()
    log(x.grad)
    twice = function(t, lambda ctx, x: (lambda y: (y, y))(x * 2), lambda c, a, b: a + b)
    a, b = twice.apply(x)
    log(a is b, a.output_nr, b.output_nr)


@side_by_side
def test_attributes_of_the_context(t, log):
    def forward(ctx, x):
        ctx.note = "kept"
        ctx.to_save_later = [1, 2]
        return x * 1

    def backward(ctx, g):
        log(ctx.note, ctx.to_save_later, ctx.name(), type(ctx))
        return g

    mine = function(t, forward, backward)
    x = leaf(t, 1)
    y = mine.apply(x)
    log(y.grad_fn.note, repr(y), repr(y.grad_fn))
    y.sum().backward()
    log.error(lambda: y.grad_fn.missing)


@side_by_side
def test_keyword_arguments(t, log):
    mine = function(t, lambda ctx, x, k=2: x * k, lambda ctx, g: (g, None))
    x = leaf(t, 1)
    log(mine.apply(x).grad_fn)
    log.error(lambda: mine.apply(x, k=3))


@side_by_side
def test_hooks_on_a_custom_node(t, log):
    mine = function(t, lambda ctx, x: (x * 2, x * 3), lambda ctx, a, b: a + b)
    x = leaf(t, 1)
    a, b = mine.apply(x)
    a.register_hook(lambda g: log("a", g))
    b.register_hook(lambda g: log("b", g))
    a.grad_fn.register_prehook(lambda o: log("pre", o))
    a.grad_fn.register_hook(lambda i, o: log("post", i, o))
    (a + b).sum().backward()


@side_by_side
def test_dtypes_of_gradients(t, log):
    mine = function(t, lambda ctx, x: x.double(), lambda ctx, g: g)
    x = leaf(t, 1, 2)
    log(t.autograd.grad(mine.apply(x).sum(), x))


@side_by_side
def test_under_enable_grad_inside_forward(t, log):
    def forward(ctx, x):
        with t.enable_grad():
            inner = x.detach().requires_grad_()
            result = inner * inner
            (g,) = t.autograd.grad(result.sum(), inner)
        ctx.save_for_backward(g)
        return result.detach()

    mine = function(t, forward, lambda ctx, g: g * ctx.saved_tensors[0])
    x = leaf(t, 1, 2)
    mine.apply(x).sum().backward()
    log(x.grad)


@side_by_side
def test_output_that_requires_grad_by_itself(t, log):
    w = leaf(t, 5, 6)

    def forward(ctx, x):
        with t.enable_grad():
            return w * x

    mine = function(t, forward, lambda ctx, g: g * 7)
    x = leaf(t, 1, 2)
    y = mine.apply(x)
    log(y.grad_fn)
    y.sum().backward()
    log(x.grad, w.grad)


def test_a_function_frees_its_inputs():
    class Keep(wengert.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    x = wengert.ones(2, requires_grad=True)
    big = x * 1
    y = Keep.apply(big)
    seen = weakref.ref(big)
    del big
    assert seen() is not None
    y.sum().backward()
    gc.collect()
    assert seen() is None


@side_by_side
def test_marks_that_do_not_fit(t, log):
    class Forgets(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad

    class Writes(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x, y * 3

        @staticmethod
        def backward(ctx, first, second):
            return first * 2, second * 3

    x = t.ones(2, requires_grad=True)
    log.error(lambda: Forgets.apply(x * 1))
    log.error(lambda: Writes.apply((x * 1)[:1], x))
    a, b = Writes.apply(x * 1, x)
    (a.sum() + b.sum()).backward()
    log(x.grad)


@side_by_side
def test_writing_to_one_of_several_returned_inputs(t, log):
    class Passes(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x, y * 2

        @staticmethod
        def backward(ctx, first, second):
            return first * 3, second * 2

    x, y = t.ones(2, requires_grad=True), t.ones(2, requires_grad=True)
    a, _ = Passes.apply(x, y)
    log.error(lambda: a.add_(1))
