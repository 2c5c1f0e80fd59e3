"""Tensors that take the memory of others, or their place."""

from __future__ import annotations

import weakref

import pytest

import wengert
from tests.autograd.support import side_by_side


@side_by_side
def test_set_shares_memory_and_no_version(t, log):
    x, y = t.zeros(2), t.ones(3)
    log(x.set_(y) is x, x, x._version)
    y.add_(1)
    log(x, x._version, y._version)
    x.mul_(3)
    log(y, x._version, y._version, x.data_ptr() == y.data_ptr())
    log(x.set_(), x._version)
    part = t.zeros(4)
    log(part.set_(t.arange(6.0)[1:3]), part.storage_offset())


@side_by_side
def test_set_of_a_part(t, log):
    source = t.arange(6.0)
    x = t.zeros(4)
    x.set_(source, 1, (2, 2), (1, 2))
    x.add_(10)
    log(x, source, x.stride())


@side_by_side
def test_set_and_what_is_recorded(t, log):
    leaf = t.zeros(2, requires_grad=True)
    log.error(lambda: leaf.set_(t.ones(2)))
    y = leaf * leaf
    with t.no_grad():
        leaf.set_(t.ones(2))
    log(leaf, leaf.is_leaf)
    log.error(lambda: y.sum().backward())
    (leaf * leaf).sum().backward()
    log(leaf.grad)
    base = t.zeros(4)
    view = base[:2]
    base.set_(t.ones(3))
    base.add_(1)
    log(base, view, base._version, view._version)


def test_what_set_refuses():
    x = wengert.zeros(2)
    with pytest.raises(RuntimeError, match="Could not set tensor of type long"):
        x.set_(wengert.ones(2, dtype=wengert.int64))
    with pytest.raises(TypeError, match="must be Tensor"):
        x.set_([1.0])
    with pytest.raises(RuntimeError, match="'set_' is not differentiable"):
        x.set_(wengert.ones(2, requires_grad=True))
    assert x.tolist() == [0.0, 0.0]


@side_by_side
def test_swap_tensors(t, log):
    a = t.nn.Parameter(t.tensor([1.0, 2.0]))
    b = t.ones(3, dtype=t.float64)
    a.note = "a"
    (a * a).sum().backward()
    holder = [a]
    t.utils.swap_tensors(a, b)
    log(type(a), type(b), a, b, hasattr(a, "note"), b.note, a.grad, b.grad)
    log(holder[0].dtype, b.is_leaf, a.requires_grad)
    (b * 3).sum().backward()
    log(b.grad)
    result = b * 2
    t.utils.swap_tensors(result, a)
    log(a.grad_fn, result.grad_fn, a)
    a.sum().backward()
    log(b.grad)


@side_by_side
def test_what_swap_tensors_refuses(t, log):
    a, b = t.zeros(2), t.ones(2)
    kept = weakref.ref(a)
    log.error(lambda: t.utils.swap_tensors(a, b))
    log.error(lambda: t.utils.swap_tensors(b, a))
    log(kept() is a, a, b)


def test_swap_tensors_refuses_bases_and_lets_no_stale_values_pass():
    a, b = wengert.zeros(2), wengert.ones(2)
    view = a[:1]
    with pytest.raises(RuntimeError, match="there are views of it"):
        wengert.utils.swap_tensors(b, a)
    with pytest.raises(TypeError, match="must be Tensor"):
        wengert.utils.swap_tensors(b, 3)
    assert view.tolist() == [0.0]
    assert b.tolist() == [1.0, 1.0]
    x = wengert.tensor([2.0, 3.0], requires_grad=True)
    y = (x * x).sum()
    wengert.utils.swap_tensors(x, b)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()
