"""The numbers that every contender starts from."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

DIGITS = (64, 128, 128, 10)
WIDE = (784, 1024, 1024, 10)
OPTIONS = 1_000_000
ELEMENTS = 10_000_000
NORM = (4096, 1024)
CLASSES = (64, 50_000)
ADAM_SIZES = [int(50_000 * (0.5 + i / 199)) for i in range(200)]


def normal(*shape: int, seed: int = 0, dtype: str = "float32") -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def labels(count: int, classes: int) -> Array:
    return np.random.default_rng(1).integers(0, classes, count)


def layers(sizes: tuple[int, ...]) -> list[tuple[Array, Array]]:
    """Weights (outputs first, as PyTorch has them) and biases of an MLP."""
    return [
        (normal(m, n, seed=i) * np.float32(n**-0.5), np.zeros(m, np.float32))
        for i, (n, m) in enumerate(pairwise(sizes))
    ]


def options(dtype: str) -> list[Array]:
    """Spot, strike, time, volatility and rate of many options."""
    rng = np.random.default_rng(0)
    bounds = [(50, 150), (50, 150), (0.1, 2), (0.1, 0.5), (0, 0.05)]
    return [rng.uniform(*bound, OPTIONS).astype(dtype) for bound in bounds]
