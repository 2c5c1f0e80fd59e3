"""Views and writing in place: memory, versions, history, and what is refused."""

from __future__ import annotations

import pytest

import wengert
from tests.autograd.support import side_by_side

pytestmark = pytest.mark.filterwarnings("ignore:.*not a leaf")


def leaf(t, *shape):
    x = t.arange(1.0, 1.0 + max(1, __import__("math").prod(shape)))
    return x.reshape(shape).clone().requires_grad_()


@side_by_side
def test_a_write_to_a_view_reaches_the_base(t, log):
    x = leaf(t, 4)
    y = x * 1
    view = y[1:3]
    view.mul_(x[:2])
    log(y, view, y._version, view._version, view._base is y, view._is_view())
    log(y.grad_fn)
    (y * y).sum().backward()
    log(x.grad)


@side_by_side
def test_a_write_to_the_base_reaches_its_views(t, log):
    x = leaf(t, 4)
    y = x * 1
    view = y[1:3]
    before = view.grad_fn
    y.mul_(2)
    log(view, view.grad_fn is before, view._version)
    log(view.grad_fn is view.grad_fn)
    view.sum().backward()
    log(x.grad)


@side_by_side
def test_chains_of_views(t, log):
    x = leaf(t, 2, 3, 4)
    y = x * 1
    a = y.transpose(0, 2)
    b = a[1:3]
    c = b.reshape(2, 6) if False else b.select(1, 0)
    d = c.t()
    log(d._base is y, a._base is y)
    d.mul_(10)
    b.add_(1)
    log(y, a, b, c, d)
    (y * y).sum().backward()
    log(x.grad)


@side_by_side
def test_sibling_views_see_the_new_history(t, log):
    x = leaf(t, 4)
    w = leaf(t, 2)
    y = x * 1
    a, b = y[:2], y[1:3]
    a.mul_(w)
    log(b)
    b.sum().backward()
    log(x.grad, w.grad)


@side_by_side
def test_views_made_before_the_base_requires_grad(t, log):
    x = leaf(t, 2)
    y = t.zeros(4)
    view = y[:2]
    log(view.requires_grad)
    y[1:3] = x * 2
    log(y.requires_grad, view.requires_grad, view.is_leaf)
    view.sum().backward()
    log(x.grad)


@side_by_side
def test_views_of_a_leaf_that_starts_to_require_grad(t, log):
    x = t.ones(4)
    view = x[:2]
    x.requires_grad_()
    log(view.requires_grad, view.is_leaf)
    log.error(lambda: view.mul_(2))
    x[:2].sum().backward()
    log(x.grad)


@side_by_side
def test_writing_into_leaves_is_refused(t, log):
    x = leaf(t, 4)
    log.error(lambda: x.mul_(2))
    log.error(lambda: x[:2].mul_(2))
    log.error(lambda: x.view(2, 2)[0].zero_())
    log.error(lambda: x.__setitem__(0, 1.0))
    with t.no_grad():
        x.mul_(2)
        x[:2].mul_(2)
        x[3] = 7
    log(x, x._version, x.is_leaf)
    view = x[:2]
    log.error(lambda: view.detach_())
    with t.no_grad():
        inside = x[2:]
    log.error(lambda: inside.mul_(2))
    log(inside.requires_grad)
    with t.no_grad():
        inside.mul_(2)
    log(x)


@side_by_side
def test_views_made_in_no_grad(t, log):
    x = leaf(t, 4)
    y = x * 1
    with t.no_grad():
        view = y[:2]
    log(view.requires_grad, view.grad_fn, view._is_view())
    log.error(lambda: view.mul_(2))
    with t.no_grad():
        view.mul_(2)
    log(y, view.requires_grad)
    plain = t.ones(4)
    with t.no_grad():
        view = plain[:2]
    view.mul_(2)
    log(plain)
    log.error(lambda: view.mul_(x[:2]))
    log(plain.requires_grad)


@side_by_side
def test_views_of_views_made_in_no_grad(t, log):
    x = leaf(t, 4)
    y = x * 1
    with t.no_grad():
        view = y[:3]
    second = view[:2]
    log(second.requires_grad)
    first = y[:3]
    with t.no_grad():
        second = first[:2]
    log.error(lambda: second.mul_(2))


