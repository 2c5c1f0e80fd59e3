"""Checkpointing: the same gradients, fewer values kept, clear errors."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch as oracle
from torch.utils import checkpoint as oracle_checkpoint

import wengert
from tests.autograd.support import side_by_side
from wengert.utils import checkpoint as checkpointing
from wengert.utils.checkpoint import CheckpointError, checkpoint

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*not a leaf", "ignore:.*use_reentrant", "ignore:.*reference cycle"
)


def module(t):
    return oracle_checkpoint if t is oracle else checkpointing


def leaf(t):
    return t.tensor([1.0, 2.0, 3.0], requires_grad=True)


@pytest.mark.parametrize("use_reentrant", [True, False])
@side_by_side
def test_gradients(t, log, use_reentrant):
    x = leaf(t)
    w = leaf(t)

    def f(x, w, k):
        return (x.sin() * w).exp() * k, w.cos()

    a, b = module(t).checkpoint(f, x, w, 2.0, use_reentrant=use_reentrant)
    (a.sum() + b.sum()).backward()
    log(a.detach(), b.detach(), x.grad, w.grad)


@side_by_side
def test_how_often_the_function_runs(t, log):
    x = leaf(t)

    def f(x):
        log("run", t.is_grad_enabled())
        y = x.sin().exp()
        log("past what is saved")
        return y + 1

    y = module(t).checkpoint(f, x, use_reentrant=False).sum()
    log("backward")
    y.backward(retain_graph=True)
    log("again")
    y.backward()
    log(x.grad)
    log.error(lambda: y.backward())
    with t.no_grad():
        module(t).checkpoint(f, x, use_reentrant=False)
    log("without early stop")
    with module(t).set_checkpoint_early_stop(False):
        module(t).checkpoint(f, x, use_reentrant=False).sum().backward()


@side_by_side
def test_grad_and_create_graph(t, log):
    x = leaf(t)
    run = module(t).checkpoint
    y = run(lambda x: (x.sin() * x.exp()).sum(), x, use_reentrant=False)
    (g,) = t.autograd.grad(y, x, create_graph=True)
    (h,) = t.autograd.grad(g.sum(), x)
    log(g, h)


@side_by_side
def test_nested(t, log):
    x = leaf(t)
    run = module(t).checkpoint

    def inner(x):
        log("inner")
        return x.sin().exp()

    def outer(x):
        log("outer")
        return run(inner, x * 2, use_reentrant=False).cos() * x

    run(outer, x, use_reentrant=False).sum().backward()
    log(x.grad)


@side_by_side
def test_keyword_arguments_and_closures(t, log):
    x, w = leaf(t), leaf(t)
    run = module(t).checkpoint

    def f(x, *, scale):
        return (x * w * scale).exp()

    run(f, x, scale=x.detach() * 0.1, use_reentrant=False).sum().backward()
    log(x.grad, w.grad)


@side_by_side
def test_containers_of_arguments(t, log):
    x, w = leaf(t), leaf(t)

    def f(pair, options):
        return {"y": (pair[0] * pair[1]).exp() * options["k"]}

    y = module(t).checkpoint(f, (x, w), {"k": 0.5}, use_reentrant=False)
    y["y"].sum().backward()
    log(x.grad, w.grad)


@side_by_side
def test_hooks(t, log):
    x = leaf(t)
    x.register_hook(lambda g: log("leaf", g))

    def f(x):
        y = x.sin()
        y.register_hook(lambda g: log("inside", g))
        return y.exp()

    z = module(t).checkpoint(f, x, use_reentrant=False)
    z.register_hook(lambda g: log("outside", g))
    z.sum().backward()


@side_by_side
def test_sequential(t, log):
    x = leaf(t)
    steps = [lambda x: x.sin(), lambda x: x * 2, lambda x: x.exp(), lambda x: x.cos()]
    for segments in (1, 2, 3, 4):
        y = module(t).checkpoint_sequential(steps, segments, x, use_reentrant=False)
        y.sum().backward()
    log(x.grad)


@side_by_side
def test_arguments_are_checked(t, log):
    x = leaf(t)
    run = module(t).checkpoint
    log.error(lambda: run(t.sin, x, use_reentrant=False, determinism_check="no"))
    log.error(lambda: run(t.sin, x, use_reentrant=True, debug=True))
    log.error(lambda: run(t.sin, x, use_reentrant=True, what=3))


@side_by_side
def test_an_input_that_was_written_to(t, log):
    x = leaf(t)
    y = x * 1
    z = module(t).checkpoint(lambda y: y.sin().exp(), y, use_reentrant=False)
    y.mul_(2)
    log.error(lambda: z.sum().backward())


def test_random_numbers_are_drawn_again():
    x = wengert.ones(1000, requires_grad=True)

    def f(x):
        return x * (wengert.rand(1000) > 0.5)

    y = checkpoint(f, x)
    before = wengert.get_rng_state()
    y.sum().backward()
    assert (x.grad == y.detach()).all()
    assert (wengert.get_rng_state() == before).all()
    y = checkpoint(lambda x: x * wengert.rand(1000).exp(), x, preserve_rng_state=False)
    x.grad = None
    y.sum().backward()
    assert not (x.grad == y.detach()).all()


def test_nothing_is_kept():
    x = wengert.ones(3, requires_grad=True)
    seen = []

    def f(x):
        y = x.sin()
        seen.append(weakref.ref(y))
        return y.exp().sum()

    y = checkpoint(f, x)
    gc.collect()
    assert seen[0]() is None
    y.backward()
    gc.collect()
    assert seen[1]() is None


def error_of(first, second, **options):
    runs = []

    def f(x):
        runs.append(1)
        return (first if len(runs) == 1 else second)(x)

    y = checkpoint(f, wengert.ones(3, requires_grad=True), **options)
    with pytest.raises(CheckpointError) as caught:
        y.sum().backward()
    return str(caught.value)


def test_other_metadata():
    text = error_of(
        lambda x: x[:1].exp(),
        lambda x: x[:2].exp(),
    )
    assert "different metadata" in text
    assert "saved metadata: {'shape': (1,)" in text
    assert "lambda x: x[:1].exp()" in text
    assert "lambda x: x[:2].exp()" in text


def test_other_counts():
    text = error_of(
        lambda x: x.sin().exp().cos(),
        lambda x: x.sin(),
    )
    assert "Number of tensors saved during forward: 3" in text
    assert "Number of tensors saved during recomputation: 1" in text
    assert "lambda x: x.sin().exp().cos()" in text


def test_without_the_check():
    runs = []

    def f(x):
        runs.append(1)
        return x.exp() if len(runs) == 1 else x.double().exp()

    x = wengert.ones(3, requires_grad=True)
    checkpoint(f, x, determinism_check="none").sum().backward()


@pytest.mark.parametrize("ops", [["exp"], [wengert.exp], ["sin", "matmul", "mm"], []])
def test_selective(ops):
    x = wengert.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)

    def contexts():
        return checkpointing.create_selective_checkpoint_contexts(ops)

    def f(x):
        return (x.sin() @ x).exp().cos() * x

    checkpoint(f, x, context_fn=contexts).sum().backward()
    found, x.grad = x.grad, None
    f(x).sum().backward()
    assert (found == x.grad).all()


def test_a_policy_is_asked_and_heeded():
    asked = []

    def policy(ctx, op, *args, **kwargs):
        asked.append((ctx.is_recompute, op))
        save = op == "sin"
        policies = checkpointing.CheckpointPolicy
        return policies.MUST_SAVE if save else policies.MUST_RECOMPUTE

    def contexts():
        return checkpointing.create_selective_checkpoint_contexts(policy)

    x = wengert.ones(3, requires_grad=True)
    checkpoint(lambda x: x.sin().exp().sum(), x, context_fn=contexts).backward()
    assert asked == [(False, "sin"), (False, "exp"), (False, "sum")]


def test_under_transformations():
    x = wengert.tensor([1.0, 2.0])

    def f(x):
        return checkpoint(lambda x: (x.sin() * x.exp()).sum(), x)

    def plain(x):
        return (x.sin() * x.exp()).sum()

    grad, vmap = wengert.func.grad, wengert.func.vmap
    assert (grad(f)(x) == grad(plain)(x)).all()
    assert (
        grad(lambda x: grad(f)(x).sum())(x) == grad(lambda x: grad(plain)(x).sum())(x)
    ).all()
    assert (vmap(grad(f))(x) == vmap(grad(plain))(x)).all()


def test_a_second_derivative_under_transformations():
    x = wengert.tensor([1.0, 2.0], dtype=wengert.float64)
    grad = wengert.func.grad

    def third(f):
        def first(x):
            return grad(f)(x).sum()

        return grad(lambda x: grad(first)(x).sum())(x)

    found = third(lambda x: checkpoint(lambda x: (x.exp() * x.exp()).sum(), x))
    assert (found - third(lambda x: (x.exp() * x.exp()).sum())).abs().max() < 1e-9


def keeping(t, op, **options):
    """Return the contexts that keep the results of an op."""
    kept = getattr(t.ops.aten, op).default if t is oracle else op
    return module(t).create_selective_checkpoint_contexts([kept], **options)


@side_by_side
def test_a_selective_region_is_gone_through_once(t, log):
    x = t.ones(3, requires_grad=True)
    y = module(t).checkpoint(
        lambda x: x.sin().exp().sum(),
        x,
        use_reentrant=False,
        context_fn=lambda: keeping(t, "sin"),
    )
    y.backward(retain_graph=True)
    log(x.grad)
    log.error(y.backward)
    pair = keeping(t, "sin")
    for _ in range(2):
        y = module(t).checkpoint(
            lambda x: x.sin().exp().sum(),
            x,
            use_reentrant=False,
            context_fn=lambda: pair,
        )
    y.backward()


@side_by_side
def test_what_is_kept_must_not_change(t, log):
    x = t.ones(3, requires_grad=True)

    def inside(x):
        y = x.sin()
        z = y * 1
        y.detach().mul_(2)
        return z.exp().sum()

    def outside(x):
        y = x.sin()
        return y, y.exp().sum()

    def run(function, **options):
        return module(t).checkpoint(
            function,
            x,
            use_reentrant=False,
            context_fn=lambda: keeping(t, "sin", **options),
        )

    log.error(run(inside).backward)
    log.error(run(inside, allow_cache_entry_mutation=True).backward)
    log(x.grad)
    y, z = run(outside)
    with t.no_grad():
        y.mul_(3)
    log.error(z.backward)


@side_by_side
def test_what_a_policy_may_be(t, log):
    make = module(t).create_selective_checkpoint_contexts
    for wrong in (3, None, ("sin",)):
        log.error(lambda wrong=wrong: make(wrong))
    x = t.ones(3, requires_grad=True)
    for policy in (None, True, False, *module(t).CheckpointPolicy):
        module(t).checkpoint(
            lambda x: (x.sin() @ x).exp() * t.cat([x, x]).sum(),
            x,
            use_reentrant=False,
            context_fn=lambda policy=policy: make(lambda *args, **options: policy),
        ).backward()
        log(x.grad)


@side_by_side
def test_what_the_older_implementation_refuses(t, log):
    x = t.ones(3, requires_grad=True)
    call = module(t).checkpoint
    y = call(lambda x: x.sin().sum(), x, use_reentrant=True)
    log.error(lambda: t.autograd.grad(y, x))
    y = call(lambda x: x.sin().sum(), x, use_reentrant=True)
    log.error(lambda: y.backward(inputs=[x]))
    call(lambda x: x.sin().sum(), x, use_reentrant=True).backward()
    log(x.grad)
    log.error(lambda: call(t.sin, x, use_reentrant=True, debug=True))
    log.error(lambda: call(t.sin, x, use_reentrant=True, determinism_check="?"))
    log.error(lambda: call(t.sin, x, use_reentrant=False, determinism_check="?"))


@side_by_side
def test_several_backwards_as_one(t, log):
    runs = []

    def f(x):
        runs.append(1)
        return x.sin().exp(), x.cos().tan()

    x = t.ones(3, requires_grad=True)
    with module(t).GraphExecGroup() as group:
        log(type(group))
        log.error(lambda: module(t).GraphExecGroup().__enter__())
        a, b = module(t).checkpoint(f, x, use_reentrant=False, early_stop=False)
        a.sum().backward(retain_graph=True)
        b.sum().backward(retain_graph=True)
        log(len(runs), x.grad)
        with pytest.raises(RuntimeError, match="already unpacked once"):
            b.sum().backward()


@side_by_side
def test_helpers(t, log):
    c, x = module(t), t.ones(2, requires_grad=True)
    alias, number = c.detach_variable((x, 3))
    log(alias is x, alias.is_leaf, alias.requires_grad, number)
    log.error(lambda: c.detach_variable([x]))
    log(c.get_device_states(x, [x]), c.set_device_states([], []))
    log(c.DefaultDeviceType.get_device_type(), c.check_backward_validity([x]))
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad"):
        c.check_backward_validity([x.detach(), 3])


@pytest.mark.parametrize("segments", [0, 1, 3, 4, -1])
@side_by_side
def test_segments(t, log, segments):
    x = t.ones(3, requires_grad=True)
    call = module(t).checkpoint_sequential
    steps = [t.sin, t.exp, t.cos]
    log.error(lambda: call(steps, segments, x, use_reentrant=False))


@side_by_side
def test_a_second_run_that_saves_more(t, log):
    runs = []

    def f(x):
        runs.append(1)
        return x.sin().sum() if len(runs) % 2 else x.sin().exp().sum()

    x = t.ones(3, requires_grad=True)
    module(t).checkpoint(f, x, use_reentrant=False).backward()
    y = module(t).checkpoint(f, x, use_reentrant=False, early_stop=False)
    with pytest.raises(RuntimeError, match="trying to save more tensors during recomp"):
        y.backward()


@pytest.mark.parametrize("early_stop", [True, False])
@side_by_side
def test_backward_inside_a_region(t, log, early_stop):
    def f(x):
        y = x.detach().requires_grad_()
        (y * y).sum().backward()
        return (y.grad * x).sum()

    x = t.ones(3, requires_grad=True)
    module(t).checkpoint(f, x, use_reentrant=False, early_stop=early_stop).backward()
    log(x.grad)
