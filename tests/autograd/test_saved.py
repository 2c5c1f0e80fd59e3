"""Hooks for what ops save, and looking at what they have saved."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import wengert
from tests.autograd.support import side_by_side

pytestmark = pytest.mark.filterwarnings("ignore:.*not a leaf")

PROGRAMS = {
    "add": lambda t, x, w: x + w,
    "mul": lambda t, x, w: x * w,
    "mul by one": lambda t, x, w: x * w.detach(),
    "scale": lambda t, x, w: x * 3.0,
    "square": lambda t, x, w: x * x,
    "exp": lambda t, x, w: x.exp(),
    "sin": lambda t, x, w: x.sin(),
    "div": lambda t, x, w: x / w,
    "pow": lambda t, x, w: x**3,
    "sum": lambda t, x, w: x.sum(0),
    "view": lambda t, x, w: x.view(-1)[1:],
    "matmul": lambda t, x, w: x @ w,
    "sigmoid": lambda t, x, w: x.sigmoid(),
    "relu": lambda t, x, w: x.relu(),
    "tanh": lambda t, x, w: x.tanh(),
    "sqrt": lambda t, x, w: x.sqrt(),
    "softmax": lambda t, x, w: x.softmax(0),
    "cat": lambda t, x, w: t.cat([x, w]),
    "where": lambda t, x, w: t.where(x > 0, x, w),
    "mean": lambda t, x, w: x.mean(),
    "abs": lambda t, x, w: x.abs(),
    "log": lambda t, x, w: x.log(),
    "clamp": lambda t, x, w: x.clamp(min=0.5),
}


def tensors(t):
    x = t.tensor([1.0, 2.0, 3.0], requires_grad=True)
    return x, t.tensor([2.0, 0.5, 1.0], requires_grad=True)


@pytest.mark.parametrize("name", PROGRAMS)
@side_by_side
def test_pack_counts(t, log, name):
    x, w = tensors(t)
    counts = [0, 0]

    def pack(tensor):
        counts[0] += 1
        return tensor

    def unpack(packed):
        counts[1] += 1
        return packed

    with t.autograd.graph.saved_tensors_hooks(pack, unpack):
        y = PROGRAMS[name](t, x, w)
    y.sum().backward()
    log(counts, x.grad, w.grad)


@side_by_side
def test_what_is_packed(t, log):
    x, w = tensors(t)

    def pack(tensor):
        log("pack", tensor.detach(), t.is_grad_enabled())
        return tensor.clone()

    def unpack(packed):
        log("unpack", packed)
        return packed * 2

    with t.autograd.graph.saved_tensors_hooks(pack, unpack):
        y = (x * w).exp()
    z = (y * y).sum()
    z.backward()
    log(x.grad, w.grad)


@side_by_side
def test_nested_hooks(t, log):
    x, w = tensors(t)
    hooks = t.autograd.graph.saved_tensors_hooks
    with hooks(lambda s: log("outer") or s, lambda s: s):
        with hooks(lambda s: log("inner") or s, lambda s: s):
            x * w
        x * w
    x * w


@side_by_side
def test_unpack_runs_at_each_backward(t, log):
    x, w = tensors(t)
    with t.autograd.graph.saved_tensors_hooks(lambda s: s, lambda s: log("un") or s):
        y = (x * w).sum()
    y.backward(retain_graph=True)
    y.backward()
    log(x.grad)
    log.error(lambda: y.backward())


@side_by_side
def test_errors_of_hooks(t, log):
    hooks = t.autograd.graph.saved_tensors_hooks
    x, w = tensors(t)
    with hooks(lambda s: 3, lambda s: s):
        y = (x * w).sum()
    log.error(lambda: y.backward())

    def modify(tensor):
        tensor.mul_(2)
        return tensor

    def run(pack):
        a = x * 1
        with hooks(pack, lambda s: s):
            return a * w

    log.error(lambda: run(modify))
    log.error(lambda: run(lambda s: 1 / 0))
    log(t.is_grad_enabled())


@side_by_side
def test_double_backward_through_hooks(t, log):
    x, w = tensors(t)
    with t.autograd.graph.saved_tensors_hooks(lambda s: s.clone(), lambda s: s):
        y = (x.exp() * w * x).sum()
        (g,) = t.autograd.grad(y, x, create_graph=True)
    (h,) = t.autograd.grad(g.sum(), x)
    log(g, h)


@side_by_side
def test_a_packed_value_may_be_written_to_later(t, log):
    x, w = tensors(t)
    a = x * 1
    with t.autograd.graph.saved_tensors_hooks(lambda s: s.clone(), lambda s: s):
        y = a * w
    a.mul_(100)
    log.error(lambda: y.sum().backward())
    log(x.grad, w.grad)


@side_by_side
def test_save_on_cpu(t, log):
    x, w = tensors(t)
    with t.autograd.graph.save_on_cpu():
        y = (x * w).exp().sum()
    y.backward()
    log(x.grad, w.grad)


@side_by_side
def test_disabling_hooks(t, log):
    x, w = tensors(t)
    graph = t.autograd.graph

    def enter():
        with graph.saved_tensors_hooks(lambda s: s, lambda s: s):
            pass

    with graph.disable_saved_tensors_hooks("not here"):
        log.error(enter)
        x * w
    log.error(enter)
    with graph.saved_tensors_hooks(lambda s: s, lambda s: s):

        def disable():
            with graph.disable_saved_tensors_hooks("not here"):
                pass

        log.error(disable)
    with graph.disable_saved_tensors_hooks("outer"):
        with graph.disable_saved_tensors_hooks("inner"):
            log.error(enter)
        log.error(enter)
    log.error(graph.disable_saved_tensors_hooks("decorated")(enter))
    log.error(enter)


@side_by_side
def test_raw_saved_tensors(t, log):
    x, w = tensors(t)
    y = x * w
    raw = y.grad_fn._raw_saved_self
    seen = []
    raw.register_hooks(lambda s: seen.append("pack") or s * 2, lambda s: s)
    log(seen, y.grad_fn._saved_self, y.grad_fn._saved_other)
    log.error(lambda: raw.register_hooks(lambda s: s, lambda s: s))
    y.sum().backward()
    log(x.grad, w.grad)
    log.error(lambda: raw.register_hooks(lambda s: s, lambda s: s))


@side_by_side
def test_allow_mutation_on_saved_tensors(t, log):
    x, w = tensors(t)
    with t.autograd.graph.allow_mutation_on_saved_tensors() as ctx:
        a = x * 1
        y = a * w
        a.mul_(100)
        b = a.exp() if False else a.sin()
        a.zero_()
        (y.sum() + b.sum()).backward()
    log(x.grad, w.grad)
    a = x * 1
    y = (a * w).sum()
    a.mul_(2)
    log.error(lambda: y.backward())
    del ctx


@side_by_side
def test_leaving_allow_mutation_on_saved_tensors(t, log):
    allow = t.autograd.graph.allow_mutation_on_saved_tensors
    x, _ = tensors(t)

    def refused(y):
        try:
            y.sum().backward()
        except AssertionError as error:
            log(str(error).partition("context")[0])

    with allow() as ctx:
        refused_later = x * x
        cleared = x * x
        ctx.clear()
        refused(cleared)
        (x * x).sum().backward()
        log(x.grad)
    refused(refused_later)
    with allow():
        refused(refused_later)
        log.error(lambda: allow().__enter__())


KEPT = {
    "slice": lambda x: x[:, 1:],
    "step": lambda x: x[..., ::2],
    "narrow": lambda x: x.narrow(1, 0, 2),
    "select": lambda x: x[1],
    "sum": lambda x: x.sum(1),
    "sum of all": lambda x: x.sum(),
    "permute": lambda x: x.permute(2, 0, 1),
    "transpose": lambda x: x.transpose(0, 1),
    "view": lambda x: x.view(6, 4),
    "flip": lambda x: x.flip(0),
    "var": lambda x: x.var(0),
    "diagonal": lambda x: x.diagonal(),
    "roll": lambda x: x.roll(1, 0),
    "addcmul": lambda x: x.addcmul(x, x, value=2),
}


@pytest.mark.parametrize("name", KEPT)
@side_by_side
def test_parameters_that_nodes_keep(t, log, name):
    node = KEPT[name](t.arange(24.0).reshape(2, 3, 4).requires_grad_()).grad_fn
    names = [each for each in dir(node) if each.startswith("_saved_")]
    log(sorted(names), {each: getattr(node, each) for each in names})
    log.error(lambda: node._saved_nothing)


@side_by_side
def test_what_a_pack_hook_sees(t, log):
    def pack(tensor):
        log(t.is_grad_enabled(), tensor.requires_grad, tensor.is_leaf, tensor.grad_fn)
        return tensor

    x, w = tensors(t)
    with t.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        y = (x * w).exp().sort()[0]
        z = y.tanh_() * x.detach()
    z.sum().backward()
    log(x.grad, w.grad)


def test_a_result_that_is_packed_as_it_is_makes_no_cycle():
    x, _ = tensors(wengert)
    with wengert.autograd.graph.saved_tensors_hooks(lambda s: s, lambda s: s):
        y = x.exp()
    node = weakref.ref(y.grad_fn)
    gc.disable()
    try:
        del y
        assert node() is None
    finally:
        gc.enable()


WRONG = {
    "a shape": lambda t, s: t.ones(3),
    "one number": lambda t, s: t.tensor(2.0),
    "more dimensions": lambda t, s: t.ones(2, 2),
    "a wider dtype": lambda t, s: s.double(),
    "integers": lambda t, s: s.long(),
    "a number": lambda t, s: 3,
    "nothing": lambda t, s: None,
    "a tuple": lambda t, s: (s,),
    "an exception": lambda t, s: 1 / 0,
    "written to": lambda t, s: s.mul_(2),
}


@pytest.mark.parametrize("name", WRONG)
@side_by_side
def test_what_an_unpack_hook_must_not_return(t, log, name):
    hooks = t.autograd.graph.saved_tensors_hooks
    x, w = tensors(t)
    for op in (lambda: x * w, x.exp, lambda: (x * 2).tanh(), lambda: x.pow(3)):
        with hooks(lambda s: s.clone(), lambda s: WRONG[name](t, s)):
            y = op().sum()
        log.error(y.backward)
        log(x.grad)


def test_an_error_of_an_unpack_hook_stays_as_it_is():
    x, w = tensors(wengert)
    hooks = wengert.autograd.graph.saved_tensors_hooks
    with hooks(lambda s: s, lambda s: np.ones(2) * np.ones(3)):
        y = (x * w).sum()
    with pytest.raises(ValueError, match="operands could not be broadcast"):
        y.backward()


def test_hooks_must_be_functions():
    x, w = tensors(wengert)
    y = x * w
    raw = y.grad_fn._raw_saved_self
    for pair in ((3, abs), (abs, 3), (None, None)):
        with pytest.raises(TypeError, match="incompatible function arguments"):
            wengert.autograd.graph.saved_tensors_hooks(*pair).__enter__()
        with pytest.raises(TypeError, match="incompatible function arguments"):
            raw.register_hooks(*pair)
    raw.register_hooks(lambda s: s, lambda s: s * 2)
    y.sum().backward()


@side_by_side
def test_saved_results_may_be_written_to_as_well(t, log):
    x = t.tensor([1.0, 2.0], requires_grad=True)
    with t.autograd.graph.allow_mutation_on_saved_tensors():
        a = x.clone()
        for op in (t.exp, t.sigmoid, lambda v: v.sqrt().tanh()):
            b = op(a)
            a.mul_(2)
            b.mul_(5)
            (a * b).sum().backward(retain_graph=True)
            log(x.grad)


@side_by_side
def test_counting_writes_by_hand(t, log):
    increment = t.autograd.graph.increment_version
    x, y = t.ones(2), t.ones(2)
    with t.inference_mode():
        z = t.ones(2)
    increment(x)
    increment(iter([x, y, z]))
    for wrong in (3, None, [x, 3]):
        log.error(lambda wrong=wrong: increment(wrong))
    log(y._version)
