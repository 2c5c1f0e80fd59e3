"""`torch.autograd.forward_ad`, beside PyTorch."""

from __future__ import annotations

import importlib

import pytest

import wengert
from tests.autograd.support import side_by_side


def module(t):
    return importlib.import_module(f"{t.__name__}.autograd.forward_ad")


@side_by_side
def test_duals(t, log):
    fw = module(t)
    x = t.tensor([1.0, 2.0])
    with fw.dual_level() as level:
        dual = fw.make_dual(x, t.ones(2))
        log(level, repr(dual), dual.requires_grad)
        for value in (dual * dual, dual.sum(), dual.exp()[1], x, t.stack([dual, x])):
            log(*fw.unpack_dual(value))
        log(repr(fw.unpack_dual(x)), repr(dual.detach()), repr(dual.clone()))
        with t.no_grad():
            log(repr(dual * 2))
        kept = dual * 3
    log(repr(dual), repr(kept), repr(dual + 1), *fw.unpack_dual(dual))


@side_by_side
def test_writing(t, log):
    fw = module(t)
    with fw.dual_level():
        x = t.tensor([1.0, 2.0])
        dual = fw.make_dual(x, t.ones(2))
        view = dual[0]
        dual.mul_(3)
        log(*fw.unpack_dual(dual), *fw.unpack_dual(view), x)
        dual[0].add_(dual[1])
        log(*fw.unpack_dual(dual), *fw.unpack_dual(view))
        constant = t.zeros(2)
        constant[0] = dual[1]
        log(*fw.unpack_dual(constant))


@side_by_side
def test_reverse_mode(t, log):
    fw = module(t)
    x = t.tensor([1.0, 2.0], requires_grad=True)
    v = t.tensor([0.5, -1.0], requires_grad=True)
    with fw.dual_level():
        dual = fw.make_dual(x, v)
        log(dual.requires_grad)
        result = (dual**3).sin()
        primal, tangent = fw.unpack_dual(result)
        log(t.autograd.grad(tangent.sum(), (x, v), retain_graph=True))
        log(t.autograd.grad(primal.sum(), x, retain_graph=True))
        log(*fw.unpack_dual(t.autograd.grad(result.sum(), x)[0]))


def test_backward_of_a_dual_is_refused():
    fw = module(wengert)
    x = wengert.ones(2, requires_grad=True)
    with fw.dual_level():
        result = fw.make_dual(x, wengert.ones(2)) ** 2
        with pytest.raises(RuntimeError, match=r"torch\.autograd\.grad"):
            result.sum().backward()


@side_by_side
def test_transformations_of_duals(t, log):
    fw = module(t)
    with fw.dual_level():
        dual = fw.make_dual(t.tensor([1.0, 2.0]), t.ones(2))
        log(*fw.unpack_dual(t.func.vmap(lambda v: v**2)(dual)))
        log(*fw.unpack_dual(t.func.grad(lambda v: (v**3).sum())(dual)))


@side_by_side
def test_refusals(t, log):
    fw, x = module(t), t.ones(3)
    log.error(lambda: fw.make_dual(x, x))
    log.error(lambda: fw.exit_dual_level())
    log(fw.enter_dual_level())
    try:
        log.error(lambda: fw.enter_dual_level())
        log.error(lambda: fw.exit_dual_level(level=3))
        log.error(lambda: fw.make_dual(t.arange(3), x))
        log.error(lambda: fw.make_dual(x, t.arange(3)))
        log.error(lambda: fw.make_dual(x, t.ones(2)))
        log.error(lambda: fw.make_dual(fw.make_dual(x, x), x))
        log.error(lambda: fw.make_dual(x, fw.make_dual(x, x)))
        log.error(lambda: fw.make_dual(x, x, level=-1))
        log.error(lambda: fw.make_dual(x, x, level=1))
        log.error(lambda: fw.unpack_dual(3.0))
    finally:
        fw.exit_dual_level()
    log(*fw.unpack_dual(x))


@side_by_side
def test_out_of_duals(t, log):
    fw, x, out = module(t), t.ones(2), t.zeros(2)
    with fw.dual_level():
        dual = fw.make_dual(x, t.ones(2))
        log.error(lambda: t.mul(dual, x, out=out))
        log.error(lambda: t.mul(x, x, out=dual))
        with t.no_grad():
            log.error(lambda: t.mul(dual, x, out=out))
        log(t.add(x, x, out=out))
    log(t.add(dual, x, out=out))


