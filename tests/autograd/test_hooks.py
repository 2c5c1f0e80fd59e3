"""Hooks on tensors and nodes: when they run, in which order, what they may do."""

from __future__ import annotations

import gc
import weakref

import pytest

import wengert
from tests.autograd.support import side_by_side


@side_by_side
def test_order_on_a_leaf(t, log):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    node = y.grad_fn.next_functions[0][0]
    node.register_hook(lambda i, o: log("node post", i, o))
    x.register_post_accumulate_grad_hook(lambda p: log("post accumulate", p.grad))
    node.register_prehook(lambda o: log("node pre", o))
    x.register_hook(lambda g: log("tensor 1", g))
    x.register_hook(lambda g: log("tensor 2", g))
    y.sum().backward()
    log("again")
    (x * 3).sum().backward()


@side_by_side
def test_order_on_an_interior_tensor(t, log):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    y.grad_fn.register_hook(lambda i, o: log("node post", i, o))
    y.retain_grad()
    y.grad_fn.register_prehook(lambda o: log("node pre", o))
    y.register_hook(lambda g: log("tensor 1", g) or g * 10)
    y.register_hook(lambda g: log("tensor 2", g) or g + 1)
    y.sum().backward()
    log(y.grad, x.grad)


@side_by_side
def test_retained_gradient_is_the_one_after_hooks(t, log):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.sum().backward()
    log(y.grad, y.retains_grad, x.retains_grad)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.sum().backward()
    log(y.grad)


@side_by_side
def test_replacing_gradients_on_nodes(t, log):
    x = t.ones(2, requires_grad=True)
    w = t.ones(2, requires_grad=True)
    y = x * w
    y.grad_fn.register_prehook(lambda o: (o[0] * 3,))
    y.grad_fn.register_hook(lambda i, o: (i[0] * 5, None))
    y.sum().backward()
    log(x.grad, w.grad)


@side_by_side
def test_handles(t, log):
    x = t.ones(2, requires_grad=True)
    first = x.register_hook(lambda g: log("first"))
    second = x.register_hook(lambda g: log("second"))
    x.sum().backward()
    first.remove()
    first.remove()
    x.sum().backward()
    with second:
        x.sum().backward()
    x.sum().backward()
    log(x.grad)


@side_by_side
def test_a_hook_that_removes_itself(t, log):
    x = t.ones(2, requires_grad=True)
    handles = []

    def once(grad):
        log("once")
        handles[0].remove()

    handles.append(x.register_hook(once))
    x.register_hook(lambda g: log("other"))
    x.sum().backward()
    x.sum().backward()


@side_by_side
def test_registering_is_refused(t, log):
    x = t.ones(2)
    log.error(lambda: x.register_hook(print))
    log.error(lambda: x.register_post_accumulate_grad_hook(print))
    log.error(lambda: x.retain_grad())
    x.requires_grad_()
    log.error(lambda: (x * 2).register_post_accumulate_grad_hook(print))
    x.retain_grad()
    log(x.retains_grad)


@side_by_side
def test_what_a_hook_may_not_return(t, log):
    def run(hook):
        x = t.ones(2, requires_grad=True)
        y = x * 2
        y.register_hook(hook)
        y.sum().backward()

    log.error(lambda: run(lambda g: 3.0))
    log.error(lambda: run(lambda g: g[:1]))
    log.error(lambda: run(lambda g: g.double()))


@side_by_side
def test_what_a_node_hook_may_not_return(t, log):
    def run(register, hook):
        x = t.ones(2, requires_grad=True)
        w = t.ones(2, requires_grad=True)
        y = x * w
        getattr(y.grad_fn, register)(hook)
        y.sum().backward()

    log.error(lambda: run("register_hook", lambda i, o: (i[0],)))
    log.error(lambda: run("register_hook", lambda i, o: (3.0, None)))
    log.error(lambda: run("register_prehook", lambda o: (o[0], o[0])))


@side_by_side
def test_an_exception_in_a_hook_leaves_the_graph_usable(t, log):
    x = t.ones(2, requires_grad=True)
    y = x * x

    def fail(grad):
        raise ValueError("from the hook")

    handle = y.register_hook(fail)
    z = y.sum()
    log.error(lambda: z.backward(retain_graph=True))
    handle.remove()
    z.backward()
    log(x.grad)


@side_by_side
def test_hooks_and_retain_grad_across_in_place(t, log):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: log("before the write", g))
    y.retain_grad()
    y.mul_(3)
    y.register_hook(lambda g: log("after the write", g))
    log(y.retains_grad)
    y.sum().backward()
    log(y.grad, x.grad)


