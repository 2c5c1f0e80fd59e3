"""What backward does: into which leaves, in which order, and what it leaves behind."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest

import wengert
from tests.autograd.support import side_by_side

# PyTorch warns of cycles that create_graph makes there.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*reference cycle", "ignore:.*not a leaf"
)


@side_by_side
def test_inputs_argument(t, log):
    x = t.ones(2, requires_grad=True)
    w = t.ones(2, requires_grad=True)
    y = x * w
    z = (y * 2).sum()
    z.backward(inputs=[x], retain_graph=True)
    log(x.grad, w.grad)
    z.backward(inputs=w, retain_graph=True)
    log(x.grad, w.grad)
    z.backward(inputs=[y], retain_graph=True)
    log(y.grad, x.grad)
    log.error(lambda: z.backward(inputs=[], retain_graph=True))
    log.error(lambda: z.backward(inputs=[t.ones(2)], retain_graph=True))
    other = t.ones(2, requires_grad=True)
    z.backward(inputs=[other, x])
    log(other.grad, x.grad)


@side_by_side
def test_unused_inputs(t, log):
    x = t.ones(2, requires_grad=True)
    w = t.ones(2, requires_grad=True)
    y = (x * 2).sum()
    log.error(lambda: t.autograd.grad(y, [x, w], retain_graph=True))
    log(t.autograd.grad(y, [x, w], retain_graph=True, allow_unused=True))
    log(t.autograd.grad(y, [x, w], retain_graph=True, materialize_grads=True))
    log.error(lambda: t.autograd.grad(y, x, materialize_grads=True, allow_unused=False))
    log.error(lambda: t.autograd.grad(y, t.ones(2)))
    log.error(lambda: t.autograd.grad(y, [], retain_graph=True))


@side_by_side
def test_starts_are_checked(t, log):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    c = x * (1 + 1j)
    log.error(lambda: y.backward())
    log.error(lambda: c.sum().backward())
    log.error(lambda: y.backward(t.ones(3)))
    log.error(lambda: y.backward(t.ones(2, dtype=t.complex64)))
    log.error(lambda: y.backward(t.ones(2, dtype=t.float64)))
    log.error(lambda: t.ones(2).sum().backward())
    log.error(lambda: t.autograd.grad(t.ones(()), x))
    log.error(lambda: t.autograd.grad(y, x, "no"))
    log.error(lambda: t.autograd.grad(y, x, [t.ones(2), t.ones(2)]))
    log.error(lambda: t.autograd.backward([y.sum(), t.ones(())]))


@side_by_side
def test_several_roots(t, log):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    z = y * 3
    log(t.autograd.grad([y.sum(), z.sum()], [x, y], retain_graph=True))
    log(t.autograd.grad([y, y], x, [t.ones(2), t.ones(2)], retain_graph=True))
    log(t.autograd.grad([y, x], x, [t.ones(2), t.ones(2)], retain_graph=True))
    t.autograd.backward([y, z], [t.ones(2), None] if False else [t.ones(2)] * 2)
    log(x.grad)


@side_by_side
def test_a_leaf_is_a_root(t, log):
    x = t.ones(2, requires_grad=True)
    start = t.full((2,), 3.0)
    x.backward(start)
    start.mul_(100)
    log(x.grad)
    log(t.autograd.grad(x, x, t.ones(2)))
    log(t.autograd.grad(x, [x, x], t.ones(2)))


@side_by_side
def test_gradients_are_not_shared(t, log):
    x = t.ones(2, requires_grad=True)
    w = t.ones(2, requires_grad=True)
    start = t.ones(2)
    (x + w).backward(start)
    log(x.grad is w.grad, x.grad is start)
    x.grad.mul_(10)
    start.mul_(100)
    log(x.grad, w.grad, start)
    y = x.view(2)
    y.backward(start)
    x.grad.zero_()
    log(start)


@side_by_side
def test_accumulation_is_in_place_without_create_graph(t, log):
    x = t.ones(2, requires_grad=True)
    (x * 2).sum().backward()
    held = x.grad
    (x * 3).sum().backward()
    log(x.grad is held, held, held._version)
    (x * x).sum().backward(create_graph=True)
    log(x.grad is held, held, x.grad)
    log(x.grad.requires_grad)


@side_by_side
def test_a_gradient_that_requires_grad_is_accumulated(t, log):
    x = t.ones(2, requires_grad=True)
    (x * x).sum().backward(create_graph=True)
    (x.grad * 2).sum().backward()
    log(x.grad, x.grad.requires_grad)


@side_by_side
def test_graph_is_freed_once(t, log):
    x = t.ones(2, requires_grad=True)
    y = (x * x).sum()
    y.backward()
    log.error(lambda: y.backward())
    log.error(lambda: t.autograd.grad(y, x))
    z = x + 1
    z.sum().backward()
    z.sum().backward()
    log(x.grad)


@side_by_side
def test_only_the_traversed_part_is_freed(t, log):
    x = t.ones(2, requires_grad=True)
    w = t.ones(2, requires_grad=True)
    a = x * x
    b = w * w
    c = a * b
    t.autograd.grad(c.sum(), b)
    log(t.autograd.grad(b.sum(), w, retain_graph=True))
    log(t.autograd.grad(a.sum(), x, retain_graph=True))
    log.error(lambda: t.autograd.grad(c.sum(), x))


@side_by_side
def test_saved_values_of_a_freed_node(t, log):
    x = t.ones(2, requires_grad=True)
    y = x * x
    log(y.grad_fn._saved_self, y.grad_fn._saved_other is x)
    y.sum().backward()
    log.error(lambda: y.grad_fn._saved_self)
    log.error(lambda: y.grad_fn._saved_nothing)


@side_by_side
def test_saved_values_as_they_are_shown(t, log):
    x = t.ones(2, requires_grad=True)
    node = (x * 3).grad_fn
    log(node._saved_self)
    node = (x * t.full((2,), 2.0)).grad_fn
    log(node._saved_self, node._saved_other)
    y = x.exp()
    log(y.grad_fn._saved_result, y.grad_fn._saved_result.grad_fn is y.grad_fn)
    log(x.sum(0).grad_fn._saved_dim, x.sum(0, True).grad_fn._saved_keepdim)


@side_by_side
def test_the_graph_as_it_is_shown(t, log):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    z = (y + x).sum()
    add = z.grad_fn.next_functions[0][0]
    log(add.name(), [index for _, index in add.next_functions])
    log(add.next_functions[0][0] is y.grad_fn)
    log(add.next_functions[0][0] is add.next_functions[0][0])
    leaf = add.next_functions[1][0]
    log(leaf is y.grad_fn.next_functions[0][0], leaf.variable is x)
    log(x.grad_fn, x.is_leaf, y.is_leaf, t.ones(1).is_leaf, x.output_nr)
    log(repr(z.grad_fn), repr(leaf))


@side_by_side
def test_the_newest_node_runs_first(t, log):
    x = t.ones((), requires_grad=True)
    ys = [x * i for i in range(4)]
    for index, y in enumerate(ys):
        y.register_hook(lambda g, index=index: log(index))
    (ys[2] + ys[0] + (ys[3] + ys[1])).backward()


@side_by_side
def test_gradient_edges_stand_for_tensors(t, log):
    edge_of = t.autograd.graph.get_gradient_edge
    x = t.ones(2, requires_grad=True)
    y = x * 2
    z = (y * y).sum()
    edge = edge_of(y)
    log(edge.node is y.grad_fn, edge.output_nr)
    log(t.autograd.grad(z, edge, retain_graph=True))
    log(t.autograd.grad(z, [edge_of(x), y], retain_graph=True))
    log(t.autograd.grad(edge_of(z), x, retain_graph=True, grad_outputs=t.ones(())))
    t.autograd.backward(z, inputs=[edge_of(x)], retain_graph=True)
    log(x.grad)
    t.autograd.backward(edge_of(y), t.full((2,), 5.0), retain_graph=True)
    log(x.grad)
    a, b = y.split(1)
    edge = edge_of(b)
    log(edge.output_nr, edge.node is b.grad_fn)
    log(t.autograd.grad((a * 2 + b * 3).sum(), [edge, a, edge_of(a)]))
    log.error(lambda: edge_of(t.ones(1)))


@side_by_side
def test_gradient_edges_of_scalars_need_no_gradient(t, log):
    edge_of = t.autograd.graph.get_gradient_edge
    x = t.tensor([1.0, 2.0], requires_grad=True)
    y = (x**3).sum()
    (first,) = t.autograd.grad(edge_of(y), x, create_graph=True)
    log(first, t.autograd.grad([edge_of(first.sum()), y], x, retain_graph=True))
    log(t.autograd.grad([edge_of(y)], [x], [None], retain_graph=True))
    t.autograd.backward([edge_of(y), edge_of(x[1].double())], inputs=[edge_of(x)])
    log(x.grad)
    edge = edge_of(x * x)
    log.error(lambda: t.autograd.grad(edge, x))
    log.error(lambda: t.autograd.grad(edge, x, t.ones(3)))
    log.error(lambda: t.autograd.backward(edge, t.ones(3)))
    z = t.ones(2, dtype=t.complex64, requires_grad=True)
    log.error(lambda: t.autograd.grad(edge_of(z.sum()), z))


def test_an_edge_made_by_hand_does_not_know_the_shape():
    x = wengert.ones(2, requires_grad=True)
    edge = wengert.autograd.graph.GradientEdge((x * 2).sum().grad_fn, 0)
    with pytest.raises(RuntimeError, match="made by hand"):
        wengert.autograd.grad(edge, x)
    (grad,) = wengert.autograd.grad(edge, x, wengert.ones(()))
    assert grad.tolist() == [2.0, 2.0]


@side_by_side
def test_an_exception_leaves_the_graph_usable(t, log):
    class Fails(t.autograd.Function):
        fail = True

        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            if Fails.fail:
                raise ValueError("once")
            return grad

    x = t.ones(2, requires_grad=True)
    y = x * x
    z = Fails.apply(y).sum()
    log.error(lambda: z.backward(retain_graph=True))
    log(x.grad, t.is_grad_enabled())
    Fails.fail = False
    z.backward()
    log(x.grad)


@side_by_side
def test_backward_inside_backward(t, log):
    class Inner(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            with t.enable_grad():
                ctx.inner = x.detach().requires_grad_()
                ctx.result = ctx.inner * ctx.inner
            return ctx.result.detach()

        @staticmethod
        def backward(ctx, grad):
            log("in")
            with t.enable_grad():
                ctx.result.backward(grad)
            log("out", ctx.inner.grad)
            return ctx.inner.grad

    x = t.full((2,), 3.0, requires_grad=True)
    (Inner.apply(Inner.apply(x)) * 2).sum().backward()
    log(x.grad)


@side_by_side
def test_deep_reentrant_backward(t, log):
    class Deep(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            with t.enable_grad():
                ctx.x = x.detach().requires_grad_()
                ctx.next = ctx.x - 1
            return ctx.next.detach()

        @staticmethod
        def backward(ctx, grad):
            if ctx.x.item() < 0:
                return grad
            with t.enable_grad():
                Deep.apply(ctx.next).sum().backward()
            return grad

    x = t.full((1,), 60.0, requires_grad=True)
    Deep.apply(x).sum().backward()
    log(x.grad)


@side_by_side
def test_undefined_gradients_flow_through_sums(t, log):
    class Picky(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            return x * 2, w * 3

        @staticmethod
        def backward(ctx, gx, gw):
            log(gx, gw)
            return gx * 2, None

    x = t.ones(2, requires_grad=True)
    w = t.ones(2, requires_grad=True)
    a, b = Picky.apply(x, w)
    a.sum().backward()
    log(x.grad, w.grad)
    a, b = Picky.apply(x, w)
    log(t.autograd.grad((a + b).sum(), [x, w], allow_unused=True))


@side_by_side
def test_grad_outputs_of_none(t, log):
    x = t.ones((), requires_grad=True)
    log(t.autograd.grad([x * 2, x * 3], x, [None, t.full((), 5.0)]))
    t.autograd.backward([x * 2, x * 3], [None, None])
    log(x.grad)


@side_by_side
def test_second_derivatives(t, log):
    x = t.tensor([1.0, 2.0], requires_grad=True)
    (g,) = t.autograd.grad((x**3).sum(), x, create_graph=True)
    (h,) = t.autograd.grad(g.sum(), x, create_graph=True)
    (k,) = t.autograd.grad(h.sum(), x)
    log(g, h, k)
    y = (x**3).sum()
    y.backward(create_graph=True)
    log(x.grad)
    (x.grad * x).sum().backward()
    log(x.grad)


@side_by_side
def test_assigning_grad(t, log):
    x = t.ones(2, requires_grad=True)

    def assign(value):
        x.grad = value

    log.error(lambda: assign(t.ones(3)))
    log.error(lambda: assign(3.0))
    log.error(lambda: assign(x))
    assign(t.ones(2))
    (x * 2).sum().backward()
    log(x.grad)
    del x.grad
    log(x.grad)
    assign(t.ones(2))
    x.grad = None
    log(x.grad)


@side_by_side
def test_setting_requires_grad(t, log):
    x = t.ones(2)
    log.error(lambda: t.ones(2, dtype=t.int64).requires_grad_())
    x.requires_grad = True
    y = x * 2
    log.error(lambda: y.requires_grad_(False))
    log(y.requires_grad_().requires_grad)

    def set_to(value):
        x.requires_grad = value

    log.error(lambda: set_to("yes"))
    x.requires_grad_(False)
    log(x.requires_grad, (x * 2).requires_grad)
    y.sum().backward()
    log(x.grad)


@side_by_side
def test_a_leaf_that_stops_requiring_grad_keeps_its_hooks(t, log):
    x = t.ones(2, requires_grad=True)
    x.register_hook(lambda g: log("hook"))
    x.requires_grad_(False)
    x.requires_grad_(True)
    (x * 2).sum().backward()
    log(x.grad)


@side_by_side
def test_create_graph_and_retain_graph(t, log):
    x = t.ones(2, requires_grad=True)
    y = (x * x).sum()
    y.backward(create_graph=True)
    y.backward(retain_graph=False)
    log.error(lambda: y.backward())
    y = (x * x).sum()
    y.backward(create_graph=True, retain_graph=False)
    log.error(lambda: y.backward())


@side_by_side
def test_is_grads_batched(t, log):
    x = t.ones(2, requires_grad=True)
    y = x * 3
    log(t.autograd.grad(y, x, t.eye(2), is_grads_batched=True, retain_graph=True))
    with pytest.raises(RuntimeError, match="first dimension of each grad_output"):
        t.autograd.grad(y, x, t.ones(3, 3), is_grads_batched=True)


@side_by_side
def test_sequence_numbers_grow(t, log):
    x = t.ones(2, requires_grad=True)
    a = x * 2
    b = x * 3
    log(b.grad_fn._sequence_nr() > a.grad_fn._sequence_nr())


def chain(length: int) -> wengert.Tensor:
    x = wengert.ones((), requires_grad=True)
    y = x
    for _ in range(length):
        y = y * 1.0
    y.backward()
    return x.grad


def test_a_long_chain():
    assert chain(200_000).item() == 1.0


def test_backward_from_several_threads():
    x = wengert.ones(100, requires_grad=True)
    shared = x * 2

    def work() -> None:
        for _ in range(20):
            (shared * 3).sum().backward(retain_graph=True)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(x.grad.numpy(), np.full(100, 80 * 6.0))


def test_no_cycle_outlives_a_graph_with_create_graph():
    x = wengert.ones(2, requires_grad=True)
    (x * x).sum().backward(create_graph=True)
    seen = weakref.ref(x)
    del x
    gc.collect()
    assert seen() is None


def count_after(build):
    """How many tensors an expression leaves behind without the garbage collector."""
    gc.collect()
    gc.disable()
    try:
        before = sum(type(o) is wengert.Tensor for o in gc.get_objects())
        build()
        return sum(type(o) is wengert.Tensor for o in gc.get_objects()) - before
    finally:
        gc.enable()


class Double(wengert.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = x * 2
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, grad):
        _, y = ctx.saved_tensors
        return grad * 2 + y * 0


def views_in_place(x):
    y = x * 1
    view = y[:1]
    view.mul_(2)
    return y * view.sum()


@pytest.mark.parametrize(
    "program",
    [
        lambda x: x.exp() * x,
        lambda x: x.split(1)[0] * 2,
        Double.apply,
        views_in_place,
        lambda x: (x * 1).mul_(2).tanh_(),
    ],
)
@pytest.mark.parametrize("backward", [False, True])
def test_reference_counts_free_a_graph(program, backward):
    x = wengert.ones(2, requires_grad=True)

    def build() -> None:
        y = program(x)
        if backward:
            y.sum().backward()
            x.grad = None

    build()
    assert count_after(build) == 0


def test_a_leaf_nobody_holds_is_skipped():
    y = wengert.ones(2, requires_grad=True) * 2
    y.sum().backward()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_the_first_gradient_is_one_whatever_the_output(value):
    def gradient(x):
        return wengert.autograd.grad((x * 2).sum(), x)[0]

    x = wengert.tensor([value, 1.0], requires_grad=True)
    batched = wengert.func.vmap(wengert.func.grad(lambda x: (x * 2).sum()))
    for found in (gradient(x), wengert.compile(gradient)(x), batched(x.detach()[None])):
        assert (found == 2).all()


@side_by_side
def test_calling_a_node(t, log):
    x, w = t.ones(2, 3, requires_grad=True), t.ones(3, requires_grad=True)
    y, parts = x * w, x.unbind(0)
    g = t.full((2, 3), 2.0)
    log(y.grad_fn(g), x.sum().grad_fn(g[0, 0]), (x * 2).grad_fn(g))
    log(x.max(0)[0].grad_fn(g[0]), parts[0].grad_fn(g[0], None))
    with t.no_grad():
        log(y.grad_fn(g))
    y.grad_fn.register_prehook(lambda grads: log("not run"))
    log(y.grad_fn(g))
    for wrong in ((3,), (), (g, g)):
        log.error(lambda wrong=wrong: y.grad_fn(*wrong))
    y.sum().backward()
    log.error(lambda: y.grad_fn(g))
    log(
        t.autograd.graph.get_gradient_edge(w).node(g[0]),
        w.grad,
        y.grad_fn.requires_grad,
    )


@side_by_side
def test_what_a_node_says_of_its_gradients(t, log):
    class Both(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.sum(), x.double()

        @staticmethod
        def backward(ctx, one, other):
            return None

    x = t.ones(2, 3, requires_grad=True)
    parts = x.unbind(0)
    log(parts[1].grad_fn.name())
    edge = t.autograd.graph.get_gradient_edge
    made = (x * 2, x.double(), x.max(0)[0], parts[0], Both.apply(x)[0])
    for node in (edge(x).node, *[tensor.grad_fn for tensor in made]):
        for one in node._input_metadata:
            log(list(one.shape), one.dtype, str(one.device))
            log(one.is_nested_tensor, one.is_cpp_nested_tensor)


def test_a_node_that_was_not_asked_for_its_result_says_so():
    y = (wengert.ones(2, requires_grad=True) * 2).exp()
    (node, _), *_ = y.grad_fn.next_functions
    with pytest.raises(NotImplementedError, match="does not know the shapes"):
        node._input_metadata
