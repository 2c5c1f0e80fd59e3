"""Samples of variances, quantiles, histograms, norms and distances."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from . import Sample
from .reduction import NAN, SCALAR, THREE, along, keyword, ties, whole, with_nan


def spread(name: str) -> list[Sample]:
    return [
        whole(name, dtypes="fhc"),
        along(name, 0, dtypes="fhc"),
        along(name, 0, False),
        along(name, False),
        along(name, (0, 2), True, True, **THREE),
        keyword(name, {}, dim=1, correction=0, keepdim=True),
        keyword(name, {}, correction=1.5),
        keyword(name, {}, axis=1, keepdims=True),
    ]


def still(rng: np.random.Generator) -> np.ndarray:
    array = rng.uniform(-1, 1, (3, 4))
    array[1] = 0.5
    return array


def norm_of(label: str, array: Any, p: float, **settings: Any) -> Sample:
    return Sample(
        f"norm_{label}_{p}",
        lambda t, x: x.norm(p, 1),
        [array],
        **{"smooth": False, "second": False, **settings},
    )


def with_zeros(rng: np.random.Generator) -> np.ndarray:
    array = rng.uniform(-1, 1, (4, 5))
    array[0] = 0
    array[1, 2] = array[2, 1] = 0
    return array


POWERS = [0, 0.5, 1, 1.5, 2, 3, 4.5, inf, -inf, -1]


def distance(p: float) -> Sample:
    return Sample(f"dist_{p}", lambda t, x, y: t.dist(x, y, p), [(3, 4), (4,)])


def distances(p: float, *shapes: tuple[int, ...], **settings: Any) -> Sample:
    label = "_".join(["cdist", str(p), *["x".join(map(str, s)) for s in shapes]])
    # PyTorch has no second derivatives of most of these.
    settings = {"second": False, **settings}
    return Sample(label, lambda t, x, y: t.cdist(x, y, p), shapes, **settings)


def quantiles(name: str, array: Any) -> list[Sample]:
    settings: dict[str, Any] = {"inputs": [array], "grad_fn": False}
    smooth = settings | {"smooth": array is not with_nan}
    return [
        Sample(f"{name}_{how}", call_quantile(name, how, 0.3), **smooth)
        for how in ("linear", "lower", "higher", "midpoint", "nearest")
    ] + [
        along(name, 0.25, label=f"{name}_whole", **smooth),
        along(name, 0.6, 0, True, label=f"{name}_kept", **smooth),
        Sample(
            f"{name}_several",
            lambda t, x: getattr(t, name)(
                x, t.tensor([0.1, 0.5, 1.0], dtype=x.dtype), dim=1, keepdim=True
            ),
            **smooth,
        ),
    ]


def call_quantile(name: str, how: str, q: float) -> Any:
    return lambda t, x: getattr(t, name)(x, q, dim=1, interpolation=how)


def histogram(label: str, *args: Any, **kwargs: Any) -> Sample:
    return Sample(
        f"histogram_{label}", lambda t, x: t.histogram(x, *args, **kwargs), grad=False
    )


COUNTS = np.array([1, 4, 2, 2, 0, 4])

SAMPLES = [
    *spread("var"),
    *spread("std"),
    *spread("var_mean"),
    *spread("std_mean"),
    along("std", 1, label="std_of_equals", inputs=[still], smooth=False, second=False),
    # covariances
    Sample("cov", lambda t, x: t.cov(x), dtypes="fc", grad_fn=False),
    Sample("cov_vector", lambda t, x: t.cov(x), [(5,)], grad_fn=False),
    keyword("cov", {"grad_fn": False}, correction=0),
    Sample(
        "cov_weighted",
        lambda t, x, f, a: t.cov(x, fweights=f, aweights=a),
        [(3, 4), np.array([1, 2, 1, 3]), (4,)],
        domain=(0.1, 1),
        grad_fn=False,
    ),
    Sample(
        "cov_fweights",
        lambda t, x, f: t.cov(x, fweights=f),
        [(2, 3), COUNTS[:3]],
        grad_fn=False,
    ),
    Sample("corrcoef", lambda t, x: t.corrcoef(x), dtypes="fc", grad_fn=False),
    Sample("corrcoef_vector", lambda t, x: t.corrcoef(x), [(5,)], grad_fn=False),
    # quantiles
    *quantiles("quantile", (4, 5)),
    *quantiles("nanquantile", with_nan),
    along("quantile", 0.5, 1, label="quantile_nan", grad_fn=False, **NAN),
    Sample(
        "quantile_by_q",
        lambda t, x, q: t.quantile(x, q, dim=0),
        [(4, 5), (3,)],
        domain=(0.1, 0.9),
        grad_fn=False,
    ),
    # histograms and counts
    along("histc", 5, grad=False),
    along("histc", 4, -1, 1, grad=False),
    along("histc", 3, label="histc_of_equals", inputs=[np.ones(4)], grad=False),
    histogram("bins", 4),
    histogram("range", 4, range=(-1.0, 1.0)),
    histogram("density", 4, density=True),
    Sample(
        "histogram_weighted",
        lambda t, x, w: t.histogram(x, 3, weight=w),
        [(3, 4), (3, 4)],
        grad=False,
    ),
    Sample(
        "histogram_edges",
        lambda t, x: t.histogram(x, t.tensor([-1.0, 0.0, 1.5], dtype=x.dtype)),
        grad=False,
    ),
    Sample("bincount", lambda t, x: t.bincount(x), [COUNTS], grad=False),
    Sample("bincount_long", lambda t, x: x.bincount(minlength=9), [COUNTS], grad=False),
    Sample(
        "bincount_weighted", lambda t, x, w: x.bincount(w), [COUNTS, (6,)], grad=False
    ),
    # norms
    whole("norm", dtypes="fc"),
    *[norm_of("random", (3, 4), p, second=p not in (0,), dtypes="fc") for p in POWERS],
    *[norm_of("with_zeros", with_zeros, p, dtypes="fc") for p in POWERS],
    norm_of("ties", ties, inf),
    norm_of("ties", ties, -inf),
    norm_of("half", (3, 4), 3, dtypes="h", grad=False),
    norm_of("half", (3, 4), 2, dtypes="h", grad=False),
    along("norm", 3, (0, 2), True, **THREE),
    along("norm", "fro", (0, 1), **THREE),
    along("norm", 2, label="norm_of_scalar", **SCALAR),
    Sample("norm_dtype", lambda t, x: t.norm(x, dtype=t.float64), grad_fn=False),
    *[distance(p) for p in (1, 1.5, 2, 3, inf)],
    Sample("dist_0", lambda t, x, y: t.dist(x, y, 0), [(3, 4), (3, 4)], grad=False),
    *[distances(p, (3, 4), (5, 4)) for p in (0.5, 1, 1.5, 2, 3, inf)],
    distances(2, (2, 1, 3, 4), (3, 5, 4)),
    distances(3, (2, 1, 3, 4), (3, 5, 4)),
    distances(2, (30, 4), (5, 4), grad_fn=False),
    distances(0, (3, 4), (5, 4), grad=False),
    Sample("renorm", lambda t, x: t.renorm(x, 2, 0, 1.5), grad_fn=False, dtypes="f"),
    Sample("renorm_1", lambda t, x: x.renorm(1, 1, 2.0), [(2, 3, 4)], grad_fn=False),
]
