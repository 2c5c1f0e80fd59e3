"""Grad mode, inference mode and anomaly mode, in all the ways they can be switched."""

from __future__ import annotations

import asyncio
import threading
import traceback

import numpy as np
import pytest

import wengert
from tests.autograd.support import side_by_side

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*not a leaf", "ignore:Anomaly Detection", "ignore:Error detected"
)


@side_by_side
def test_context_managers(t, log):
    x = t.ones(2, requires_grad=True)
    with t.no_grad():
        log(t.is_grad_enabled(), (x * 2).requires_grad)
        with t.enable_grad():
            log((x * 2).requires_grad)
            with t.set_grad_enabled(False):
                log((x * 2).requires_grad)
            log(t.is_grad_enabled())
        log(t.is_grad_enabled())
    log(t.is_grad_enabled())


def test_one_object_nested():
    """Where PyTorch forgets the outer mode."""
    mode = wengert.no_grad()
    with mode:
        with mode:
            assert not wengert.is_grad_enabled()
        assert not wengert.is_grad_enabled()
    assert wengert.is_grad_enabled()


@side_by_side
def test_decorators(t, log):
    @t.no_grad()
    def first():
        return t.is_grad_enabled()

    @t.no_grad
    def second():
        return t.is_grad_enabled()

    @t.set_grad_enabled(False)
    def third():
        return t.is_grad_enabled()

    @t.inference_mode()
    def fourth():
        return t.is_grad_enabled(), t.is_inference_mode_enabled()

    @t.inference_mode
    def fifth():
        """Documented."""
        return t.is_inference_mode_enabled()

    @t.no_grad()
    @t.enable_grad()
    def sixth():
        return t.is_grad_enabled()

    log(first(), second(), third(), fourth(), fifth(), sixth(), t.is_grad_enabled())
    log(first.__name__, fifth.__doc__)


@side_by_side
def test_recursive_functions(t, log):
    @t.no_grad()
    def f(n):
        log(t.is_grad_enabled())
        if n:
            f(n - 1)
        with t.enable_grad():
            log(t.is_grad_enabled())

    f(2)
    log(t.is_grad_enabled())


@side_by_side
def test_generators(t, log):
    @t.no_grad()
    def steps():
        try:
            for i in range(3):
                log("inside", t.is_grad_enabled())
                got = yield i
                log("got", got)
        finally:
            log("closing", t.is_grad_enabled())
        return "done"

    for i in steps():
        log(i, t.is_grad_enabled())
    generator = steps()
    log(next(generator), generator.send("sent"), t.is_grad_enabled())
    generator.close()
    generator = steps()
    next(generator)
    log.error(lambda: generator.throw(ValueError("thrown")))

    def outer():
        log((yield from steps()))

    list(outer())
    with t.no_grad():

        @t.enable_grad()
        def inner():
            yield t.is_grad_enabled()

        log(list(inner()), t.is_grad_enabled())


@side_by_side
def test_a_generator_catches_what_is_thrown(t, log):
    @t.no_grad()
    def steps():
        while True:
            try:
                yield t.is_grad_enabled()
            except ValueError as error:
                log("caught", str(error), t.is_grad_enabled())

    generator = steps()
    log(next(generator))
    log(generator.throw(ValueError("one")))
    log(next(generator))


def test_coroutines_switch_only_while_they_run():
    """PyTorch decorates nothing but the creation of the coroutine."""

    @wengert.no_grad()
    async def work():
        await asyncio.sleep(0)
        return wengert.is_grad_enabled()

    async def main():
        task = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        return wengert.is_grad_enabled(), await task

    assert asyncio.run(main()) == (True, False)


@pytest.mark.filterwarnings("ignore:Decorating classes")
@side_by_side
def test_classes(t, log):
    @t.no_grad()
    class Thing:
        def __init__(self):
            self.enabled = t.is_grad_enabled()

        def method(self):
            return t.is_grad_enabled()

    log(Thing().enabled, Thing().method())


@pytest.mark.parametrize("mode", [1, None, "off"])
@side_by_side
def test_set_grad_enabled_takes_bools(t, log, mode):
    log.error(lambda: t.set_grad_enabled(mode))
    log(t.is_grad_enabled())


@side_by_side
def test_set_grad_enabled_acts_at_once(t, log):
    t.set_grad_enabled(False)
    log(t.is_grad_enabled())
    mode = t.set_grad_enabled(True)
    log(t.is_grad_enabled(), str(mode), mode.mode)
    with t.set_grad_enabled(mode=False):
        log(t.is_grad_enabled())
    log(t.is_grad_enabled())

    @t.set_grad_enabled(False)
    def f():
        return t.is_grad_enabled()

    log(t.is_grad_enabled(), f(), t.is_grad_enabled())


@side_by_side
def test_exceptions_restore_the_mode(t, log):
    def fail():
        with t.no_grad():
            raise ValueError

    log.error(fail)
    log(t.is_grad_enabled())
    log.error(t.no_grad()(fail))
    log(t.is_grad_enabled())


