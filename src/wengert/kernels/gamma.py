"""The logarithm of the gamma function and its derivatives, without SciPy.

Each function is known where its argument is at least `FAR`, by Stirling's series, whose
coefficients are Bernoulli numbers; the recurrence brings smaller arguments there, and
the reflection brings negative ones to the right. float64 is accurate to a few units in
the last place, but close to a zero of digamma, or of lgamma where its argument is
negative, the error is small against 1 and not against the result.
"""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from .polynomial import Polynomial, blockwise

FAR = 8

# fmt: off
# log Γ(x) / ((x - 1) (x - 2)) over x in [1, 2]: powers of 2 x - 3
LOG_GAMMA_INNER = Polynomial(
    0.4831289505409809, -0.07297994795715304, 0.01572785026864124,
    -0.003913560937626382, 0.0010498186644489656, -0.00029455070151447566,
    8.510090382507709e-05, -2.509432873100561e-05, 7.511391134979752e-06,
    -2.274246996515623e-06, 6.948461695085761e-07, -2.1386491882116746e-07,
    6.622899723826762e-08, -2.0616620561052955e-08, 6.448537660005262e-09,
    -2.024502591283405e-09, 6.34708063084356e-10, -2.0030279061447333e-10,
    6.659994986020335e-11, -2.1320952445184018e-11, 4.705387815328221e-12,
    -1.4335363911170717e-12, 1.2510413599689193e-12, -4.121881348704856e-13,
)

# Stirling's series in 1 / x²: of log Γ(x) times x, of digamma and of trigamma times x²
LOG_GAMMA_SERIES = Polynomial(
    1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156,
    -3617 / 122400, 43867 / 244188, -174611 / 125400,
)
DIGAMMA_SERIES = Polynomial(
    1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12, -3617 / 8160,
    43867 / 14364, -174611 / 6600,
)
TRIGAMMA_SERIES = Polynomial(
    1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510,
    43867 / 798, -174611 / 330,
)
# fmt: on


@blockwise()
def lgamma(x: ndarray) -> ndarray:
    """The logarithm of the absolute value of the gamma function."""
    reflected = x < 0.5
    right = np.where(reflected, 1 - x, x)
    value = np.where(right < FAR, _log_gamma_near(right), _log_gamma_far(right))
    # log |Γ(x)| = log π - log |sin πx| - log Γ(1 - x)
    sine = np.abs(np.sin(np.pi * (x - np.rint(x))))
    value = np.where(reflected, np.log(np.pi) - np.log(sine) - value, value)
    result: ndarray = np.where(np.isinf(x), np.inf, value)
    return result


def _log_gamma_near(x: ndarray) -> ndarray:
    """The logarithm over [0.5, FAR), from that over [1, 2]."""
    product = np.ones_like(x)
    reduced = np.minimum(x, FAR)
    while (above := reduced > 2).any():
        reduced = np.where(above, reduced - 1, reduced)
        product = np.where(above, product * reduced, product)
    below = reduced < 1
    # for x < 1 from log Γ(x + 1), whose factors are x and x - 1, which are exact
    offset = np.where(below, reduced, reduced - 1)
    inside = LOG_GAMMA_INNER(2 * offset - 1)
    inside *= offset * (offset - 1)
    log = np.log(np.where(below, reduced, product))
    return inside + np.where(below, -log, log)


def _log_gamma_far(x: ndarray) -> ndarray:
    """The logarithm from FAR on."""
    x = np.maximum(x, FAR)
    series = LOG_GAMMA_SERIES(1 / (x * x)) / x
    return (x - 0.5) * (np.log(x) - 1) + (np.log(2 * np.pi) / 2 - 0.5 + series)


@blockwise()
def digamma(x: ndarray) -> ndarray:
    """The derivative of the logarithm of the gamma function."""
    reflected = x < 0
    right = np.where(reflected, 1 - x, x)
    far, terms = right, np.zeros_like(x)
    while (near := far < FAR).any():
        terms = np.where(near, terms + 1 / far, terms)
        far = np.where(near, far + 1, far)
    square = 1 / (far * far)
    value = np.log(far) - 0.5 / far - square * DIGAMMA_SERIES(square) - terms
    # ψ(x) = ψ(1 - x) - π / tan πx, which has no value at whole numbers
    fraction = x - np.rint(x)
    tangent = np.where(fraction == 0, np.nan, np.tan(np.pi * fraction))
    value = np.where(reflected, value - np.pi / tangent, value)
    result: ndarray = np.where(x == 0, np.copysign(np.inf, -x), value)
    return result


@blockwise()
def trigamma(x: ndarray) -> ndarray:
    """The derivative of digamma."""
    reflected = x < 0.5
    right = np.where(reflected, 1 - x, x)
    far, terms = right, np.zeros_like(x)
    while (near := far < FAR).any():
        terms = np.where(near, terms + 1 / (far * far), terms)
        far = np.where(near, far + 1, far)
    square = 1 / (far * far)
    value = (1 + square * TRIGAMMA_SERIES(square)) / far + square / 2 + terms
    # ψ'(x) = (π / sin πx)² - ψ'(1 - x)
    sine = np.sin(np.pi * (x - np.rint(x)))
    result: ndarray = np.where(reflected, (np.pi / sine) ** 2 - value, value)
    return result
