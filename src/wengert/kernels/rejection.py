"""Samplers that draw until a draw is accepted, one number at a time.

Each takes its distribution's parameters and functions that return the next uniform (and
normal) number of a stream. How many they take depends on the numbers themselves, so
nothing can be computed at once without taking others than PyTorch takes.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, exp, floor, lgamma, log, log1p, pi, sqrt

import numpy as np

Draw = Callable[[], float]


def poisson(rate: float, uniform: Draw) -> int:
    """The number of events in a unit of time at this mean rate."""
    if rate == 0:
        return 0
    return _few_events(rate, uniform) if rate < 10 else _many_events(rate, uniform)


def _few_events(rate: float, uniform: Draw) -> int:
    """Knuth: how many uniform numbers have a product above exp(−rate)."""
    limit = exp(-rate)
    count = 0
    product = uniform()
    while product > limit:
        product *= uniform()
        count += 1
    return count


def _many_events(rate: float, uniform: Draw) -> int:
    """Hörmann (1993), transformed rejection with squeeze: his algorithm PTRS."""
    b = 0.931 + 2.53 * sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    squeeze = 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = uniform() - 0.5, uniform()
        from_edge = 0.5 - abs(u)
        count = floor((2 * a / from_edge + b) * u + rate + 0.43)
        if from_edge >= 0.07 and v <= squeeze:
            return count
        if count < 0 or (from_edge < 0.013 and v > from_edge):
            continue
        height = log(v) + log(inverse_alpha) - log(a / from_edge**2 + b)
        if height <= -rate + count * log(rate) - lgamma(count + 1):
            return count


def gamma(shape: float, uniform: Draw, normal: Draw, kind: type[np.floating]) -> float:
    """A gamma variate of unit scale: Marsaglia and Tsang (2000).

    `kind` is the type in which PyTorch computes the constants that come from `shape`.
    """
    if shape == 0:
        return 0.0
    scale = 1.0
    if shape < 1:  # a variate of shape + 1 times a power has this shape
        scale = (1 - uniform()) ** float(kind(1 / shape))
        shape = float(kind(shape + 1))
    d = float(kind(shape - _THIRD))
    c = 1 / sqrt(9 * d)
    while True:
        x = normal()
        cube_root = 1 + c * x
        if cube_root <= 0:
            continue
        cube = cube_root * cube_root * cube_root
        u = 1 - uniform()
        x *= x
        if u < 1 - _SQUEEZE * x * x or log(u) < 0.5 * x + d * (1 - cube + log(cube)):
            return scale * d * cube


# single precision even where the rest is double, as in PyTorch
_THIRD, _SQUEEZE = float(np.float32(1 / 3)), float(np.float32(0.0331))


def binomial(count: float, probability: float, uniform: Draw) -> float:
    """The number of successes in `count` trials."""
    if count <= 0 or probability <= 0:
        return 0
    if probability >= 1:
        return count
    if probability > 0.5:
        return count - binomial(count, 1 - probability, uniform)
    if count * probability < 10:
        return _few_successes(count, probability, uniform)
    return _many_successes(count, probability, uniform)


def _few_successes(count: float, probability: float, uniform: Draw) -> int:
    """How many waiting times, geometrically distributed, fit into `count` trials."""
    log_failure = log1p(-probability)
    successes = 0
    trials = ceil(log(uniform()) / log_failure)
    while trials <= count:
        successes += 1
        trials += ceil(log(uniform()) / log_failure)
    return successes


def _many_successes(n: float, p: float, uniform: Draw) -> int:
    """Hörmann (1993), transformed rejection with squeeze: his algorithm BTRS."""
    deviation = sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * p
    alpha = (2.83 + 5.1 / b) * deviation
    squeeze = 0.92 - 4.2 / b
    odds = p / (1 - p)
    mode = floor((n + 1) * p)
    while True:
        u, v = uniform() - 0.5, uniform()
        from_edge = 0.5 - abs(u)
        k = floor((2 * a / from_edge + b) * u + n * p + 0.5)
        if from_edge >= 0.07 and v <= squeeze:
            return k
        if k < 0 or k > n:
            continue
        bound = (
            (mode + 0.5) * log((mode + 1) / (odds * (n - mode + 1)))
            + (n + 1) * log((n - mode + 1) / (n - k + 1))
            + (k + 0.5) * log(odds * (n - k + 1) / (k + 1))
            + _stirling_error(mode)
            + _stirling_error(n - mode)
            - _stirling_error(k)
            - _stirling_error(n - k)
        )
        if log(v * alpha / (a / from_edge**2 + b)) <= bound:
            return k


def _stirling_error(k: float) -> float:
    """How far log k! is above Stirling's (k + ½) log(k + 1) − (k + 1) + ½ log 2π."""
    x = k + 1
    if k < 10:
        return lgamma(x) - ((k + 0.5) * log(x) - x + 0.5 * log(2 * pi))
    return (1 / 12 - (1 / 360 - 1 / 1260 / x**2) / x**2) / x
