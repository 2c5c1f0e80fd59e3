"""What the graph looks like after writing through views, beside PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .support import side_by_side

Program = Callable[[Any, Any], None]
PROGRAMS: dict[str, Program] = {}


def graph(node: Any, depth: int = 4) -> Any:
    """Return the names of the nodes from one on, and how they hang together."""
    if node is None or not depth:
        return None
    return [node.name(), [(graph(n, depth - 1), i) for n, i in node.next_functions]]


def program(function: Program) -> Program:
    PROGRAMS[function.__name__] = function
    return function


@program
def a_view(t, log):
    x = t.ones(4, requires_grad=True)
    y = x * 2
    v = y[1:]
    v.mul_(3)
    log(graph(v.grad_fn), graph(y.grad_fn))
    y.sum().backward()
    log(x.grad)


@program
def a_view_of_a_view(t, log):
    x = t.ones(4, 4, requires_grad=True)
    y = x * 2
    v = y.view(16)[2:9]
    v.add_(1)
    w = y.t()
    log(graph(v.grad_fn), graph(y.grad_fn), graph(w.grad_fn))
    (v.sum() + w.sum()).backward()
    log(x.grad)


@program
def other_views(t, log):
    x = t.ones(4, requires_grad=True)
    y = x * 2
    views = y[:2], y[2:], y.view(2, 2)
    views[0].mul_(x[:2])
    log([graph(v.grad_fn) for v in (*views, y)])
    views[1].mul_(2)
    log([graph(v.grad_fn) for v in (*views, y)])
    views[2].sum().backward()
    log(x.grad)


@program
def the_base(t, log):
    x = t.ones(4, requires_grad=True)
    y = x * 2
    a = y[:2]
    y.mul_(3)
    log(graph(a.grad_fn))
    a.sum().backward()
    log(x.grad)


@program
def a_constant_base(t, log):
    y = t.ones(3)
    v = y[:2]
    w = t.ones(2, requires_grad=True)
    v.mul_(w * 3)
    log(v.requires_grad, y.requires_grad, graph(v.grad_fn), graph(y.grad_fn))
    y.sum().backward()
    log(w.grad)


@program
def rows(t, log):
    x = t.ones(3, 3, requires_grad=True)
    v = t.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = t.zeros(3, 3)
    y[1] = v
    log(graph(y.grad_fn))
    y[t.tensor([0, 2])] = x[:2]
    log(graph(y.grad_fn))
    y[:, 1] = y[:, 2] * 2
    log(graph(y.grad_fn))
    y[y > 1] = v[0]
    log(graph(y.grad_fn))
    y.sum().backward()
    log(x.grad, v.grad)


@program
def an_expanded_base(t, log):
    x = t.ones(1, requires_grad=True)
    z = x * 2
    e = z.expand(3)
    z.mul_(3)
    log(graph(e.grad_fn))
    e.sum().backward()
    log(x.grad)


@program
def copies(t, log):
    x = t.ones(3, requires_grad=True)
    for base in (t.zeros(3), t.zeros(2, 3), t.zeros(3, dtype=t.float64), x * 1):
        base.copy_(x)
        log(graph(base.grad_fn))
        base[..., 1:].copy_(x[:2])
        log(graph(base.grad_fn))
        base.sum().backward()
        log(x.grad)


@program
def numbers(t, log):
    x = t.ones(3, requires_grad=True)
    y = x * 2
    for write in (
        lambda: y.fill_(3.0),
        lambda: y.fill_(x.sum()),
        lambda: y.masked_fill_(y > 0, x.sum()),
        lambda: y.masked_fill_(y > 0, 3),
        lambda: y.scatter_(0, t.tensor([0, 1]), x[:2]),
        lambda: y.clamp_(0, 1),
        lambda: y[1:].zero_(),
    ):
        write()
        log(graph(y.grad_fn))
    y.sum().backward()
    log(x.grad)


@program
def shapes(t, log):
    x = t.ones(2, 3, requires_grad=True)
    y = x * 1
    v = y.view(6)
    y.transpose_(0, 1)
    log(y.shape, v.shape, graph(y.grad_fn), graph(v.grad_fn))
    y.t_()
    y.unsqueeze_(0)
    log(graph(y.grad_fn))
    (y.sum() + (v * v).sum()).backward()
    log(x.grad)
    row = (x * 1)[0]
    row.unsqueeze_(0)
    log(row.shape, graph(row.grad_fn))
    row.squeeze_(0)
    log(row.shape, graph(row.grad_fn))


@program
def a_view_of_a_base_with_another_shape(t, log):
    x = t.arange(6.0).reshape(2, 3).requires_grad_()
    y = x * 1
    row, column = y[0], y[:, 1]
    y.t_()
    (row * t.tensor([1.0, 2.0, 3.0])).sum().backward(retain_graph=True)
    log(x.grad, graph(row.grad_fn))
    column.mul_(2)
    y.sum().backward()
    log(x.grad, y)


@program
def strides_on_memory_in_column_order(t, log):
    x = t.arange(6.0).reshape(2, 3).requires_grad_()
    y = x.t() * 2
    log(y.stride())
    v = y.as_strided((2,), (1,), 1)
    v.mul_(x[0, :2])
    log(y)
    (g,) = t.autograd.grad((y * y).sum(), x, create_graph=True)
    log(g)
    log(t.autograd.grad((g * g).sum(), x))


@program
def activations(t, log):
    functional = t.nn.functional
    for name in ("relu", "leaky_relu", "elu", "selu", "celu", "silu", "hardtanh"):
        x = t.tensor([-1.0, 0.5, 2.0], requires_grad=True)
        y = x * 1
        getattr(functional, name)(y[1:], inplace=True)
        log(name, graph(y.grad_fn))
        y.sum().backward()
        log(x.grad)


@program
def hooks_of_the_view_before(t, log):
    x = t.ones(3, requires_grad=True)
    y = x * 2
    v = y[1:]
    v.register_hook(lambda grad: log("before", grad))
    v.grad_fn.register_hook(lambda *grads: log("node before", grads))
    v.mul_(3)
    v.register_hook(lambda grad: log("after", grad))
    y.sum().backward()
    log(x.grad)


@program
def twice_through(t, log):
    x = t.tensor([0.5, 1.0, 2.0], requires_grad=True)
    y = x * 1
    y[1:].mul_(x[:2]).exp_()
    (g,) = t.autograd.grad((y * x).sum(), x, create_graph=True)
    log(g)
    log(t.autograd.grad(g.pow(2).sum(), x))


@program
def freed(t, log):
    x = t.ones(3, requires_grad=True)
    y = x * 1
    y[1:].mul_(x[:2])
    y.sum().backward()
    log.error(lambda: y.sum().backward())


@pytest.mark.parametrize("name", PROGRAMS)
def test_graph(name: str) -> None:
    side_by_side(PROGRAMS[name])()
