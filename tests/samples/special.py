"""Samples of special functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Sample
from .elementwise import of, one

POSITIVE = (0.2, 3.0)
DEGREES = np.arange(12).reshape(3, 4)


def special(name: str, **settings: Any) -> Sample:
    """Return a sample of a function of one tensor in `torch.special`."""
    settings = {"pointwise": True, **settings}
    return Sample(name, lambda t, x: getattr(t.special, name)(x), **settings)


def special_two(name: str, **settings: Any) -> Sample:
    """Return a sample of a function of two tensors in `torch.special`."""
    settings = {"pointwise": True, "inputs": ((3, 4), (3, 4)), **settings}
    return Sample(name, lambda t, x, y: getattr(t.special, name)(x, y), **settings)


def first_constant(name: str) -> Sample:
    """Return a sample of a function that is differentiable by its second input."""
    return Sample(
        name,
        lambda t, x, y: getattr(t, name)(x.detach(), y),
        [(3, 4), (3, 4)],
        domain=POSITIVE,
        smooth=False,
    )


SAMPLES = [
    one("erf", dtypes="fhib"),
    one("erfc", dtypes="fhib"),
    one("erfinv", dtypes="fh", domain=(-0.9, 0.9)),
    one("lgamma", dtypes="fhi", domain=POSITIVE),
    one("digamma", dtypes="fhi", domain=POSITIVE),
    one("i0", dtypes="fhib"),
    one("logit", dtypes="fh", domain=(0.1, 0.9)),
    of("logit eps", lambda t, x: t.logit(x, eps=0.2), domain=(0.05, 0.9)),
    of("polygamma 0", lambda t, x: t.polygamma(0, x), domain=POSITIVE, dtypes="fi"),
    of("polygamma 2", lambda t, x: t.polygamma(2, x), domain=POSITIVE),
    of("polygamma method", lambda t, x: x.polygamma(1), domain=POSITIVE),
    of("mvlgamma", lambda t, x: t.mvlgamma(x, 3), domain=(1.5, 4), dtypes="fh"),
    first_constant("igamma"),
    first_constant("igammac"),
    Sample("xlogy", lambda t, x, y: t.xlogy(x, y), [(3, 4)] * 2, domain=POSITIVE),
    of("xlogy number", lambda t, x: t.xlogy(x, 2.5), domain=POSITIVE, dtypes="fi"),
    of("number xlogy", lambda t, x: t.xlogy(2.5, x), domain=POSITIVE, dtypes="fi"),
    of("xlogy of 0", lambda t, x: t.xlogy(x * 0, x), domain=POSITIVE, grad_fn=False),
    special_two("xlog1py", domain=POSITIVE),
    special_two("zeta", domain=(1.5, 4), grad=False),
    of("zeta of a number", lambda t, x: t.special.zeta(2.5, x), domain=POSITIVE),
    special("entr", domain=POSITIVE),
    special("erfcx", domain=(-1, 3)),
    special("ndtr", grad_fn=False),
    special("ndtri", domain=(0.1, 0.9)),
    special("log_ndtr", domain=(-8, 2)),
    special("i0e", domain=(-3, 3)),
    special("i1", domain=(-3, 3)),
    special("i1e", domain=(-3, 3)),
    of("i1 at 0", lambda t, x: t.special.i1(x * 0), grad_fn=False, smooth=False),
    *[
        special(name, grad=False, domain=POSITIVE)
        for name in [
            "airy_ai",
            "bessel_j0",
            "bessel_j1",
            "bessel_y0",
            "bessel_y1",
            "modified_bessel_i0",
            "modified_bessel_i1",
            "modified_bessel_k0",
            "modified_bessel_k1",
            "scaled_modified_bessel_k0",
            "scaled_modified_bessel_k1",
            "spherical_bessel_j0",
        ]
    ],
    *[
        Sample(
            name,
            lambda t, x, n, name=name: getattr(t.special, name)(x, n),
            [(3, 4), DEGREES],
            domain=(-1, 1),
            grad=False,
            tolerance=10,
        )
        for name in [
            "chebyshev_polynomial_t",
            "chebyshev_polynomial_u",
            "chebyshev_polynomial_v",
            "chebyshev_polynomial_w",
            "shifted_chebyshev_polynomial_t",
            "shifted_chebyshev_polynomial_u",
            "shifted_chebyshev_polynomial_v",
            "shifted_chebyshev_polynomial_w",
            "hermite_polynomial_h",
            "hermite_polynomial_he",
            "laguerre_polynomial_l",
            "legendre_polynomial_p",
        ]
    ],
]