@side_by_side
def test_threads_have_their_own_mode(t, log):
    seen = []
    x = t.ones(1, requires_grad=True)
    with t.no_grad():
        thread = threading.Thread(target=lambda: seen.append((x * 2).requires_grad))
        thread.start()
        thread.join()
    log(seen, t.is_grad_enabled())


@side_by_side
def test_what_is_made_in_no_grad(t, log):
    x = t.ones(2, requires_grad=True)
    with t.no_grad():
        y = x * 2
        z = t.ones(2, requires_grad=True)
        v = x.view(2)
        x.add_(1)
    log(y.requires_grad, y.is_leaf, z.requires_grad, v._is_view(), x)
    (y * x).sum().backward()
    log(x.grad)


@side_by_side
def test_inference_mode(t, log):
    x = t.ones(2, requires_grad=True)
    with t.inference_mode():
        log(t.is_grad_enabled(), t.is_inference_mode_enabled())
        y = x * 2
        log(y.requires_grad, y.is_inference(), x.is_inference())
        y.add_(1)
        with t.inference_mode(False):
            log(t.is_grad_enabled(), t.is_inference_mode_enabled())
            log((x * 2).requires_grad)
        with t.enable_grad():
            log((x * 2).requires_grad, t.is_grad_enabled())
        v = y[:1]
        c = y.clone()
        log(v.is_inference(), c.is_inference())
    log(y.is_inference(), y.clone().is_inference(), (y * 2).is_inference())
    log.error(lambda: (x * y).sum().backward())
    log.error(lambda: c.add_(1))
    log.error(lambda: c.mul_(x))
    log.error(lambda: y.requires_grad_())
    log.error(lambda: y._version)
    log(y * 2, y + x)
    v = y[:1]
    log(v.is_inference())
    log.error(lambda: c[:1].add_(1))
    with t.inference_mode():
        y.add_(1)
    log(y)
    copy = y.clone().requires_grad_()
    (copy * 2).sum().backward()
    log(copy.grad)


MAKING = {
    "ones": lambda t: t.ones(2),
    "tensor": lambda t: t.tensor([1.0, 2.0]),
    "arange": lambda t: t.arange(3.0),
    "randn": lambda t: t.randn(2),
    "like": lambda t: t.zeros_like(t.ones(2)),
    "new": lambda t: t.ones(2).new_full((2,), 3.0),
    "from_numpy": lambda t: t.from_numpy(np.ones(2)),
    "op": lambda t: t.ones(2) + 1,
    "view": lambda t: t.ones(2, 2)[0],
    "whole numbers": lambda t: t.ones(2).long(),
    "joined": lambda t: t.cat([t.ones(2), t.ones(2)]),
}


@pytest.mark.parametrize("name", MAKING)
@side_by_side
def test_what_is_made_in_inference_mode(t, log, name):
    with t.inference_mode():
        x = MAKING[name](t)
        log(x.is_inference(), x.requires_grad, x.detach().is_inference())
        x.add_(1)
    w = t.ones(x.shape, requires_grad=True)
    log(x.is_inference(), x[:1].is_inference(), (x * 2).is_inference())
    log(x.clone().is_inference(), (w + x).requires_grad)
    if name != "randn":
        (w * x.clone()).sum().backward()
        log(w.grad)
    log.error(lambda: w * x)
    log.error(lambda: x.add_(1))
    log.error(lambda: x._version)
    if x.is_floating_point():
        log.error(lambda: x.requires_grad_())


@side_by_side
def test_transformations_in_inference_mode(t, log):
    def square(v):
        return (v * v).sum()

    outside = t.tensor([1.0, 2.0])
    with t.inference_mode():
        for x in (outside, t.tensor([3.0, 4.0])):
            log(t.func.grad(square)(x), t.func.jacrev(lambda v: v.sin())(x).shape)
            log(t.func.vmap(t.func.grad(square))(x.reshape(2, 1)))
            log(t.func.jvp(square, (x,), (x,)), t.func.hessian(square)(x))


@side_by_side
def test_normal_tensors_in_inference_mode(t, log):
    x = t.ones(2, requires_grad=True)
    y = x * 1
    z = y * y
    with t.inference_mode():
        v = y[:1]
        log(v.is_inference(), v.requires_grad)
        y.add_(1)
        log(y._version)
    log.error(lambda: z.sum().backward())
    x = t.ones(2)
    with t.inference_mode():
        x.add_(1)
    log(x.requires_grad_().requires_grad)
    y = x * 1
    with t.inference_mode():
        v = y[:1]
    log.error(lambda: v.add_(1))


@side_by_side
def test_saving_inference_tensors(t, log):
    x = t.ones(2, requires_grad=True)
    with t.inference_mode():
        c = x * 3
    log((x + c).requires_grad)
    log.error(lambda: x * c)
    log.error(lambda: c * x)
    log.error(lambda: x / c)
    log(x * c.clone())