@pytest.mark.parametrize("how", ["split", "chunk", "unbind"])
@side_by_side
def test_one_of_several_views_may_not_be_written_to(t, log, how):
    x = leaf(t, 4)
    y = x * 1
    a, b = {
        "split": lambda: y.split(2),
        "chunk": lambda: y.chunk(2),
        "unbind": lambda: y.view(2, 2).unbind(),
    }[how]()
    log(a.grad_fn, a._is_view(), a._base is y, a.output_nr, b.output_nr)
    log.error(lambda: a.mul_(2))
    log.error(lambda: a[:1].mul_(2))
    with t.no_grad():
        b.mul_(2)
    log(y, y._version)
    plain = t.ones(4)
    a, b = plain.split(2)
    a.mul_(2)
    log(plain)
    log.error(lambda: a.mul_(x[:2]))


@side_by_side
def test_a_write_to_the_base_of_several_views(t, log):
    x = leaf(t, 4)
    y = x * 1
    a, b = y.split(2)
    y.mul_(3)
    log(a, b, a.requires_grad)
    log.error(lambda: a.sum().backward())
    log(x.grad)


@side_by_side
def test_expanded_views(t, log):
    x = leaf(t, 3)
    y = x * 1
    wide = y.expand(2, 3)
    log.error(lambda: wide.mul_(2))
    log.error(lambda: wide.copy_(t.ones(2, 3)))
    y.mul_(2)
    log(wide)


@side_by_side
def test_as_strided(t, log):
    x = leaf(t, 6)
    y = x * 1
    windows = y.as_strided((3, 2), (2, 1))
    windows.mul_(2)
    log(y, y.grad_fn)
    overlapping = y.as_strided((4, 3), (1, 1))
    (overlapping * overlapping).sum().backward()
    log(x.grad)


@side_by_side
def test_detach_shares_memory_and_version(t, log):
    x = leaf(t, 3)
    y = x * 1
    alias = y.detach()
    log(alias.requires_grad, alias._is_view(), alias.data_ptr() == y.data_ptr())
    z = y * y
    alias.mul_(2)
    log(y, y._version, alias._version)
    log.error(lambda: z.sum().backward())


@side_by_side
def test_data_shares_memory_but_no_version(t, log):
    x = leaf(t, 3)
    y = x * 1
    z = y * y
    y.data.mul_(2)
    log(y, y._version, y.data._version)
    z.sum().backward()
    log(x.grad)
    x.data = t.ones(3)
    log(x, x.requires_grad, x.is_leaf, x._version)


@side_by_side
def test_detach_in_place(t, log):
    x = leaf(t, 3)
    y = x * 2
    y.detach_()
    log(y.requires_grad, y.grad_fn, y.is_leaf)
    y.mul_(3)
    view = (x * 2)[:1]
    log.error(lambda: view.detach_())
    x.detach_()
    log(x.requires_grad)


@side_by_side
def test_requires_grad_on_views(t, log):
    x = t.ones(4)
    view = x[:2]
    view.requires_grad_()
    log(view.requires_grad, x.requires_grad, view.is_leaf)
    (view * 3).sum().backward()
    log(view.grad, x.grad)
    log.error(lambda: view.mul_(2))
    with t.no_grad():
        view.mul_(2)
    log(x)
    y = x.detach()
    y.requires_grad_()
    (y * 2).sum().backward()
    log(y.grad)


@side_by_side
def test_a_view_that_requires_grad_of_a_base_that_gets_history(t, log):
    x = leaf(t, 2)
    y = t.zeros(4)
    view = y[:2]
    view.requires_grad_()
    log.error(lambda: y[2:].copy_(x))
    log(y.requires_grad, view.requires_grad, view.is_leaf)


STALE = {
    "input": lambda t, x: (lambda y: (y * y, y.mul_(2))[0])(x * 1),
    "constant": lambda t, x: (lambda c: (x * c, c.mul_(2))[0])(t.ones(3)),
    "result": lambda t, x: (lambda y: (y.mul_(2), y)[1])(x.exp()),
    "base": lambda t, x: (lambda y: (y * y, y[:2].mul_(2))[0])(x * 1),
    "twice": lambda t, x: (lambda y: (y * y, y.add_(1), y.add_(1))[0])(x * 1),
    "scaled": lambda t, x: (lambda y: (y * 3, y.mul_(2))[0])(x * 1),
    "sum": lambda t, x: (lambda y: (y + y, y.mul_(2))[0])(x * 1),
    "index": lambda t, x: (lambda y: (y[:2], y.mul_(2))[0])(x * 1),
    "exp_": lambda t, x: (x * 1).exp_(),
    "sigmoid_": lambda t, x: (x * 1).sigmoid_().add_(1),
    "matmul": lambda t, x: (lambda y: (y @ y, y.mul_(2))[0])(x * 1),
    "div": lambda t, x: (lambda y: (x / y, y.mul_(2))[0])(x * 1),
}


