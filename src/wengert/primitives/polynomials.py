"""Orthogonal polynomials of degree n, element by element, by their recurrences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from .op import nondifferentiable

Step = Callable[[Any, Any, Any, int], Any]


def polynomial(name: str, first: Callable[[Any], Any], step: Step) -> Any:
    """Declare a family of polynomials, whose member of degree 0 is 1.

    Args:
        name: PyTorch's, without "polynomial".
        first: the member of degree 1.
        step: makes the member of degree k from x, the two before it, and k.
    """

    def forward(self: Any, n: Any) -> Any:
        x, degree = np.broadcast_arrays(self, np.trunc(n).astype(np.int64))
        result = np.where(degree == 0, x.dtype.type(1), x.dtype.type(0))
        before, last = np.ones_like(x), first(x)
        for k in range(1, highest(degree) + 1):
            result = np.where(degree == k, last, result)
            before, last = last, step(x, last, before, k + 1)
        return np.where(np.isnan(x), x, result)

    return nondifferentiable(
        f"special_{name}",
        forward,
        inputs=("self", "n"),
        promote="float",
        kind="elementwise",
        refuses="c",
    )


def highest(degree: ndarray) -> int:
    """Return the highest degree that is asked for."""
    return int(degree.max()) if degree.size else 0


def shifted(step: Step) -> Step:
    """Return the recurrence of the polynomials of 2x - 1."""
    return lambda x, last, before, k: step(x * 2 - 1, last, before, k)


def _chebyshev(x: Any, last: Any, before: Any, k: int) -> Any:
    return x * last * 2 - before


def _legendre(x: Any, last: Any, before: Any, k: int) -> Any:
    return (x * last * (2 * k - 1) - before * (k - 1)) / k


def _laguerre(x: Any, last: Any, before: Any, k: int) -> Any:
    return ((2 * k - 1 - x) * last - before * (k - 1)) / k


def _hermite_h(x: Any, last: Any, before: Any, k: int) -> Any:
    return (x * last - before * (k - 1)) * 2


def _hermite_he(x: Any, last: Any, before: Any, k: int) -> Any:
    return x * last - before * (k - 1)


chebyshev_t = polynomial("chebyshev_polynomial_t", lambda x: x, _chebyshev)
chebyshev_u = polynomial("chebyshev_polynomial_u", lambda x: x * 2, _chebyshev)
chebyshev_v = polynomial("chebyshev_polynomial_v", lambda x: x * 2 - 1, _chebyshev)
chebyshev_w = polynomial("chebyshev_polynomial_w", lambda x: x * 2 + 1, _chebyshev)
shifted_chebyshev_t = polynomial(
    "shifted_chebyshev_polynomial_t", lambda x: x * 2 - 1, shifted(_chebyshev)
)
shifted_chebyshev_u = polynomial(
    "shifted_chebyshev_polynomial_u", lambda x: x * 4 - 2, shifted(_chebyshev)
)
shifted_chebyshev_v = polynomial(
    "shifted_chebyshev_polynomial_v", lambda x: x * 4 - 3, shifted(_chebyshev)
)
shifted_chebyshev_w = polynomial(
    "shifted_chebyshev_polynomial_w", lambda x: x * 4 - 1, shifted(_chebyshev)
)
hermite_h = polynomial("hermite_polynomial_h", lambda x: x * 2, _hermite_h)
hermite_he = polynomial("hermite_polynomial_he", lambda x: x, _hermite_he)
laguerre_l = polynomial("laguerre_polynomial_l", lambda x: 1 - x, _laguerre)
legendre_p = polynomial("legendre_polynomial_p", lambda x: x, _legendre)
