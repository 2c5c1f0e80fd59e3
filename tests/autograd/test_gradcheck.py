"""`gradcheck` and `gradgradcheck`: what passes, what fails, and what is said then."""

from __future__ import annotations

import warnings

import pytest
import torch

import wengert
from tests.autograd.support import side_by_side
from wengert.autograd.gradcheck import GradcheckError


def function(t, forward, backward, materialize=True):
    """Return the apply of a custom Function that saves its input."""

    class Custom(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            ctx.set_materialize_grads(materialize)
            return forward(x)

        @staticmethod
        def backward(ctx, grad):
            return backward(grad, *ctx.saved_tensors)

    return Custom.apply


def forward_function(t):
    """Return the apply of a custom Function with a wrong jvp."""

    class Custom(t.autograd.Function):
        @staticmethod
        def forward(x):
            return x * x

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)
            ctx.save_for_forward(*inputs)

        @staticmethod
        def backward(ctx, grad):
            return grad * 2 * ctx.saved_tensors[0]

        @staticmethod
        def jvp(ctx, tangent):
            return tangent * 3

    return Custom.apply


def real(t):
    return t.tensor([0.5, -1.5, 2.0], dtype=t.float64, requires_grad=True)


def matrix(t):
    return (t.arange(9.0, dtype=t.float64).reshape(3, 3) / 4 - 1).requires_grad_()


def number(t):
    return (real(t).detach() + 0.3j).requires_grad_()


def check(t, f, *inputs, **options):
    return t.autograd.gradcheck(f, inputs, **options)


def second(t, f, *inputs, **options):
    return t.autograd.gradgradcheck(f, inputs, **options)