@pytest.mark.parametrize("name", STALE)
@side_by_side
def test_stale_saved_values(t, log, name):
    x = leaf(t, 3)
    y = STALE[name](t, x)
    log(y)
    log.error(lambda: y.sum().backward())
    log(x.grad)


IN_PLACE = {
    "add_": lambda t, y, x: y.add_(x),
    "add_alpha": lambda t, y, x: y.add_(x, alpha=2),
    "sub_": lambda t, y, x: y.sub_(x),
    "mul_": lambda t, y, x: y.mul_(x),
    "div_": lambda t, y, x: y.div_(x),
    "pow_": lambda t, y, x: y.pow_(2),
    "exp_": lambda t, y, x: y.exp_(),
    "sqrt_": lambda t, y, x: y.sqrt_(),
    "tanh_": lambda t, y, x: y.tanh_(),
    "zero_": lambda t, y, x: y.zero_(),
    "fill_": lambda t, y, x: y.fill_(2.0),
    "fill_tensor": lambda t, y, x: y.fill_(x.sum()),
    "copy_": lambda t, y, x: y.copy_(x * 3),
    "copy_broadcast": lambda t, y, x: y.copy_(x[0] * 3),
    "copy_cast": lambda t, y, x: y.copy_((x * 3).double()),
    "clamp_": lambda t, y, x: y.clamp_(1.5, 2.5),
    "neg_": lambda t, y, x: y.neg_(),
    "setitem": lambda t, y, x: y.__setitem__(0, x[1] * 2),
    "setitem slice": lambda t, y, x: y.__setitem__(slice(0, 2), x[1:] * 2),
    "setitem mask": lambda t, y, x: y.__setitem__(y > 1.5, 0.0),
    "setitem list": lambda t, y, x: y.__setitem__([0, 2], x[:2] * 2),
    "masked_fill_": lambda t, y, x: y.masked_fill_(y > 1.5, 9.0),
    "scatter_": lambda t, y, x: y.scatter_(0, t.tensor([1, 2]), x[:2] * 2),
    "index_put_": lambda t, y, x: y.index_put_(
        (t.tensor([0, 0, 1]),), x * 2, accumulate=True
    ),
    "index_add_": lambda t, y, x: y.index_add_(0, t.tensor([0, 0]), x[:2]),
    "relu_": lambda t, y, x: y.relu_(),
    "iadd": lambda t, y, x: y.__iadd__(x),
    "imul": lambda t, y, x: y.__imul__(2.0),
    "lerp_": lambda t, y, x: y.lerp_(x * 2, 0.3),
    "addcmul_": lambda t, y, x: y.addcmul_(x, x, value=0.5),
    "unsqueeze_": lambda t, y, x: y.unsqueeze_(0),
    "t_": lambda t, y, x: y.unsqueeze_(0).t_(),
    "squeeze_": lambda t, y, x: y.unsqueeze_(0).squeeze_(0),
}


RENAMED = {"fill_tensor", "unsqueeze_", "t_", "squeeze_"}
"""PyTorch has grad_fn names of their own for these: FillBackward3, TBackward1 …"""


@pytest.mark.parametrize("where", ["whole", "view"])
@pytest.mark.parametrize("name", IN_PLACE)
@side_by_side
def test_in_place_ops(t, log, name, where):
    x = leaf(t, 3)
    w = leaf(t, 5)
    base = w * 1
    y = base[1:4] if where == "view" else base[1:4].clone()
    IN_PLACE[name](t, y, x)
    log(y, y._version)
    if where == "whole" and name not in RENAMED:
        log(y.grad_fn)
    total = (base * base).sum() + (y * y * y).sum()
    total.backward()
    log(x.grad, w.grad)


CONSTANT = {
    "eq_": lambda y: y.eq_(1.0),
    "eq_tensor": lambda y: y.eq_(y.detach()),
    "less_": lambda y: y.less_(2.0),
    "ge_": lambda y: y.ge_(y),
    "not_equal_": lambda y: y.not_equal_(3),
    "normal_": lambda y: y.normal_(),
    "uniform_": lambda y: y.uniform_(1.0, 2.0),
    "exponential_": lambda y: y.exponential_(),
    "log_normal_": lambda y: y.log_normal_(),
    "cauchy_": lambda y: y.cauchy_(),
    "geometric_": lambda y: y.geometric_(0.5),
    "random_": lambda y: y.random_(),
    "random_below": lambda y: y.random_(5),
    "random_between": lambda y: y.random_(2, 5),
    "bernoulli_": lambda y: y.bernoulli_(),
    "bernoulli_p": lambda y: y.bernoulli_(0.3),
    "bernoulli_tensor": lambda y: y.bernoulli_(y.detach().clamp(0, 1)),
}