@pytest.mark.parametrize("returned", ["several", "a part", "a number"])
@side_by_side
def test_what_a_custom_jvp_must_not_return(t, log, returned):
    class Bad(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def jvp(ctx, tangent):
            values = {"several": (tangent, tangent), "a part": tangent[:1]}
            return values.get(returned, 3.0)

    fw = module(t)
    with fw.dual_level():
        dual = fw.make_dual(t.ones(2), t.ones(2))
        log.error(lambda: Bad.apply(dual))


@side_by_side
def test_a_dual_requires_grad_by_itself(t, log):
    fw, x = module(t), t.ones(2)
    with fw.dual_level():
        dual = fw.make_dual(x, t.ones(2) * 3)
        log(dual.requires_grad_() is dual, dual.requires_grad, dual.is_leaf)
        log(x.requires_grad, (dual * dual).requires_grad)
        primal, tangent = fw.unpack_dual(dual * dual)
        log(t.autograd.grad(tangent.sum(), dual), t.autograd.grad(primal.sum(), dual))
        dual.register_hook(lambda grad: grad * 10)
        (dual * 2).sum().backward()
        log(dual.grad, x.grad)
        dual.grad = None
        log(dual.grad, dual.retains_grad)
        dual.requires_grad = False
        log(dual.requires_grad, (dual * dual).requires_grad)
    log(dual.requires_grad, dual.is_leaf, repr(dual))


@side_by_side
def test_a_dual_of_what_requires_grad(t, log):
    fw, x = module(t), t.ones(2, requires_grad=True)
    with fw.dual_level():
        dual = fw.make_dual(x, t.ones(2) * 3)
        log(dual.is_leaf, dual.grad_fn.name(), dual.output_nr)
        log.error(lambda: dual.requires_grad_(False))
        log.error(lambda: dual.detach_())
        log(fw.unpack_dual(dual.detach()), fw.unpack_dual(dual.data))
        made = dual * 2
        log(made.detach_() is made, made.requires_grad, *fw.unpack_dual(made))
        constant = fw.make_dual(t.ones(2), t.ones(2))
        log.error(lambda: constant.detach_())
        log(*fw.unpack_dual(t.nn.Parameter(constant)))


@side_by_side
def test_which_memory_a_dual_has(t, log):
    fw, x, v = module(t), t.zeros(2, 3).t(), t.ones(2, 3).t()
    with fw.dual_level():
        dual = fw.make_dual(x, v)
        x.add_(5)
        v.add_(7)
        log(*fw.unpack_dual(dual))
        dual.add_(1)
        log(x)
        primal, tangent = fw.unpack_dual(dual)
        primal.mul_(2)
        tangent.mul_(2)
        log(x, *fw.unpack_dual(dual))


@side_by_side
def test_writing_into_a_dual_writes_into_what_it_was_made_of(t, log):
    fw = module(t)

    def values(dual):
        return [part.detach() for part in fw.unpack_dual(dual)]

    leaf = t.tensor([0.5, 1.0, 1.5], requires_grad=True)
    for base in (leaf * 2, t.tensor([0.5, 1.0, 1.5])):
        with fw.dual_level():
            dual = fw.make_dual(base, t.ones(3))
            part = dual[1:]
            part.mul_(3)
            log(base, *values(dual), *values(part))
            dual[0] = dual[2]
            log(base, *values(dual), dual._version, base._version)
            dual.zero_()
            log(base, *values(part))
        base = base * leaf
        base.sum().backward()
        log(leaf.grad)
    with fw.dual_level():
        dual = fw.make_dual(leaf, t.ones(3))
        log.error(lambda: dual.mul_(2))
        with t.no_grad():
            dual.mul_(2)
        log(leaf, *values(dual))


@side_by_side
def test_what_is_unpacked_is_a_view(t, log):
    fw = module(t)
    x = t.ones(2, requires_grad=True)
    log(fw.unpack_dual(x).primal is x)
    with fw.dual_level():
        primal, tangent = fw.unpack_dual(x)
        log(primal.is_leaf, primal.requires_grad, tangent)
        dual = fw.make_dual(t.ones(2), t.ones(2))
        dual.data = t.zeros(2)
        log(*fw.unpack_dual(dual))
        constant = t.zeros(3)
        constant[0] = fw.make_dual(x, t.ones(2))[0]
        log(fw.unpack_dual(constant).primal.requires_grad)