@side_by_side
def test_retain_grad_of_a_base_written_through_a_view(t, log):
    x = t.ones(3, requires_grad=True)
    y = x * 2
    y.retain_grad()
    view = y[:2]
    view.mul_(5)
    y.sum().backward()
    log(y.grad, x.grad)


@side_by_side
def test_retain_grad_of_a_view_and_then_a_write_to_the_base(t, log):
    x = t.ones(3, requires_grad=True)
    y = x * 2
    view = y[:2]
    view.retain_grad()
    view.register_hook(lambda g: log("hook", g))
    y.mul_(5)
    (view * 7).sum().backward()
    log(view.grad, x.grad)


@side_by_side
def test_hooks_with_grad(t, log):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    x.register_hook(lambda g: log("x", g) or g * 10)
    y.register_hook(lambda g: log("y", g) or g * 10)
    x.register_post_accumulate_grad_hook(lambda p: log("post"))
    y.grad_fn.register_hook(lambda i, o: log("node", i, o))
    node = y.grad_fn.next_functions[0][0]
    node.register_hook(lambda i, o: log("leaf node", i, o))
    node.register_prehook(lambda o: log("leaf node pre", o))
    z = y.sum()
    log(t.autograd.grad(z, x, retain_graph=True))
    log(t.autograd.grad(z, y, retain_graph=True))
    log(t.autograd.grad(z, [x, y], retain_graph=True))
    z.backward(inputs=[y], retain_graph=True)
    log(y.grad, x.grad)
    z.backward(inputs=[x])
    log(x.grad)


@side_by_side
def test_prehooks_of_captured_nodes(t, log):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.grad_fn.register_prehook(lambda o: log("pre", o) or (o[0] * 10,))
    z = y.sum()
    log(t.autograd.grad(z, y, retain_graph=True))
    log(t.autograd.grad(z, x, retain_graph=True))
    log(y.grad)


@side_by_side
def test_multi_grad_hooks(t, log):
    x = t.ones(2, requires_grad=True)
    w = t.ones(2, requires_grad=True)
    y = x * 2
    v = w * 3
    handle = t.autograd.graph.register_multi_grad_hook(
        [x, y, w, v], lambda grads: log("all", grads)
    )
    (y * 2).sum().backward(retain_graph=True)
    (y + v).sum().backward(retain_graph=True)
    handle.remove()
    (y + v).sum().backward(retain_graph=True)
    seen = []
    handle = t.autograd.graph.register_multi_grad_hook(
        [x, y, w, v], lambda grad: seen.append(grad), mode="any"
    )
    (y + v).sum().backward(retain_graph=True)
    (y + v).sum().backward()
    log(len(seen))
    log.error(lambda: t.autograd.graph.register_multi_grad_hook([x], print, mode="no"))


@side_by_side
def test_hook_sees_the_sum_of_all_contributions(t, log):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: log("y", g))
    (y + y * 3 + y.exp() * 0).sum().backward()
    log(x.grad)


@side_by_side
def test_hooks_under_create_graph(t, log):
    x = t.ones(2, requires_grad=True)
    y = x * x
    y.register_hook(lambda g: log(g.requires_grad) or g * x)
    (g,) = t.autograd.grad(y.sum(), x, create_graph=True)
    log(g)
    (h,) = t.autograd.grad(g.sum(), x)
    log(h)


@side_by_side
def test_several_outputs(t, log):
    x = t.arange(4.0, requires_grad=True)
    a, b = x.split(2)
    a.register_hook(lambda g: log("a", g) or g * 10)
    b.register_hook(lambda g: log("b", g))
    a.grad_fn.register_prehook(lambda o: log("pre", o))
    a.grad_fn.register_hook(lambda i, o: log("post", i, o))
    (a * 2 + b).sum().backward()
    log(x.grad, a.output_nr, b.output_nr, a.grad_fn is b.grad_fn)