@pytest.mark.parametrize("where", ["whole", "view"])
@pytest.mark.parametrize("name", CONSTANT)
@side_by_side
def test_what_nothing_has_a_derivative_by_ends_a_history(t, log, name, where):
    w = leaf(t, 5)
    base = w * 1
    y = base[1:4] if where == "view" else base[1:4].clone()
    CONSTANT[name](y)
    log(y.requires_grad, y.is_leaf, y._version)
    if where == "whole":
        log(y.grad_fn)
    (base * 2).sum().backward(retain_graph=True)
    log(w.grad)
    y.sum().backward()
    log(w.grad)
    log.error(lambda: CONSTANT[name](leaf(t, 3)))


@pytest.mark.parametrize("name", ["logical_not_", "logical_and_", "logical_xor_"])
def test_logic_in_place_has_a_gradient_of_zeros(name):
    # PyTorch lets the gradient through as if nothing had been written.
    x = wengert.ones(2, requires_grad=True)
    y = x * 1
    others = () if name == "logical_not_" else (wengert.tensor([1.0, 0.0]),)
    getattr(y, name)(*others)
    assert y.requires_grad
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 0.0]


@side_by_side
def test_what_an_in_place_op_refuses(t, log):
    x = leaf(t, 3)
    y = x * 1
    log.error(lambda: y.add_(t.ones(2, 3)))
    log.error(lambda: y.add_(t.ones(2)))
    log.error(lambda: t.ones(3, dtype=t.int64).add_(0.5))
    log.error(lambda: t.ones(3, dtype=t.int64).mul_(x))
    log.error(lambda: t.ones(3).add_(t.ones(3, dtype=t.complex64)))
    log.error(lambda: t.ones(3, dtype=t.int64).exp_())
    log.error(lambda: y.copy_(t.ones(2)))
    log.error(lambda: y.__setitem__(5, 1.0))
    log(y._version)


@side_by_side
def test_constants_may_be_written_with_what_requires_grad(t, log):
    x = leaf(t, 3)
    y = t.zeros(3)
    y.add_(x)
    log(y.requires_grad, y.grad_fn)
    z = t.zeros(2, 3)
    z[1] = x * 2
    log(z.requires_grad, z.grad_fn, z)
    (z.sum() + y.sum()).backward()
    log(x.grad)


@side_by_side
def test_out(t, log):
    x = leaf(t, 3)
    out = t.zeros(3)
    log.error(lambda: t.mul(x, 2.0, out=out))
    with t.no_grad():
        t.mul(x, 2.0, out=out)
    log(out, out._version)
    constant = t.ones(3)
    result = t.add(constant, constant, out=out)
    log(result is out, out, out._version)
    log.error(lambda: t.add(constant, constant, out=x))
    log.error(lambda: t.add(constant, constant, out=t.zeros(3, dtype=t.int64)))


@side_by_side
def test_in_place_in_a_loop(t, log):
    x = leaf(t, 3)
    state = t.zeros(3)
    for step in range(4):
        state += x * step
        state[step % 3] = state[(step + 1) % 3] * 2
    log(state)
    state.sum().backward()
    log(x.grad)


@side_by_side
def test_a_view_written_to_twice(t, log):
    x = leaf(t, 4)
    y = x * 1
    view = y[:2]
    view.mul_(2)
    view.mul_(3)
    y[1:].mul_(3)
    log(view, y)
    (view.sum() + y.sum()).backward()
    log(x.grad)


@side_by_side
def test_versions(t, log):
    x = t.zeros(4)
    view = x[:2]
    alias = x.detach()
    x.add_(1)
    view.add_(1)
    alias.add_(1)
    x[0] = 3
    log(x._version, view._version, alias._version, x[1:]._version, x.clone()._version)
    x.requires_grad_()
    (x * 2).sum().backward()
    log(x._version)
    t.autograd.graph.increment_version(x)
    t.autograd.graph.increment_version([x, view])
    log(x._version)


