import math

import mpmath
import numpy as np
import pytest
import torch

from wengert.kernels import gamma, special

TINY = np.concatenate([np.geomspace(1e-300, 1e-3, 50), -np.geomspace(1e-300, 1e-3, 50)])


def uniform(low, high, count=300):
    return np.random.default_rng(0).uniform(low, high, count)


def units_in_last_place(ours, reference, x):
    """The errors against mpmath, in units of the last place of the result's dtype."""
    with mpmath.workdps(40):
        exact = [reference(mpmath.mpf(float(v))) for v in x]
        errors = [
            abs(mpmath.mpf(float(a)) - e) for a, e in zip(ours, exact, strict=True)
        ]
    size = np.abs(np.array(exact, np.float64)).astype(ours.dtype)
    return np.array(errors, np.float64) / np.spacing(size)


def log_gamma(x):
    return mpmath.log(abs(mpmath.gamma(x)))


CASES = {
    # name: function, reference, arguments, units in the last place
    "erf": (special.erf, mpmath.erf, np.append(uniform(-6, 6), TINY), 2),
    "erfc": (special.erfc, mpmath.erfc, np.append(uniform(-6, 26.5), TINY), 5),
    "erfinv": (special.erfinv, mpmath.erfinv, np.append(uniform(-1, 1), TINY), 4),
    "erfinv near 1": (
        special.erfinv,
        mpmath.erfinv,
        1 - np.geomspace(1e-15, 0.5, 100),
        20,
    ),
    "i0": (special.i0, lambda x: mpmath.besseli(0, x), uniform(-40, 40), 5),
    "i0 of large": (special.i0, lambda x: mpmath.besseli(0, x), uniform(690, 712), 5),
    "i0e": (
        special.i0e,
        lambda x: mpmath.besseli(0, x) * mpmath.exp(-abs(x)),
        uniform(-40, 400),
        5,
    ),
    "i1": (
        special.i1,
        lambda x: mpmath.besseli(1, x),
        np.append(uniform(-40, 40), TINY),
        10,
    ),
    "i1e": (
        special.i1e,
        lambda x: mpmath.besseli(1, x) * mpmath.exp(-abs(x)),
        uniform(-40, 400),
        10,
    ),
    "lgamma": (gamma.lgamma, log_gamma, uniform(0, 20), 4),
    "lgamma of large": (gamma.lgamma, log_gamma, uniform(20, 1000), 4),
    "lgamma around its zeros": (
        gamma.lgamma,
        log_gamma,
        np.append(1 + TINY[np.abs(TINY) > 1e-15], 2 + TINY[np.abs(TINY) > 1e-15]),
        4,
    ),
    "digamma": (gamma.digamma, mpmath.digamma, uniform(2, 100), 4),
    "digamma close to 0": (gamma.digamma, mpmath.digamma, TINY, 4),
    "trigamma": (gamma.trigamma, lambda x: mpmath.psi(1, x), uniform(-10, 50), 5),
}


@pytest.mark.parametrize("name", CASES)
def test_double_precision(name):
    function, reference, x, allowed = CASES[name]
    ours = function(x)
    assert ours.dtype == np.float64
    assert units_in_last_place(ours, reference, x).max() <= allowed


@pytest.mark.parametrize("name", ["erf", "erfc", "erfinv", "i0", "i1", "lgamma"])
def test_single_precision(name):
    function, reference, x, _ = CASES[name]
    x = x[(np.abs(x) > 1e-30) & (x < 8)].astype(np.float32)
    ours = function(x)
    assert ours.dtype == np.float32
    assert units_in_last_place(ours, reference, x).max() <= 2.2


def test_erf_in_single_precision_everywhere():
    x = np.linspace(-5, 5, 100_001).astype(np.float32)
    exact = special.erf(x.astype(np.float64))
    error = np.abs(special.erf(x) - exact) / np.spacing(
        np.abs(exact).astype(np.float32)
    )
    assert error.max() <= 2.2


@pytest.mark.parametrize(
    ("function", "reference"),
    [(gamma.lgamma, log_gamma), (gamma.digamma, mpmath.digamma)],
)
def test_errors_are_small_against_one_to_the_left_of_zero(function, reference):
    x = uniform(-10, 0)
    with mpmath.workdps(30):
        exact = np.array([reference(mpmath.mpf(v)) for v in x], np.float64)
    np.testing.assert_allclose(function(x), exact, rtol=1e-14, atol=1e-14)


SPECIAL_VALUES = [
    0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0, 2.0, -2.0, 30.0, -30.0, 1e300,
]  # fmt: skip
AS_IN_TORCH = [
    (special.erf, torch.erf),
    (special.erfc, torch.erfc),
    (special.erfinv, torch.erfinv),
    (special.i0, torch.special.i0),
    (special.i0e, torch.special.i0e),
    (special.i1, torch.special.i1),
    (special.i1e, torch.special.i1e),
    (gamma.lgamma, torch.lgamma),
    (gamma.digamma, torch.digamma),
]


@pytest.mark.parametrize(("ours", "theirs"), AS_IN_TORCH)
def test_special_values_are_those_of_torch(ours, theirs):
    x = torch.tensor(SPECIAL_VALUES, dtype=torch.float64)
    np.testing.assert_allclose(ours(x.numpy()), theirs(x), rtol=1e-13, strict=True)


@pytest.mark.parametrize(("ours", "theirs"), AS_IN_TORCH)
def test_half_precision(ours, theirs):
    x = torch.linspace(-0.9, 0.9, 20).half()
    np.testing.assert_allclose(ours(x.numpy()), theirs(x), rtol=2e-3, strict=True)


@pytest.mark.parametrize(("ours", "theirs"), AS_IN_TORCH)
def test_any_shape_and_more_than_a_block(ours, theirs):
    x = torch.rand(3, 7, 5000, dtype=torch.float64).permute(2, 0, 1)
    np.testing.assert_allclose(ours(x.numpy()), theirs(x), rtol=1e-11, atol=1e-13)
    for shape in ((), (0, 3), (1,)):
        assert ours(np.full(shape, 0.5)).shape == shape


def test_gamma_functions_need_no_scipy(monkeypatch):
    import sys

    import wengert
    from wengert.primitives.special import gamma_function, library

    monkeypatch.setitem(sys.modules, "scipy.special", None)
    library.cache_clear()
    gamma_function.cache_clear()
    try:
        for t in (wengert, torch):
            x = t.tensor([0.5, 3.0, -1.5, 20.0], requires_grad=True)
            y = t.lgamma(x) + t.digamma(x) + t.mvlgamma(x.abs() + 3, 2)
            y.sum().backward()
            if t is wengert:
                ours = y.detach().numpy(), x.grad.numpy()
    finally:
        library.cache_clear()
        gamma_function.cache_clear()
    np.testing.assert_allclose(ours[0], y.detach(), rtol=1e-5)
    np.testing.assert_allclose(ours[1], x.grad, rtol=1e-5)