@side_by_side
def test_hooks_where_no_gradient_arrives(t, log):
    class Nothing(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            return None

    x = t.ones(2, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: log("y", g))
    x.register_hook(lambda g: log("x", g))
    x.register_post_accumulate_grad_hook(lambda p: log("post", p.grad))
    y.grad_fn.register_prehook(lambda o: log("pre", o))
    y.grad_fn.register_hook(lambda i, o: log("node", i, o))
    y.retain_grad()
    Nothing.apply(y).sum().backward()
    log(x.grad, y.grad)
    y = x * 2
    y.register_hook(lambda g: t.ones(2))
    log.error(lambda: Nothing.apply(y).sum().backward())


@side_by_side
def test_node_hooks_see_gradients_as_the_inputs_have_them(t, log):
    x = t.ones(3, 2, requires_grad=True)
    w = t.ones(2, requires_grad=True)
    y = x * w
    y.grad_fn.register_hook(lambda i, o: log(i, o))
    y.sum().backward()


@side_by_side
def test_post_accumulate_hook_may_clear_the_gradient(t, log):
    x = t.ones(2, requires_grad=True)

    def step(parameter):
        log(parameter.grad)
        parameter.grad = None

    handle = x.register_post_accumulate_grad_hook(step)
    (x * 3).sum().backward()
    log(x.grad)
    handle.remove()
    (x * 3).sum().backward()
    log(x.grad)


@side_by_side
def test_reentrant_backward_in_a_hook(t, log):
    x = t.ones(2, requires_grad=True)
    w = t.ones(2, requires_grad=True)

    def inner(grad):
        log("before")
        with t.enable_grad():
            (w * 2).sum().backward()
        log("after", w.grad)

    y = x * 2
    y.register_hook(inner)
    y.sum().backward()
    log(x.grad, w.grad)


@side_by_side
def test_metadata_and_names(t, log):
    x = t.ones(2, requires_grad=True)
    node = (x * 2).grad_fn
    log(node.name(), node.metadata)
    node.metadata["mine"] = 1
    log(node.metadata)
    leaf = node.next_functions[0][0]
    log(leaf.name(), leaf.variable is x, node.next_functions[1])


def test_a_node_that_gets_hooks_keeps_its_class_name():
    x = wengert.ones(2, requires_grad=True)
    y = x * 2
    y.register_hook(print)
    assert y.grad_fn.name() == "MulBackward0"
    assert repr(y.grad_fn).startswith("<MulBackward0 object")


def test_hooks_do_not_keep_what_they_need_alive():
    x = wengert.ones(2, requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda grad: grad)
    y.sum().backward()
    seen = weakref.ref(y)
    del y
    gc.collect()
    assert seen() is None


@pytest.mark.parametrize("kind", ["tensor", "leaf"])
@side_by_side
def test_gradient_given_to_a_hook_may_be_written_to(t, log, kind):
    def write(grad):
        grad.mul_(10)

    x = t.ones(2, requires_grad=True)
    y = x * 1
    (y if kind == "tensor" else x).register_hook(write)
    start = t.ones(2)
    y.backward(start)
    log(x.grad)


@pytest.mark.parametrize("name", ["number", "tensor", "tuple"])
@side_by_side
def test_post_accumulate_hooks_return_nothing(t, log, name):
    returned = {"number": 3, "tensor": t.ones(2), "tuple": (t.ones(2),)}[name]
    x = t.ones(2, requires_grad=True)
    x.register_post_accumulate_grad_hook(lambda p: returned)
    log.error(lambda: (x * x).sum().backward())
    log(x.grad)


HOOKS = {
    "nothing": lambda value: None,
    "the same": lambda value: value,
    "another": lambda value: value * 2,
    "a number": lambda value: 3,
    "another shape": lambda value: t_ones(value, 3),
    "a broader shape": lambda value: t_ones(value, 1),
    "another dtype": lambda value: value.double(),
    "integers": lambda value: value.long(),
    "a list": lambda value: [value],
}


def t_ones(value, size):
    return value.detach().new_ones(size)


@pytest.mark.parametrize("name", HOOKS)
@side_by_side
def test_what_hooks_may_return(t, log, name):
    hook = HOOKS[name]

    def leaf():
        x = t.ones(2, requires_grad=True)
        x.register_post_accumulate_grad_hook(hook)
        (x * 2).sum().backward()

    def module(register):
        x = t.ones(2, requires_grad=True)
        layer = t.nn.Linear(2, 1, bias=False)
        layer.weight.data.fill_(1)
        register(layer)
        layer(x).sum().backward()
        return x.grad

    log.error(leaf)
    log.error(
        lambda: module(
            lambda layer: layer.register_full_backward_hook(
                lambda module, inputs, outputs: (hook(inputs[0]),)
            )
        )
    )
    if name != "nothing":
        log.error(
            lambda: module(
                lambda layer: layer.register_full_backward_pre_hook(
                    lambda module, outputs: (hook(outputs[0]),)
                )
            )
        )