@side_by_side
def test_ops_that_return_their_input(t, log):
    x = leaf(t, 4)
    y = x * 1
    log(y.contiguous() is y, y.to(t.float32) is y, y.view(4) is y, y[:] is y)
    log(y.reshape(4)._is_view(), y[...]._is_view(), y.flatten()._is_view())
    log(y.expand(4)._is_view(), y.view(2, 2)._base is y, y.clone()._is_view())
    log(y.t()._base is y, y.real is y, y[None]._is_view(), y[[0, 1]]._is_view())


@side_by_side
def test_swapping_data_of_a_parameter(t, log):
    x = leaf(t, 2)
    view = x.detach()
    x.data = t.full((3,), 5.0)
    log(x, view, x.requires_grad)
    (x * 2).sum().backward()
    log(x.grad)


@side_by_side
def test_gradient_of_a_view_and_its_base(t, log):
    x = leaf(t, 4)
    y = x * 1
    view = y[:2]
    log(t.autograd.grad((y * y).sum(), y, retain_graph=True))
    log.error(lambda: t.autograd.grad((y * y).sum(), view, retain_graph=True))
    view.mul_(2)
    log(t.autograd.grad((view * view).sum(), y, retain_graph=True))
    log(t.autograd.grad((view * view).sum(), view, retain_graph=True))
    log(t.autograd.grad((y * y).sum(), view, allow_unused=True))


@side_by_side
def test_double_backward_through_in_place(t, log):
    x = leaf(t, 4)
    y = x * 1
    y[1:3].mul_(x[:2])
    y[0] = x[3] ** 2
    (g,) = t.autograd.grad((y**3).sum(), x, create_graph=True)
    (h,) = t.autograd.grad((g * g).sum(), x)
    log(g, h)


@side_by_side
def test_complex_views(t, log):
    x = t.tensor([1 + 2j, 3 - 1j], requires_grad=True)
    y = x * 1
    t.view_as_real(y).mul_(2)
    y.real.add_(1)
    log(y)
    (y.abs() ** 2).sum().backward()
    log(x.grad)


@side_by_side
def test_swapping_rows(t, log):
    x = leaf(t, 2, 2)
    y = x * 1
    y[0], y[1] = y[1].clone(), y[0].clone()
    log(y)
    (y * t.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    log(x.grad)


def test_where_pytorch_refuses():
    """Right here; PyTorch asks for clones."""
    x = leaf(wengert, 4)
    y = x * 1
    y[1:].add_(y[:-1])
    assert y.tolist() == [1, 3, 5, 7]
    y.mul_(y)
    y.sum().backward()
    assert x.grad.tolist() == [8, 16, 24, 14]


def test_a_view_of_memory_that_its_base_has_no_more():
    y = leaf(wengert, 2, 3) * 1
    view = y[0]
    y.data = wengert.ones(3, 4)
    y.mul_(2)
    with pytest.raises(RuntimeError, match="Make the view anew"):
        view.sum().backward()


@side_by_side
def test_second_derivatives_of_what_was_detached_in_place(t, log):
    x = leaf(t, 2)
    y = x * 2
    z = (y * y).sum()
    y.detach_()
    log.error(lambda: t.autograd.grad(z, x, create_graph=True))


@side_by_side
def test_only_leaves_are_told_whether_they_require_grad(t, log):
    x = t.ones(2, requires_grad=True)
    for value in (True, False):
        y = x * 2
        log.error(lambda y=y, value=value: setattr(y, "requires_grad", value))
        log.error(lambda y=y, value=value: y.requires_grad_(value) is y)


@side_by_side
def test_parameters_count_writes_with_what_they_were_made_of(t, log):
    x = t.ones(2)
    x.add_(1)
    p = t.nn.Parameter(x)
    y = p * p
    x.mul_(2)
    log(p._version, x._version)
    log.error(lambda: y.sum().backward())


@side_by_side
def test_a_custom_function_of_a_view_made_in_no_grad(t, log):
    class Double(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            log(ctx.needs_input_grad)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            log(grad)
            return grad * 2

    x = t.ones(3, requires_grad=True)
    with t.no_grad():
        view = x[:2]
    y = Double.apply(view)
    log(y.requires_grad, y.is_leaf, type(y.grad_fn).__name__)
    y.sum().backward()
    log(x.grad)


@side_by_side
def test_the_op_is_named_whose_view_cannot_be_written_to(t, log):
    x = t.ones(3, requires_grad=True)
    with t.no_grad():
        view = x[:2]
    for part in (view[:1], view.view(2, 1), view.unsqueeze(0)):
        log.error(lambda part=part: part.mul_(2))