FAST = {"fast_mode": True}
FORWARD = {"check_forward_ad": True}
CASES = {
    "square": lambda t: check(t, lambda x: x * x, real(t)),
    "fast": lambda t: check(t, lambda x: x * x, real(t), **FAST),
    "forward": lambda t: check(t, t.sin, real(t), **FORWARD, check_backward_ad=False),
    "forward fast": lambda t: check(t, t.sin, real(t), **FORWARD, **FAST),
    "batched": lambda t: check(
        t,
        lambda x: x.sin() * x.sum(),
        real(t),
        **FORWARD,
        check_batched_grad=True,
        check_batched_forward_grad=True,
    ),
    "two": lambda t: check(t, lambda x, a: a @ x, real(t), matrix(t), **FORWARD),
    "constants": lambda t: check(
        t, lambda x, y: (x * y, y * 2), real(t), real(t).detach()
    ),
    "unused": lambda t: check(t, lambda x, y: x * 1, real(t), real(t)),
    "complex": lambda t: check(t, lambda z: z * z.conj() + z.exp(), number(t)),
    "complex fast": lambda t: check(t, lambda z: z * z.conj() * z, number(t), **FAST),
    "complex forward": lambda t: check(t, lambda z: z * z.exp(), number(t), **FORWARD),
    "complex to real": lambda t: check(t, lambda z: z.abs(), number(t), **FORWARD),
    "real to complex": lambda t: check(t, lambda x: x * 1j, real(t), **FORWARD),
    "constant": lambda t: check(t, lambda x: t.ones(3), real(t)),
    "undefined": lambda t: check(
        t, function(t, t.clone, lambda g, x: g, materialize=False), real(t)
    ),
    "second": lambda t: second(t, lambda x: x * x * x, real(t)),
    "second complex": lambda t: second(t, lambda z: z * z.conj() * z, number(t)),
    "forward over reverse": lambda t: second(
        t, lambda x: (x * x).sin(), real(t), check_fwd_over_rev=True
    ),
    "second with options": lambda t: second(
        t,
        lambda x: (x * x).sin(),
        real(t),
        gen_non_contig_grad_outputs=True,
        check_batched_grad=True,
    ),
    "wrong": lambda t: check(t, function(t, t.square, lambda g, x: g * 3), real(t)),
    "wrong fast": lambda t: check(
        t, function(t, t.square, lambda g, x: g * 3), real(t), **FAST
    ),
    "wrong quiet": lambda t: check(
        t, function(t, t.square, lambda g, x: g * 3), real(t), raise_exception=False
    ),
    "wrong jvp": lambda t: check(t, forward_function(t), real(t), **FORWARD),
    "wrong jvp fast": lambda t: check(
        t, forward_function(t), real(t), **FORWARD, **FAST
    ),
    "wrong second": lambda t: second(
        t, function(t, lambda x: x**3, lambda g, x: g * 3 * (x * x).detach()), real(t)
    ),
    "no conjugate": lambda t: check(
        t, function(t, t.square, lambda g, x: g * 2 * x), number(t)
    ),
    "undefined wrong": lambda t: check(
        t,
        function(
            t,
            t.clone,
            lambda g, x: t.ones(3, dtype=t.float64) if g is None else g,
            materialize=False,
        ),
        real(t),
    ),
    "cut": lambda t: check(t, lambda x: x.detach(), real(t)),
    "no grad": lambda t: check(t, t.sin, real(t).detach()),
    "nothing": lambda t: check(t, lambda x: x),
    "nothing to check": lambda t: check(t, t.sin, real(t), check_backward_ad=False),
    "batched forward": lambda t: check(
        t, t.sin, real(t), check_batched_forward_grad=True
    ),
    "expanded": lambda t: check(t, t.sin, real(t).expand(2, 3)),
    "random": lambda t: check(t, lambda x: x * t.rand(3, dtype=t.float64), real(t)),
    "wrong size": lambda t: check(
        t, function(t, t.clone, lambda g, x: t.ones(2, dtype=t.float64)), real(t)
    ),
    "kink": lambda t: check(t, t.relu, real(t).detach().mul(0).requires_grad_()),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_verdicts(name):
    verdicts = []
    for t in (wengert, torch):
        try:
            found = CASES[name](t)
        except Exception as error:
            found = type(error).__name__, str(error)[:40]
        verdicts.append(found)
    assert verdicts[0] == verdicts[1]


@pytest.mark.parametrize("tolerance", [0.0, 1e-6])
def test_backward_that_differs_each_time(tolerance):
    calls = []
    apply = function(
        wengert,
        wengert.clone,
        lambda g, x: g * (1 + 1e-9 * len(calls + [calls.append(0)])),
    )
    if tolerance:
        assert check(wengert, apply, real(wengert), nondet_tol=tolerance)
    else:
        with pytest.raises(GradcheckError, match="not reentrant"):
            check(wengert, apply, real(wengert))


SAYS = {
    "wrong": [r"element \[1\]", "is -3 numerically but 3 analytically", "wrong"],
    "no conjugate": ["lacks a conjugate"],
    "kink": [r"0\.5 numerically but 0 analytically", "zeros or None"],
    "random": ["each time it is called"],
}


@pytest.mark.parametrize("name", SAYS)
def test_messages(name):
    with pytest.raises(GradcheckError) as caught:
        CASES[name](wengert)
    for text in SAYS[name]:
        caught.match(text)


@pytest.mark.parametrize(
    ("forward", "backward", "says"),
    [
        (lambda x: x * x, lambda g, x: g * x, "0.5 times what they should be"),
        (lambda x: x.sqrt(), lambda g, x: g / (0 * x), "divides by zero"),
        (lambda x: x * x, lambda g, x: g * 0, "zeros or None"),
    ],
)
def test_causes(forward, backward, says):
    x = wengert.tensor([0.5, 1.5], dtype=wengert.float64, requires_grad=True)
    with pytest.raises(GradcheckError, match=says):
        check(wengert, function(wengert, forward, backward), x)


def test_transposed_matrix():
    a = wengert.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=wengert.float64)
    x = wengert.tensor([0.5, 1.5], dtype=wengert.float64, requires_grad=True)
    apply = function(wengert, lambda x: a @ x, lambda g, x: a @ g)
    with pytest.raises(GradcheckError, match="transpose"):
        check(wengert, apply, x)


def test_single_precision():
    x = wengert.tensor([1234.5, -1.0], requires_grad=True)
    with (
        pytest.warns(UserWarning, match="not a double precision"),
        pytest.raises(GradcheckError, match=r"torch\.float64"),
    ):
        check(wengert, lambda x: x * x * x, x)


def test_dtypes():
    x = real(wengert)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check(wengert, wengert.exp, x, check_grad_dtypes=True)


@side_by_side
def test_an_input_without_elements(t, log):
    x = t.zeros(0, 2, dtype=t.float64, requires_grad=True)
    y = t.ones(2, dtype=t.float64, requires_grad=True)
    for function in (lambda x, y: x.sum(), lambda x, y: (x * y, y.sin())):
        log(t.autograd.gradcheck(function, (x, y)))
        log(t.autograd.gradcheck(function, (x, y), check_forward_ad=True))
        log(t.autograd.gradcheck(function, (x, y), fast_mode=True))
