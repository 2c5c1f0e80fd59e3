"""How samples of the gamma and beta distributions move with their parameters.

A sample x moves so that the probability below it, F(x; a), stays: dx/da = -(∂F/∂a) / f,
where f is the density. This is implicit reparameterisation (Figurnov, Mohamed and Mnih,
2018). ∂F/∂a is the integral up to x of f times the score, ∂log f/∂a. As the whole
integral of that is zero, it is minus the integral from x on, too. The score has one
zero: below it, the left integral has no cancellation, and above it the right one.

The integrals are over the logarithm, or the log odds, of the sample, where densities
are smooth and fall off exponentially at both ends. There a trapezoidal rule after the
substitution v = exp(u - exp(-u)) (Takahasi and Mori, 1974) converges exponentially.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import numpy as np
from numpy import ndarray

from .gamma import digamma

STEP = 0.125
_U = np.arange(-3.5, 4.75, STEP)
NODES = np.exp(_U - np.exp(-_U))[:, None]
WEIGHTS = STEP * NODES[:, 0] * (1 + np.exp(-_U))
BLOCK = 256  # samples whose integrands at all nodes fit into the cache


def blockwise(slope: Callable[..., ndarray]) -> Callable[..., ndarray]:
    """Compute for so many samples at a time, in double precision.

    Parameters and samples, which come last, have one shape.
    """

    @wraps(slope)
    def compute(*arrays: ndarray) -> ndarray:
        sample = arrays[-1]
        flat = [array.reshape(-1).astype(np.float64) for array in arrays]
        result = np.empty(sample.size, sample.dtype)
        for start in range(0, sample.size, BLOCK):
            block = slice(start, start + BLOCK)
            result[block] = slope(*[array[block] for array in flat])
        return result.reshape(sample.shape)

    return compute


def integrated(function: Callable[[ndarray], ndarray], rate: ndarray) -> ndarray:
    """Integrate from 0 on what falls off about as exp(-rate v) does."""
    return WEIGHTS @ function(NODES / rate) / rate


@blockwise
def gamma_slope(a: ndarray, x: ndarray) -> ndarray:
    """The derivative of gamma samples x, of unit rate, by the shape parameter a."""
    distance = np.log(x) - digamma(a)
    side = np.where((distance < 0) | (x < 1), -1.0, 1.0)
    least = np.where(side < 0, np.minimum(np.sqrt(x), a), np.sqrt(x))
    rate = np.maximum(side * (x - a), 0) + least

    def integrand(v: ndarray) -> ndarray:
        w = side * v  # how far from the sample's logarithm
        return np.exp(a * w - x * np.expm1(w)) * (side * distance + v)

    return x * integrated(integrand, rate)


@blockwise
def beta_slope(a: ndarray, b: ndarray, x: ndarray) -> ndarray:
    """The derivative of beta samples x by the first parameter, a."""
    x = np.clip(x, np.finfo(x.dtype).tiny, 1 - np.finfo(x.dtype).epsneg)
    log_x, log_rest = np.log(x), np.log1p(-x)
    zero = digamma(a) - digamma(a + b)
    near_zero = x < np.minimum(0.5, 1 / (a + b))
    side = np.where((log_x < zero) | near_zero, -1.0, 1.0)
    deviation = np.sqrt((a + b) * x * (1 - x))
    least = np.minimum(deviation, np.where(side < 0, a, b))
    rate = np.maximum(side * (b * x - a * (1 - x)), 0) + least

    def integrand(v: ndarray) -> ndarray:
        w = side * v  # how far from the sample's log odds
        log_ratio = -np.logaddexp(log_x, log_rest - w)
        log_ratio_of_rest = -np.logaddexp(log_rest, log_x + w)
        density = np.exp(a * log_ratio + b * log_ratio_of_rest)
        return density * side * (log_x + log_ratio - zero)

    return x * (1 - x) * integrated(integrand, rate)
