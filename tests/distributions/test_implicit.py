"""Derivatives of samples against those of the quantile functions, by SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from wengert.kernels.implicit import beta_slope, gamma_slope

SHARES = [1e-4, 0.05, 0.3, 0.5, 0.8, 0.99, 0.9999]


@pytest.mark.parametrize("shape", [0.05, 0.3, 1.0, 1.7, 8.0, 60.0, 3000.0])
def test_gamma(shape: float) -> None:
    shares = np.array(SHARES)
    samples = special.gammaincinv(shape, shares)
    step = shape * 1e-5
    above = special.gammaincinv(shape + step, shares)
    below = special.gammaincinv(shape - step, shares)
    found = gamma_slope(np.full_like(samples, shape), samples)
    np.testing.assert_allclose(found, (above - below) / (2 * step), 5e-5)


@pytest.mark.parametrize("second", [0.05, 0.4, 1.0, 7.0, 500.0])
@pytest.mark.parametrize("first", [0.05, 0.4, 1.0, 7.0, 500.0])
def test_beta(first: float, second: float) -> None:
    samples = special.betaincinv(first, second, np.array(SHARES))
    samples = samples[(samples > 1e-200) & (samples < 1 - 1e-7)]
    shares = special.betainc(first, second, samples)
    step = first * 1e-5
    above = special.betaincinv(first + step, second, shares)
    below = special.betaincinv(first - step, second, shares)
    full = np.full_like(samples, first), np.full_like(samples, second)
    found = beta_slope(*full, samples)
    np.testing.assert_allclose(found, (above - below) / (2 * step), 5e-5)


def test_single_precision_is_kept() -> None:
    one = np.ones(2, np.float32)
    assert gamma_slope(one, one).dtype == np.float32
    assert beta_slope(one, one, one / 2).dtype == np.float32


def test_of_an_exponential_by_mathematics() -> None:
    """For a = 1 and β = 1: F = x^a, so that dx/da = -x log x at a = 1."""
    x = np.array([0.1, 0.5, 0.99])
    one = np.ones(3)
    np.testing.assert_allclose(beta_slope(one, one, x), -x * np.log(x), 1e-8)
