"""Inference mode: what it switches off, and what becomes of what is made in it."""

from __future__ import annotations

from .support import side_by_side


@side_by_side
def test_tangents_stop(t, log):
    forward = t.autograd.forward_ad
    with forward.dual_level():
        x = forward.make_dual(t.ones(2), t.ones(2) * 3)
        with t.inference_mode():
            log(forward.unpack_dual(x * 2).tangent)
            log(forward.unpack_dual(forward.make_dual(t.ones(2), t.ones(2))).tangent)
            log(forward.unpack_dual(x).tangent)
            x.mul_(2)
        log(x, forward.unpack_dual(x).tangent)
        with t.no_grad(), t.inference_mode(False):
            log(forward.unpack_dual(x * 2).tangent)
        with forward._set_fwd_grad_enabled(False):
            made = forward.make_dual(t.ones(2), t.ones(2) * 3)
            log(forward.unpack_dual(made).tangent, forward.unpack_dual(x * 2).tangent)
        log(forward.unpack_dual(made).tangent, forward.unpack_dual(x * 2).tangent)


@side_by_side
def test_transformations_bring_their_own_tangents(t, log):
    one = (t.ones(2),)

    def inside(x):
        with t.inference_mode():
            y = x * 2
        return y + x

    with t.inference_mode():
        log(t.func.jvp(t.sin, (t.zeros(2),), one), t.func.jacfwd(t.sin)(t.zeros(2)))
    log(t.func.jvp(inside, (t.zeros(2),), one))
    log(t.func.jvp(lambda x: t.func.jvp(inside, (x,), one)[1], (t.zeros(2),), one))


@side_by_side
def test_parameters(t, log):
    with t.inference_mode():
        p, q = t.nn.Parameter(t.ones(2)), t.nn.Parameter(t.ones(2), requires_grad=False)
        log(p.is_inference(), p.requires_grad, p.is_leaf, q.is_inference())
        log.error(lambda: p._version)
        log(t.nn.Buffer(t.ones(2)).is_inference())
        made_before = t.ones(2)
    outside = t.ones(2)
    with t.inference_mode():
        log(t.nn.Parameter(outside).is_inference())
    log.error(lambda: t.nn.Parameter(made_before))
    log(t.nn.Parameter(made_before, requires_grad=False).is_inference())
    (p + 1).sum().backward()
    log(p.grad)
    log.error(lambda: q.requires_grad_())
    log.error(lambda: q * t.ones(2, requires_grad=True))
    log(q + t.ones(2, requires_grad=True))
    log.error(lambda: t.add(outside, outside, out=q))
    log(p.clone(), p.clone().is_inference(), p.clone().grad_fn.name())
    log(p.detach().is_inference(), p.data.is_inference())
    log.error(lambda: p.detach().requires_grad_())
    with t.no_grad():
        log.error(lambda: p.mul_(2))
        log.error(lambda: t.nn.init.zeros_(p))


OPS = {
    "two of them": lambda t, p, x: p * p,
    "one": lambda t, p, x: p.sin(),
    "a number besides": lambda t, p, x: p * 2,
    "a quotient": lambda t, p, x: 1 / p,
    "a tensor besides": lambda t, p, x: p + x,
    "a view": lambda t, p, x: p[:1],
    "several": lambda t, p, x: t.cat([p, p]),
}


@side_by_side
def test_what_is_computed_of_them_alone_has_no_history(t, log):
    with t.inference_mode():
        p = t.nn.Parameter(t.ones(2))
    for call in OPS.values():
        made = call(t, p, t.zeros(2))
        log(made, made.is_inference())
    log.error(lambda: (p * p).sum().backward())


@side_by_side
def test_modules(t, log):
    with t.inference_mode():
        module = t.nn.Sequential(t.nn.Linear(2, 2), t.nn.BatchNorm1d(2))
    log([p.is_inference() for p in module.parameters()])
    log([b.is_inference() for b in module.buffers()])
    log.error(lambda: module(t.ones(3, 2)) and None)
    layer = module[0]
    layer.bias.grad = t.ones(2)
    for name in ("SGD", "Adam", "Rprop"):
        log.error(getattr(t.optim, name)(module.parameters()).step)
    log(layer.double().weight.is_inference(), layer.weight.requires_grad)
    log(layer.bias.grad)
    log(layer.requires_grad_(False).requires_grad_(True).weight.requires_grad)