@side_by_side
def test_anomaly_modes(t, log):
    log(t.is_anomaly_enabled(), t.is_anomaly_check_nan_enabled())
    with t.autograd.detect_anomaly():
        log(t.is_anomaly_enabled(), t.is_anomaly_check_nan_enabled())
        with t.autograd.set_detect_anomaly(False):
            log(t.is_anomaly_enabled())
        with t.autograd.detect_anomaly(check_nan=False):
            log(t.is_anomaly_enabled(), t.is_anomaly_check_nan_enabled())
        log(t.is_anomaly_check_nan_enabled())
    log(t.is_anomaly_enabled())
    t.autograd.set_detect_anomaly(True)
    log(t.is_anomaly_enabled())
    t.autograd.set_detect_anomaly(False)
    log(t.is_anomaly_enabled())
    for args in ((True, False), (True,), (False, False)):
        log(t.set_anomaly_enabled(*args))
        log(t.is_anomaly_enabled(), t.is_anomaly_check_nan_enabled())
    t.set_anomaly_enabled(False)
    for args in ((3,), (True, 0), ("on",), (None,)):
        log.error(lambda args=args: t.set_anomaly_enabled(*args))
        log.error(lambda args=args: t.autograd.set_detect_anomaly(*args))
    log(t.is_anomaly_enabled(), t.is_anomaly_check_nan_enabled())
    log.error(lambda: t.autograd.detect_anomaly()(abs))
    log(t.autograd.anomaly_mode.detect_anomaly is t.autograd.detect_anomaly)


@side_by_side
def test_nan_in_backward(t, log):
    x = t.zeros(2, requires_grad=True)
    with t.autograd.detect_anomaly():
        y = (x * 0).sqrt().sum()
        log.error(lambda: y.backward())
    with t.autograd.detect_anomaly(check_nan=False):
        y = (x * 0).sqrt().sum()
        log.error(lambda: y.backward())
    y = (x * 0).sqrt().sum()
    log.error(lambda: y.backward())


@side_by_side
def test_nan_of_a_custom_function(t, log):
    class Bad(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            return x * w

        @staticmethod
        def backward(ctx, g):
            return g, g * float("nan")

    x = t.ones(2, requires_grad=True)
    with t.autograd.detect_anomaly():
        y = Bad.apply(x, x * 2).sum()
        log.error(lambda: y.backward())


@side_by_side
def test_message_of_a_stale_value_in_anomaly_mode(t, log):
    x = t.ones(2, requires_grad=True)
    with t.autograd.detect_anomaly():
        y = x.exp()
        y.mul_(2)
        log.error(lambda: y.sum().backward())


class Failing(wengert.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 1

    @staticmethod
    def backward(ctx, grad):
        raise ValueError("in backward")


def notes_of(program) -> str:
    try:
        program()
    except Exception as error:
        return "".join(traceback.format_exception(error))
    raise AssertionError("no error")


def test_the_line_of_the_forward_op():
    x = wengert.ones(2, requires_grad=True)

    def program():
        with wengert.autograd.detect_anomaly():
            y = x.exp()  # the line
            y.mul_(2)
            y.sum().backward()

    text = notes_of(program)
    assert "Error detected in ExpBackward0" in text
    assert "y = x.exp()  # the line" in text


def test_the_line_of_a_custom_function():
    x = wengert.ones(2, requires_grad=True)

    def program():
        with wengert.autograd.detect_anomaly():
            y = Failing.apply(x)  # the line
            y.sum().backward()

    text = notes_of(program)
    assert "Error detected in FailingBackward" in text
    assert "y = Failing.apply(x)  # the line" in text


def test_the_lines_behind_a_second_derivative():
    x = wengert.zeros(2, requires_grad=True)

    def program():
        with wengert.autograd.detect_anomaly():
            y = (x.sqrt() ** 3).sum()  # the forward line
            (g,) = wengert.autograd.grad(y, x, create_graph=True)
            g.sum().backward()

    with wengert.autograd.detect_anomaly(check_nan=False):
        pass
    text = notes_of(program)
    assert "# the forward line" in text


def test_anomaly_mode_of_backward_alone():
    x = wengert.ones(2, requires_grad=True)
    y = x.exp()
    y.mul_(2)

    def program():
        with wengert.autograd.detect_anomaly():
            y.sum().backward()

    assert "made while anomaly mode was off" in notes_of(program)


@side_by_side
def test_variables(t, log):
    variable = t.autograd.Variable
    x = t.ones(2, requires_grad=True)
    log(variable(x), variable(x * 2, requires_grad=True), variable())
    for wrong in (3, [1.0]):
        log.error(lambda wrong=wrong: variable(wrong))
    log.error(lambda: variable(t.tensor([1]), True))
    log(isinstance(x, variable), isinstance(3, variable))
    log(t.autograd.variable.Variable is variable)


@side_by_side
def test_multithreading_is_accepted(t, log):
    enabled = t.autograd.is_multithreading_enabled
    log(enabled())
    with t.autograd.set_multithreading_enabled(False):
        log(enabled())
        (t.ones(1, requires_grad=True) * 2).backward()
    log(enabled())
    t.autograd.set_multithreading_enabled(False)
    log(enabled())
    t.autograd.set_multithreading_enabled(True)
